// Package restarts tells that gangs stay whole when the scheduler and the control
// plane are killed at random moments.
package restarts

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/test/testcluster"
)

const (
	members   = 4
	executors = 3
)

// seed is random unless $MUSTER_TEST_SEED repeats an earlier run.
func seed(t *testing.T) uint64 {
	s := rand.Uint64()
	if text := os.Getenv("MUSTER_TEST_SEED"); text != "" {
		var err error
		if s, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("MUSTER_TEST_SEED: %v", err)
		}
	}
	t.Logf("MUSTER_TEST_SEED=%d", s)
	return s
}

// story is what is played: a mix of PodGroups and Spark applications that the
// cluster has room for a few of at a time, while one of the victims is killed
// again and again.
type story struct {
	gangs, apps, kills int
	victims            []string
}

func (s story) workload() (groups []testcluster.PodGroup, applications []testcluster.SparkApp) {
	for i := range s.gangs {
		groups = append(groups, testcluster.PodGroup{Name: fmt.Sprintf("g%02d", i), Members: members, CPUs: 2, Runs: time.Second})
	}
	for i := range s.apps {
		applications = append(applications, testcluster.SparkApp{
			Name: fmt.Sprintf("app%02d", i), Executors: executors, Works: time.Second, StartDelay: time.Second,
		})
	}
	return groups, applications
}

// lasting selects the pods whose objects stay when they have ended: members and
// drivers, but not executors.
func lasting(pod *corev1.Pod) bool { return !testcluster.IsExecutor(pod) }

func (s story) lasting() int { return s.gangs*members + s.apps }

func (s story) play(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 4, Shape: "cpu=11,memory=64Gi"})
	random := rand.New(rand.NewPCG(seed(t), 0))
	c.PlaySpark(ctx, t)
	groups, applications := s.workload()
	if err := errors.Join(c.CreatePodGroups(ctx, groups...), c.SubmitSpark(ctx, applications...)); err != nil {
		t.Fatal(err)
	}
	share := s.lasting() / s.kills
	for i := range s.kills {
		// Somewhere in this share of the binds, so also within a gang.
		moment := i*share + 1 + random.IntN(share-1)
		if err := c.Pods.Await(ctx, fmt.Sprintf("%d pods are bound", moment), func(pods []*corev1.Pod) bool {
			return testcluster.Count(pods, testcluster.And(lasting, testcluster.Bound)) >= moment
		}); err != nil {
			t.Fatal(err)
		}
		victim := s.victims[random.IntN(len(s.victims))]
		t.Logf("killing %s at bind %d", victim, moment)
		if err := c.Outage(ctx, victim); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Pods.Await(ctx, "all members and drivers have ended", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.And(lasting, testcluster.Succeeded)) == s.lasting()
	}); err != nil {
		t.Error(err)
	}
	c.RequireNoFault(t, executors)
}

func TestGangsStayWholeWheneverTheSchedulerIsKilled(t *testing.T) {
	story{gangs: 20, apps: 10, kills: 6, victims: []string{testcluster.MusterComponent}}.play(t)
}

func TestGangsStayWholeWheneverTheControlPlaneIsKilledToo(t *testing.T) {
	story{gangs: 12, apps: 6, kills: 3, victims: []string{testcluster.ControlPlane, testcluster.MusterComponent}}.play(t)
}
