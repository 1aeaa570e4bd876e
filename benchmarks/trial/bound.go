package trial

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"muster.sh/muster/benchmarks/scenario"
)

// awaitBound waits until all pods are bound.
func (m *measured) awaitBound(ctx context.Context, client kubernetes.Interface) error {
	bound := map[string]bool{}
	for len(bound) < m.Scenario.Pods() {
		// The API server ends a watch that can't keep pace with it.
		err := m.watchBinds(ctx, client, bound)
		if ctx.Err() != nil && len(bound) < m.Scenario.Pods() {
			return fmt.Errorf("%d of %d pods are bound after %s", len(bound), m.Scenario.Pods(), time.Since(m.began).Round(time.Second))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// watchBinds notes pods that are bound, until all are or the watch ends.
func (m *measured) watchBinds(ctx context.Context, client kubernetes.Interface, bound map[string]bool) error {
	pods := client.CoreV1().Pods(scenario.Namespace)
	list, err := pods.List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list the pods: %w", err)
	}
	for i := range list.Items {
		if err := m.noteBound(&list.Items[i], bound); err != nil {
			return err
		}
	}
	w, err := pods.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return fmt.Errorf("watch the pods: %w", err)
	}
	defer w.Stop()
	for len(bound) < m.Scenario.Pods() {
		select {
		case e, open := <-w.ResultChan():
			if !open {
				return nil
			}
			if p, ok := e.Object.(*corev1.Pod); ok {
				if err := m.noteBound(p, bound); err != nil {
					return err
				}
			}
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// noteBound notes a pod if it is bound, and after a restart what the first has cost.
func (m *measured) noteBound(p *corev1.Pod, bound map[string]bool) (err error) {
	if p.Spec.NodeName == "" {
		return nil
	}
	if len(bound) == 0 && m.Scenario.Mode == scenario.Restart {
		m.result.FirstCPU, err = m.used()
	}
	bound[p.Name] = true
	return err
}
