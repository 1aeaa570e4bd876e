// Package reservedroom tells that the room which is held for the executors of a
// running driver is theirs, whoever else wants it before they come.
package reservedroom

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/test/testcluster"
)

// The application takes eight of ten CPUs, so two of the five plain pods fit
// beside it.
const (
	executors = 7
	plain     = 5
	spare     = 2
)

func start(t *testing.T) (context.Context, *testcluster.Cluster) {
	t.Helper()
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 2, Shape: "cpu=5,memory=64Gi"})
	c.PlaySpark(ctx, t)
	app := testcluster.SparkApp{Name: "app", Executors: executors, Works: 2 * time.Second, StartDelay: 6 * time.Second}
	if err := c.SubmitSpark(ctx, app); err != nil {
		t.Fatal(err)
	}
	if err := c.Pods.Await(ctx, "the driver runs", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.And(testcluster.IsDriver, testcluster.Running)) == 1
	}); err != nil {
		t.Fatal(err)
	}
	return ctx, c
}

func createPlainPods(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	t.Helper()
	for i := range plain {
		if err := c.CreatePod(ctx, c.Pod(fmt.Sprintf("plain-%d", i), 1, 0)); err != nil {
			t.Fatal(err)
		}
	}
}

// judge waits until the application has finished and the plain pods run, and
// requires that only so many of these ran before the application ended.
func judge(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	t.Helper()
	if err := c.Pods.Await(ctx, "the application has finished and all plain pods run", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.And(testcluster.IsDriver, testcluster.Succeeded)) == 1 &&
			testcluster.Count(pods, testcluster.And(isPlain, testcluster.Running)) == plain
	}); err != nil {
		t.Error(err)
	}
	tl := c.RequireNoFault(t, executors)
	if !holdsReservation(tl) {
		t.Error("no Reservation is in the audit log, so there was nothing to steal")
	}
	last := time.Time{}
	for _, pod := range tl.Pods {
		if pod.Labels["spark-role"] == "executor" && pod.Bound.By.After(last) {
			last = pod.Bound.By
		}
	}
	early := 0
	for _, pod := range tl.Pods {
		if strings.HasPrefix(pod.Name, "plain-") && pod.Bound.Known() && pod.Bound.By.Before(last) {
			early++
		}
	}
	if early != spare {
		t.Errorf("%d plain pods were bound before the last executor, want the %d that fit beside the application", early, spare)
	}
}

func isPlain(pod *corev1.Pod) bool { return strings.HasPrefix(pod.Name, "plain-") }

func holdsReservation(tl *audit.Timeline) bool {
	for _, object := range tl.Objects {
		if object.Resource == "reservations" {
			return true
		}
	}
	return false
}

func TestAPlainPodCannotStealTheRoomOfExecutorsThatAreStillToCome(t *testing.T) {
	ctx, c := start(t)
	createPlainPods(ctx, t, c)
	judge(ctx, t, c)
}

func TestTheRoomIsStillHeldAfterTheSchedulerWasKilled(t *testing.T) {
	ctx, c := start(t)
	if err := c.Kill(testcluster.MusterComponent); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	createPlainPods(ctx, t, c)
	if err := c.Start(ctx, testcluster.MusterComponent); err != nil {
		t.Fatal(err)
	}
	c.Excuse(began)
	judge(ctx, t, c)
}
