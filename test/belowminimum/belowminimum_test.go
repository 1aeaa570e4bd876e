// Package belowminimum tells what becomes of gangs that lose members while they run.
package belowminimum

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/test/testcluster"
)

// A gang has three members of two CPUs each, and two nodes have room for four such
// pods.
const (
	members = 3
	cpus    = 2
)

func TestGangsThatLoseMembersFollowTheirPolicy(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 2, Shape: "cpu=5,memory=64Gi"})
	for _, story := range []struct {
		name string
		play func(context.Context, *testing.T, *testcluster.Cluster)
	}{
		{"one that goes does so within its budget, whoever leads", goes},
		{"one that is whole again in time stays", staysWhole},
		{"one that is not whole again in time goes", waitsInVain},
	} {
		// What is left of a story that has failed takes the room of the next.
		if !t.Run(story.name, func(t *testing.T) { story.play(ctx, t, c) }) {
			return
		}
	}
	c.RequireNoFault(t, 0)
}

// goes has a budget that keeps all members. When one is lost the others can't be
// evicted, and the scheduler is killed. The next must not add the pod that came for the
// lost one to what is left.
func goes(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	budget := createBudget(ctx, t, c)
	createReplicas(ctx, t, c, "go", map[string]string{v1alpha1.BelowMinimumAnnotation: "go"})
	before := awaitWhole(ctx, t, c, "go", nil)
	kill(ctx, t, c, before[0])
	awaitEvents(ctx, t, c, "GangKept", 1)
	left := boundNow(ctx, t, c, "go")
	if err := c.Outage(ctx, testcluster.MusterComponent); err != nil {
		t.Fatal(err)
	}
	awaitEvents(ctx, t, c, "GangKept", 2) // the next leader goes on
	for uid, name := range boundNow(ctx, t, c, "go") {
		if _, before := left[uid]; !before {
			t.Errorf("pod %s is bound while its gang goes", name)
		}
	}
	patch := []byte(`{"spec":{"minAvailable":0}}`)
	if _, err := c.Client().PolicyV1().PodDisruptionBudgets(budget.Namespace).Patch(ctx, budget.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	after := awaitWhole(ctx, t, c, "go", before)
	requireTurn(t, c, before, after)
	awaitNoMark(ctx, t, c)
	remove(ctx, t, c, "go")
}

// boundNow returns the names of the pods of a gang that the API server knows to be bound. A
// bind that was on its way when a member was lost may be among them.
func boundNow(ctx context.Context, t *testing.T, c *testcluster.Cluster, name string) map[types.UID]string {
	t.Helper()
	list, err := c.Client().CoreV1().Pods(testcluster.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	bound := map[types.UID]string{}
	for i := range list.Items {
		if pod := &list.Items[i]; of(name)(pod) && testcluster.Bound(pod) {
			bound[pod.UID] = pod.Name
		}
	}
	return bound
}

// requireTurn requires that the first of the gang's new members was bound when the last
// of the old ones was gone.
func requireTurn(t *testing.T, c *testcluster.Cluster, before, after []*corev1.Pod) {
	t.Helper()
	_, tl := c.Judge(t, 0)
	at := map[types.UID]*audit.Pod{}
	for _, pod := range tl.Pods {
		at[pod.UID] = pod
	}
	for _, late := range after {
		for _, early := range before {
			if bound, gone := at[late.UID].Bound, at[early.UID].Gone; !gone.Known() || bound.By.Before(gone.After) {
				t.Errorf("pod %s was bound by %s, before %s was gone at %s", late.Name, bound.By, early.Name, gone.After)
			}
		}
	}
}

func staysWhole(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	createReplicas(ctx, t, c, "whole", map[string]string{
		v1alpha1.BelowMinimumAnnotation: "wait", v1alpha1.BelowMinimumTimeoutAnnotation: "10m",
	})
	before := awaitWhole(ctx, t, c, "whole", nil)
	kill(ctx, t, c, before[0])
	after := awaitWhole(ctx, t, c, "whole", before[:1])
	kept := map[types.UID]bool{before[1].UID: true, before[2].UID: true}
	for _, pod := range after {
		delete(kept, pod.UID)
	}
	if len(kept) > 0 {
		t.Errorf("of the gang, %d members that had not been lost are gone", len(kept))
	}
	remove(ctx, t, c, "whole")
}

// waitsInVain has a gang whose lost member nobody replaces. Its room is held for it, so
// that a single pod that wants it waits; then the gang goes.
func waitsInVain(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	group := testcluster.PodGroup{Name: "wait", Members: members, CPUs: cpus, Change: labelled("wait"), Annotations: map[string]string{
		v1alpha1.BelowMinimumAnnotation: "wait", v1alpha1.BelowMinimumTimeoutAnnotation: "5s",
	}}
	if err := c.CreatePodGroups(ctx, group); err != nil {
		t.Fatal(err)
	}
	before := awaitWhole(ctx, t, c, "wait", nil)
	kill(ctx, t, c, before[0])
	for i := range 2 { // one fits beside the gang
		if err := c.CreatePod(ctx, c.Pod(fmt.Sprintf("single-%d", i), cpus, 0)); err != nil {
			t.Fatal(err)
		}
	}
	err := c.Pods.Await(ctx, "the gang has gone and both single pods run", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, of("wait")) == 0 && testcluster.Count(pods, testcluster.And(isSingle, testcluster.Running)) == 2
	})
	if err != nil {
		t.Fatal(err)
	}
	awaitEvents(ctx, t, c, "GangLeaving", 1)
	if err := c.CreateMembers(ctx, group); err != nil {
		t.Fatal(err)
	}
	for _, pod := range c.Pods.List(isSingle) {
		kill(ctx, t, c, pod)
	}
	awaitWhole(ctx, t, c, "wait", before)
}
