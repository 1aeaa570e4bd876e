// Package consolidation tells that work moves out of the way of a gang for which there is
// room, but scattered.
package consolidation

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/test/testcluster"
)

const (
	guide = "../../docs/placement.md"
	// webs are pods of a Deployment, which stand on three nodes, and trains those of a
	// Job that needs two nodes.
	webs, trains = 3, 2
)

func TestTheExampleOfTheGuideMovesWhatStandsInTheWay(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{
		Scheduler: testcluster.Muster, Nodes: 3, Shape: "cpu=4,memory=64Gi",
		Config: "placement: {strategy: Spread}\nconsolidation: {enabled: true, after: 1s, cooldown: 1s, timeout: 5m}\n",
	})
	if err := c.Apply(ctx, testcluster.Examples(t, guide, "PodDisruptionBudget", "Deployment")...); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, c, "the Deployment runs on all nodes", webs, func(pods []*corev1.Pod) bool { return len(nodesOf(pods, "web-")) == 3 })
	first := names(c.Pods.List(running("web-")))
	if err := c.Apply(ctx, testcluster.Examples(t, guide, "Job")...); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, c, "the Job runs, and all of the Deployment on the third node", webs, func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, running("train-")) == trains && len(nodesOf(pods, "web-")) == 1
	})

	moved := 0
	for name := range names(c.Pods.List(running("web-"))) {
		if !first[name] {
			moved++
		}
	}
	if moved != webs-1 {
		t.Errorf("%d pods of the Deployment are new, want %d", moved, webs-1)
	}
	checkEvents(ctx, t, c)
	c.Gangs = func(tl *audit.Timeline) []audit.Gang {
		return []audit.Gang{gangOf(tl, "web-", 1), gangOf(tl, "train-", trains)}
	}
	c.RequireNoFault(t, 0)
}

// await waits until so many pods of the Deployment run, and a condition holds.
func await(ctx context.Context, t *testing.T, c *testcluster.Cluster, what string, webs int, holds func([]*corev1.Pod) bool) {
	t.Helper()
	err := c.Pods.Await(ctx, what, func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, running("web-")) == webs && holds(pods)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func running(prefix string) func(*corev1.Pod) bool {
	return func(p *corev1.Pod) bool {
		return strings.HasPrefix(p.Name, prefix) && p.DeletionTimestamp == nil && testcluster.Running(p)
	}
}

func nodesOf(pods []*corev1.Pod, prefix string) map[string]bool {
	nodes := map[string]bool{}
	for _, p := range pods {
		if running(prefix)(p) {
			nodes[p.Spec.NodeName] = true
		}
	}
	return nodes
}

func names(pods []*corev1.Pod) map[string]bool {
	out := map[string]bool{}
	for _, p := range pods {
		out[p.Name] = true
	}
	return out
}

func gangOf(tl *audit.Timeline, prefix string, minimum int) audit.Gang {
	return audit.Select(tl, testcluster.Namespace, strings.TrimSuffix(prefix, "-"), minimum, func(p *audit.Pod) bool {
		return strings.HasPrefix(p.Name, prefix)
	})
}

// checkEvents looks for what the guide says that is told.
func checkEvents(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	t.Helper()
	list, err := c.Client().EventsV1().Events(testcluster.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	waits, moved := 0, 0
	for _, e := range list.Items {
		switch {
		case e.Reason == "GangMakingRoom" && e.Regarding.Name == "train" && strings.HasPrefix(e.Note,
			"room is made for it: pods are moved for which there is room elsewhere: 2 of replicaset web-"):
			waits++
		case e.Reason == "Evicted" && strings.HasPrefix(e.Regarding.Name, "web-") &&
			e.Note == "moved to make room for job train; there is room for it elsewhere":
			moved++
		}
	}
	if waits != 1 || moved != webs-1 {
		t.Errorf("%d times the Job is told, and %d pods that are moved", waits, moved)
	}
}
