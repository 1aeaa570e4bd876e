package trial

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/internal/localcluster"
)

// settle makes what gangs in contention name: PriorityClasses, and queues of tenants.
func (m *measured) settle(ctx context.Context) error {
	var objects []*unstructured.Unstructured
	for name, value := range scenario.Priorities {
		u := &unstructured.Unstructured{Object: map[string]any{"value": int64(value)}}
		u.SetGroupVersionKind(schedulingv1.SchemeGroupVersion.WithKind("PriorityClass"))
		u.SetName(name)
		objects = append(objects, u)
	}
	if names := m.Scenario.Tenants(); len(names) > 0 {
		shape, err := localcluster.ParseShape(scenario.NodeShape)
		if err != nil {
			return err
		}
		part := corev1.ResourceList{}
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			one := shape.Resources[name]
			part[name] = *resource.NewQuantity(one.Value()*int64(m.Scenario.Nodes)/int64(len(names)), one.Format)
		}
		objects = append(objects, m.Contender.Tenants(part, names)...)
	}
	return m.cluster.Apply(ctx, objects...)
}

// contend lets each gang come at its time, and waits until none runs or waits any more,
// or nothing moves.
func (m *measured) contend(ctx context.Context, load *load) error {
	group, coming := errgroup.WithContext(ctx)
	arrivals := m.Scenario.Arrivals()
	for _, a := range arrivals {
		group.Go(func() error {
			if err := sleepUntil(coming, m.began.Add(a.At)); err != nil {
				return err
			}
			g := contender.Gang{
				Namespace: scenario.Namespace, Name: a.Name, Size: a.Size, GPUs: a.GPUs, Runtime: a.Says, Queue: a.Tenant, Priority: a.Priority,
			}
			return load.submit(coming, g, a.Runs)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return m.awaitEnd(ctx, load, arrivals)
}

func sleepUntil(ctx context.Context, at time.Time) error {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// awaitEnd waits until all pods have ended or were evicted, or nothing has moved for long:
// longer than any of them runs. A gang that lost members before it had started, which nobody
// replaces here, never ends.
func (m *measured) awaitEnd(ctx context.Context, load *load, arrivals []scenario.Arrival) error {
	pods, patience := 0, stuck
	for _, a := range arrivals {
		pods += a.Size
		patience = max(patience, stuck+a.Runs)
	}
	type state struct{ bound, left int }
	var last state
	for moved := time.Now(); time.Since(moved) < patience; {
		list, err := load.client.CoreV1().Pods(scenario.Namespace).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return fmt.Errorf("list the pods: %w", err)
		}
		var now state
		for i := range list.Items {
			p := &list.Items[i]
			switch {
			case p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed || p.DeletionTimestamp != nil:
			case p.Spec.NodeName != "":
				now.bound++
				now.left++
			default:
				now.left++
			}
		}
		if now.left == 0 {
			return nil
		}
		if now != last {
			last, moved = now, time.Now()
		}
		if err := sleepUntil(ctx, time.Now().Add(stuckPoll)); err != nil {
			return fmt.Errorf("%d of %d pods have not ended after %s", now.left, pods, time.Since(m.began).Round(time.Second))
		}
	}
	return nil
}

// Contest is what came of a scenario of contention.
type Contest struct {
	// Waited is how long gangs that were awaited waited for their start, in seconds.
	Waited Distribution `json:"waited"`
	// Awaited of them there are, of which Started have started.
	Awaited int `json:"awaited"`
	Started int `json:"started"`
	// Finished is how many of all Gangs have done all of their work.
	Finished int `json:"finished"`
	Gangs    int `json:"gangs"`
	// Utilisation is the part of all CPUs that pods had, in the time of the scenario.
	Utilisation float64 `json:"utilisation"`
	// EvictedPods is how many pods were evicted, which had run for EvictedS seconds,
	// together.
	EvictedPods int     `json:"evictedPods"`
	EvictedS    float64 `json:"evictedPodSeconds"`
}

// judgeContest tells who got what of a cluster that was too small for all.
func (m *measured) judgeContest(tl *audit.Timeline, gangs []audit.Gang) {
	arrivals := m.Scenario.Arrivals()
	c := &Contest{Gangs: len(arrivals)}
	var waits []float64
	for _, t := range audit.Times(gangs) {
		if !slices.ContainsFunc(t.Gang.Members, hasNotSucceeded) && len(t.Gang.Members) == t.Gang.Min {
			c.Finished++
		}
		if !slices.ContainsFunc(arrivals, func(a scenario.Arrival) bool { return a.Awaited && a.Name == t.Gang.Name }) {
			continue
		}
		c.Awaited++
		if wait, started := t.StartLatency(); started {
			c.Started++
			waits = append(waits, wait.Seconds())
		}
	}
	slices.Sort(waits)
	c.Waited = distribution(waits)
	over := audit.Span{From: m.began, Until: m.began.Add(time.Duration(m.Scenario.Seconds) * time.Second)}
	c.Utilisation = audit.Utilisation(tl, corev1.ResourceCPU, over)
	var lost time.Duration
	c.EvictedPods, lost = audit.Evicted(tl)
	c.EvictedS = lost.Seconds()
	m.result.Contest = c
}

func hasNotSucceeded(p *audit.Pod) bool { return !p.Ended.Known() || p.Phase != corev1.PodSucceeded }
