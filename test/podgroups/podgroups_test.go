// Package podgroups tells that the members of a Volcano PodGroup start together
// or wait together.
package podgroups

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	schedulingv1beta1 "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/test/testcluster"
)

// Twenty-one gangs of four members on room for twenty members: whoever binds pod by
// pod ends up with parts of many gangs.
const (
	gangs   = 21
	members = 4
	room    = 20
	runs    = time.Second
)

func spec(scheduler string) testcluster.Spec {
	return testcluster.Spec{Scheduler: scheduler, Nodes: 4, Shape: "cpu=11,memory=64Gi"}
}

func groups(runs time.Duration) []testcluster.PodGroup {
	var groups []testcluster.PodGroup
	for i := range gangs {
		groups = append(groups, testcluster.PodGroup{Name: fmt.Sprintf("g%02d", i), Members: members, CPUs: 2, Runs: runs})
	}
	return groups
}

func TestMusterStartsEachGroupWholeAndAllOfThemFinish(t *testing.T) {
	spec := spec(testcluster.Muster)
	spec.Config = "podGroups: {empty: Enqueue}\n"
	ctx, c := testcluster.Start(t, spec)
	if err := c.CreatePodGroups(ctx, groups(runs)...); err != nil {
		t.Fatal(err)
	}
	anOwnerThatWaitsForItsGroupIsLetOn(ctx, t, c)
	err := c.Pods.Await(ctx, "all members have ended", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.Ended) == (gangs+1)*members
	})
	if err != nil {
		t.Error(err)
	}
	c.RequireNoFault(t, 0)
}

// Volcano's job controller, and others, create no pod before their group has
// the phase Inqueue.
func anOwnerThatWaitsForItsGroupIsLetOn(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	t.Helper()
	group := testcluster.PodGroup{Name: "job", Members: members, CPUs: 2, Runs: runs}
	for _, step := range []func() error{
		func() error { return c.CreatePodGroup(ctx, group) },
		func() error { return c.AwaitPhase(ctx, group.Name, schedulingv1beta1.PodGroupInqueue) },
		func() error { return c.CreateMembers(ctx, group) },
		func() error { return c.AwaitPhase(ctx, group.Name, schedulingv1beta1.PodGroupRunning) },
		func() error { return c.AwaitPhase(ctx, group.Name, schedulingv1beta1.PodGroupCompleted) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTheDefaultSchedulerLeavesGroupsHalfBound proves that the auditors see what
// they must not find in the other test. The members run for ever, as those of a
// gang do that is never whole.
func TestTheDefaultSchedulerLeavesGroupsHalfBound(t *testing.T) {
	ctx, c := testcluster.Start(t, spec(testcluster.DefaultScheduler))
	if err := c.CreatePodGroups(ctx, groups(0)...); err != nil {
		t.Fatal(err)
	}
	err := c.Pods.Await(ctx, "the nodes are full", func(pods []*corev1.Pod) bool {
		return len(pods) == gangs*members && testcluster.Count(pods, testcluster.Bound) == room
	})
	if err != nil {
		t.Fatal(err)
	}
	verdict, _ := c.Judge(t, 0)
	if len(verdict.Of(audit.Stranded)) == 0 {
		t.Error("no gang is stranded: the scheduler was lucky or the auditor is blind")
	}
	if others := len(verdict.Findings) - len(verdict.Of(audit.Stranded)); others > 0 || len(verdict.Gaps) > 0 {
		t.Error("the default scheduler has no other fault, and the log has no gap")
	}
}
