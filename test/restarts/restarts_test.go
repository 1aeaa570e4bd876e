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
	gangs     = 24
	members   = 4
	apps      = 10
	executors = 3
	kills     = 5
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

// workload is PodGroups and Spark applications, mixed, on room for a sixth of them.
func workload() (groups []testcluster.PodGroup, applications []testcluster.SparkApp) {
	for i := range gangs {
		groups = append(groups, testcluster.PodGroup{Name: fmt.Sprintf("g%02d", i), Members: members, CPUs: 2, Runs: time.Second})
	}
	for i := range apps {
		applications = append(applications, testcluster.SparkApp{
			Name: fmt.Sprintf("app%02d", i), Executors: executors, Works: time.Second, StartDelay: time.Second,
		})
	}
	return groups, applications
}

// stays selects the pods whose objects stay when they have ended: members and
// drivers, but not executors.
func stays(pod *corev1.Pod) bool { return !testcluster.IsExecutor(pod) }

const lasting = gangs*members + apps

func TestGangsStayWholeWhateverIsKilledWhenever(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 4, Shape: "cpu=11,memory=64Gi"})
	random := rand.New(rand.NewPCG(seed(t), 0))
	c.PlaySpark(ctx, t)
	groups, applications := workload()
	if err := errors.Join(c.CreatePodGroups(ctx, groups...), c.SubmitSpark(ctx, applications...)); err != nil {
		t.Fatal(err)
	}
	share := lasting / kills
	for i := range kills {
		// Somewhere in this share of the binds, so also within a gang.
		moment := i*share + 1 + random.IntN(share-1)
		component := []string{testcluster.MusterComponent, testcluster.ControlPlane}[random.IntN(2)]
		if err := c.Pods.Await(ctx, fmt.Sprintf("%d pods are bound", moment), func(pods []*corev1.Pod) bool {
			return testcluster.Count(pods, testcluster.And(stays, testcluster.Bound)) >= moment
		}); err != nil {
			t.Fatal(err)
		}
		t.Logf("killing %s at bind %d", component, moment)
		if err := c.Outage(ctx, component); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Pods.Await(ctx, "all members and drivers have ended", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.And(stays, testcluster.Succeeded)) == lasting
	}); err != nil {
		t.Error(err)
	}
	c.RequireNoFault(t, executors)
}
