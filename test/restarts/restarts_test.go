// Package restarts tells that gangs stay whole when the scheduler and the control
// plane are killed at random moments.
package restarts

import (
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
	gangs   = 40
	members = 4
	kills   = 6
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

func TestGangsStayWholeWhateverIsKilledWhenever(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 4, Shape: "cpu=11,memory=64Gi"})
	random := rand.New(rand.NewPCG(seed(t), 0))
	var groups []testcluster.PodGroup
	for i := range gangs {
		groups = append(groups, testcluster.PodGroup{Name: fmt.Sprintf("g%02d", i), Members: members, CPUs: 2, Runs: time.Second})
	}
	if err := c.CreatePodGroups(ctx, groups...); err != nil {
		t.Fatal(err)
	}
	share := gangs * members / kills
	for i := range kills {
		// Somewhere in this share of the binds, so also within a gang.
		moment := i*share + 1 + random.IntN(share-1)
		err := c.Pods.Await(ctx, fmt.Sprintf("%d pods are bound", moment), func(pods []*corev1.Pod) bool {
			return testcluster.Count(pods, testcluster.Bound) >= moment
		})
		if err != nil {
			t.Fatal(err)
		}
		component := []string{testcluster.MusterComponent, "control-plane"}[random.IntN(2)]
		t.Logf("killing %s at bind %d", component, moment)
		if err := c.Outage(ctx, component); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Pods.Await(ctx, "all members have ended", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.Ended) == gangs*members
	}); err != nil {
		t.Error(err)
	}
	c.RequireNoFault(t, 0)
}
