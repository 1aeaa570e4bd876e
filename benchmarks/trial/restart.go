package trial

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"muster.sh/muster/benchmarks/contender"
)

// running is the namespace of the gangs that run when the scheduler is killed.
const running = "running"

// runningPoll is how often it is asked whether they do.
const runningPoll = 2 * time.Second

// runGangs creates gangs that run already: node after node is filled with them, and no
// scheduler has a say.
func (l *load) runGangs(ctx context.Context) error {
	if err := l.makeNamespace(ctx, running); err != nil {
		return err
	}
	nodes, err := l.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return fmt.Errorf("list the nodes: %w", err)
	}
	var gangs []contender.Gang
	var pods []*corev1.Pod
	for i := range l.on.Running / l.on.Size {
		g := contender.Gang{Namespace: running, Name: fmt.Sprintf("r%05d", i), Size: l.on.Size}
		gangs = append(gangs, g)
		for _, p := range l.pods(g) {
			p.Spec.NodeName = nodes.Items[len(pods)%len(nodes.Items)].Name
			pods = append(pods, p)
		}
	}
	if err := l.declare(ctx, gangs...); err != nil {
		return err
	}
	if err := l.create(ctx, pods...); err != nil {
		return err
	}
	return l.awaitRunning(ctx)
}

// awaitRunning waits until the simulated nodes have started all of them.
func (l *load) awaitRunning(ctx context.Context) error {
	pending := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("status.phase", string(corev1.PodPending)).String(), Limit: 1}
	for {
		list, err := l.client.CoreV1().Pods(running).List(ctx, pending)
		if err != nil {
			return fmt.Errorf("list the pods that don't run yet: %w", err)
		}
		if len(list.Items) == 0 {
			return nil
		}
		if err := sleepUntil(ctx, time.Now().Add(runningPoll)); err != nil {
			return err
		}
	}
}
