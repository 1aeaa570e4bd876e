package testcluster

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// fewWaiting is how many pods the users of a stream leave without a node before they
// come with more.
const fewWaiting = 8

// Stream lets groups of pods come, and waits until all pods have ended. One of one
// member is a single pod, without a PodGroup.
func (c *Cluster) Stream(ctx context.Context, t *testing.T, groups []PodGroup) {
	t.Helper()
	pods := 0
	for _, g := range groups {
		err := c.Pods.Await(ctx, "few pods wait", func(pods []*corev1.Pod) bool {
			return len(pods)-Count(pods, Bound) < fewWaiting
		})
		if err == nil {
			err = c.submit(ctx, g)
		}
		if err != nil {
			t.Fatal(err)
		}
		pods += g.Members
	}
	err := c.Pods.Await(ctx, "all pods have ended", func(all []*corev1.Pod) bool { return Count(all, Ended) == pods })
	if err != nil {
		t.Fatal(err)
	}
}

func (c *Cluster) submit(ctx context.Context, g PodGroup) error {
	if g.Members > 1 {
		return c.CreatePodGroups(ctx, g)
	}
	pod := c.Pod(g.Name, g.CPUs, g.Runs)
	if g.Change != nil {
		g.Change(pod)
	}
	return c.CreatePod(ctx, pod)
}
