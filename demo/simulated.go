package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/kubernetes"

	"muster.sh/muster/internal/localcluster/sparkactor"
)

// simulatedSpark has an actor play the drivers, on nodes where nothing runs: the
// scheduler's part is as real as ever, answers there are none.
type simulatedSpark struct {
	client    kubernetes.Interface
	scheduler string
}

func (g *simulatedSpark) label() string { return " (simulated: no Spark ran)" }

func (g *simulatedSpark) submit(ctx context.Context, app application) error {
	memory := *resource.NewQuantity(podMemory, resource.BinarySI)
	_, err := sparkactor.Submit(ctx, g.client, sparkactor.App{
		Name: app.name, Namespace: namespace, Executors: app.executors, SchedulerName: g.scheduler,
		DriverShape:   corev1.ResourceList{corev1.ResourceCPU: app.driverCPU, corev1.ResourceMemory: memory},
		ExecutorShape: corev1.ResourceList{corev1.ResourceCPU: app.executorCPU, corev1.ResourceMemory: memory},
	})
	return err
}

func (g *simulatedSpark) check(_ context.Context, r *run) (result, problem string) {
	switch {
	case r.driver.phase != corev1.PodSucceeded:
		return "", r.String()
	case r.boundExecutors() < r.size.executors:
		return "", fmt.Sprintf("only %d of %d executors were placed", r.boundExecutors(), r.size.executors)
	}
	return "simulated", ""
}
