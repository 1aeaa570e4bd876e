package testcluster

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"muster.sh/muster/internal/localcluster/sparkactor"
)

// PlaySpark plays the drivers of Spark applications until the test ends.
func (c *Cluster) PlaySpark(ctx context.Context, t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- sparkactor.Run(ctx, c.Client(), slog.New(slog.NewTextHandler(t.Output(), nil))) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("play Spark: %v", err)
		}
	})
}

// SparkApp describes an application whose driver and executors ask for one CPU
// each. It cannot work with fewer executors than it wants.
type SparkApp struct {
	Name       string
	Executors  int
	Works      time.Duration // once all executors run
	StartDelay time.Duration // of the driver, before it creates executors
}

// SubmitSpark submits all applications at the same moment, each as spark-submit
// does it.
func (c *Cluster) SubmitSpark(ctx context.Context, apps ...SparkApp) error {
	shape := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("1Gi")}
	c.ExecutorShape = shape
	group, ctx := errgroup.WithContext(ctx)
	for _, app := range apps {
		group.Go(func() error {
			_, err := sparkactor.Submit(ctx, c.Client(), sparkactor.App{
				Name: app.Name, Namespace: Namespace, Executors: app.Executors,
				DriverShape: shape, ExecutorShape: shape, Duration: app.Works, SchedulerName: c.Scheduler,
				Conf: map[string]string{
					sparkactor.KeyStartDelay:                            fmt.Sprintf("%dms", app.StartDelay.Milliseconds()),
					"spark.scheduler.minRegisteredResourcesRatio":       "1.0",
					"spark.scheduler.maxRegisteredResourcesWaitingTime": "1h",
				},
			})
			return err
		})
	}
	return group.Wait()
}

// IsDriver reports whether a pod is the driver of an application.
func IsDriver(pod *corev1.Pod) bool { return pod.Labels["spark-role"] == "driver" }

// IsExecutor reports whether a pod is an executor.
func IsExecutor(pod *corev1.Pod) bool { return pod.Labels["spark-role"] == "executor" }

// And reports whether a pod matches all of the conditions.
func And(conditions ...func(*corev1.Pod) bool) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool {
		for _, holds := range conditions {
			if !holds(pod) {
				return false
			}
		}
		return true
	}
}

// Succeeded reports whether a pod ended well.
func Succeeded(pod *corev1.Pod) bool { return pod.Status.Phase == corev1.PodSucceeded }

// Running reports whether a pod runs.
func Running(pod *corev1.Pod) bool { return pod.Status.Phase == corev1.PodRunning }
