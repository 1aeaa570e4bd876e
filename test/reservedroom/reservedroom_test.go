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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

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

func TestAPlainPodCannotStealTheRoomOfExecutorsThatAreStillToCome(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 2, Shape: "cpu=5,memory=64Gi"})
	c.PlaySpark(ctx, t)
	t.Run("while the scheduler runs", func(t *testing.T) {
		s := begin(ctx, t, c, "steady")
		s.createPlainPods()
		s.finish()
	})
	t.Run("nor after it was killed", func(t *testing.T) {
		s := begin(ctx, t, c, "killed")
		s.must(c.Kill(testcluster.MusterComponent))
		began := time.Now()
		s.createPlainPods()
		s.must(c.Start(ctx, testcluster.MusterComponent))
		c.Excuse(began)
		s.finish()
	})
	tl := c.RequireNoFault(t, executors)
	for _, app := range []string{"steady", "killed"} {
		requireOthersBehind(t, tl, app)
	}
	if !holdsReservation(tl) {
		t.Error("no Reservation is in the audit log, so there was nothing to steal")
	}
}

// story is an application of which the driver runs, and plain pods that want its
// executors' room. The names of all its pods begin with its own.
type story struct {
	*testing.T
	ctx  context.Context
	c    *testcluster.Cluster
	name string
}

func begin(ctx context.Context, t *testing.T, c *testcluster.Cluster, name string) *story {
	t.Helper()
	s := &story{t, ctx, c, name}
	app := testcluster.SparkApp{Name: name, Executors: executors, Works: 2 * time.Second, StartDelay: 6 * time.Second}
	s.must(c.SubmitSpark(ctx, app))
	s.await("the driver runs", 1, testcluster.And(testcluster.IsDriver, testcluster.Running))
	return s
}

func (s *story) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// await waits until so many pods of the story match.
func (s *story) await(what string, count int, matches func(*corev1.Pod) bool) {
	s.Helper()
	s.must(s.c.Pods.Await(s.ctx, what, func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.And(s.owns, matches)) == count
	}))
}

func (s *story) owns(pod *corev1.Pod) bool { return strings.HasPrefix(pod.Name, s.name) }

func (s *story) createPlainPods() {
	s.Helper()
	for i := range plain {
		s.must(s.c.CreatePod(s.ctx, s.c.Pod(fmt.Sprintf("%s-plain-%d", s.name, i), 1, 0)))
	}
}

// finish waits until the application has finished and the plain pods run, and
// clears the cluster for the next story.
func (s *story) finish() {
	s.Helper()
	s.await("the application has finished", 1, testcluster.And(testcluster.IsDriver, testcluster.Succeeded))
	s.await("all plain pods run", plain, testcluster.And(isPlain, testcluster.Running))
	now := metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)}
	for _, pod := range s.c.Pods.List(s.owns) {
		err := s.c.Client().CoreV1().Pods(pod.Namespace).Delete(s.ctx, pod.Name, now)
		if !apierrors.IsNotFound(err) {
			s.must(err)
		}
	}
	s.await("its pods are gone", 0, s.owns)
}

// requireOthersBehind requires that before the last executor of an application only
// those plain pods were bound that fit beside it.
func requireOthersBehind(t *testing.T, tl *audit.Timeline, app string) {
	t.Helper()
	last := time.Time{}
	for _, pod := range tl.Pods {
		if strings.HasPrefix(pod.Name, app) && pod.Labels["spark-role"] == "executor" && pod.Bound.By.After(last) {
			last = pod.Bound.By
		}
	}
	early := 0
	for _, pod := range tl.Pods {
		if strings.HasPrefix(pod.Name, app+"-plain-") && pod.Bound.Known() && pod.Bound.By.Before(last) {
			early++
		}
	}
	if early != spare {
		t.Errorf("%d plain pods were bound before the last executor of %s, want the %d that fit beside it", early, app, spare)
	}
}

func isPlain(pod *corev1.Pod) bool { return strings.Contains(pod.Name, "-plain-") }

func holdsReservation(tl *audit.Timeline) bool {
	for _, object := range tl.Objects {
		if object.Resource == "reservations" {
			return true
		}
	}
	return false
}
