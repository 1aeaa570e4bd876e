// Package competinggangs tells what becomes of fifty Spark applications that are
// submitted at the same moment to a cluster with room for ten.
package competinggangs

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/test/testcluster"
)

// Each application is a driver and four executors of one CPU: ten of them fill
// the cluster, and so do fifty drivers.
const (
	apps      = 50
	executors = 4
)

func spec(scheduler string) testcluster.Spec {
	return testcluster.Spec{Scheduler: scheduler, Nodes: 5, Shape: "cpu=10,memory=64Gi"}
}

func applications() []testcluster.SparkApp {
	var out []testcluster.SparkApp
	for i := range apps {
		out = append(out, testcluster.SparkApp{
			Name: fmt.Sprintf("app%02d", i), Executors: executors, Works: time.Second, StartDelay: time.Second,
		})
	}
	return out
}

func TestUnderMusterAllApplicationsFinishAndNoneIsEverStranded(t *testing.T) {
	ctx, c := testcluster.Start(t, spec(testcluster.Muster))
	c.PlaySpark(ctx, t)
	if err := c.SubmitSpark(ctx, applications()...); err != nil {
		t.Fatal(err)
	}
	finished := testcluster.And(testcluster.IsDriver, testcluster.Succeeded)
	if err := c.Pods.Await(ctx, "all drivers have succeeded", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, finished) == apps
	}); err != nil {
		t.Error(err)
	}
	c.RequireNoFault(t, executors)
}

// TestUnderTheDefaultSchedulerTheyDeadlock proves that this is the deadlock that
// the other test says is avoided, and that the auditors see it.
func TestUnderTheDefaultSchedulerTheyDeadlock(t *testing.T) {
	ctx, c := testcluster.Start(t, spec(testcluster.DefaultScheduler))
	c.PlaySpark(ctx, t)
	if err := c.SubmitSpark(ctx, applications()...); err != nil {
		t.Fatal(err)
	}
	starving := testcluster.And(testcluster.IsExecutor, func(pod *corev1.Pod) bool { return !testcluster.Bound(pod) })
	if err := c.Pods.Await(ctx, "all drivers run and all executors starve", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.And(testcluster.IsDriver, testcluster.Running)) == apps &&
			testcluster.Count(pods, starving) == apps*executors
	}); err != nil {
		t.Fatal(err)
	}
	verdict, _ := c.Judge(t, executors)
	if stranded := len(verdict.Of(audit.Stranded)); stranded != apps {
		t.Errorf("%d applications are found stranded, want all %d", stranded, apps)
	}
	if others := len(verdict.Findings) - len(verdict.Of(audit.Stranded)); others > 0 || len(verdict.Gaps) > 0 {
		t.Error("the default scheduler has no other fault, and the log has no gap")
	}
}
