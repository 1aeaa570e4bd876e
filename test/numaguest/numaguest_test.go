// Package numaguest proves on a real kubelet what test/kubeletoracle proves on the
// kubelet's code: on a virtual machine with two NUMA nodes it refuses pods of the default
// scheduler for their zones, and none of Muster's.
package numaguest

import (
	"context"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/test/testcluster"
)

const (
	pods = 60
	seed = 1
)

// emulate is the environment variable that lets the stories be played.
const emulate = "MUSTER_EMULATE"

// storyTimeout bounds a story, most of which runs emulated.
const storyTimeout = 45 * time.Minute

func TestMusterBindsNoPodThatTheKubeletRefuses(t *testing.T) {
	ctx, c := start(t, testcluster.Muster)
	programs := buildPrograms(ctx, t)
	addExporter(ctx, t, programs)
	startGuest(ctx, t, c, programs)
	startExporter(ctx, t, c)
	c.RequireUnaligned(ctx, t, tooLarge(c), 1)
	c.Stream(ctx, t, groups(seed, pods))
	c.RequireAllRan(t, pods)
}

// TestTheKubeletRefusesPodsOfTheDefaultScheduler proves that the other test would notice.
func TestTheKubeletRefusesPodsOfTheDefaultScheduler(t *testing.T) {
	ctx, c := start(t, testcluster.DefaultScheduler)
	startGuest(ctx, t, c, buildPrograms(ctx, t))
	c.Stream(ctx, t, groups(seed, pods))
	if c.CountRefused(t) == 0 {
		t.Error("the kubelet has refused no pod: they fit whoever schedules them")
	}
}

// start starts a cluster whose only node will be the guest.
func start(t *testing.T, scheduler string) (context.Context, *testcluster.Cluster) {
	t.Helper()
	if os.Getenv(emulate) == "" {
		t.Skipf("it takes minutes to emulate a machine: make test-numa does, or $%s=1", emulate)
	}
	if missing := localcluster.MissingForGuests(t.Context()); len(missing) > 0 {
		t.Skip(missing)
	}
	return testcluster.Start(t, testcluster.Spec{Scheduler: scheduler, Timeout: storyTimeout, Manifest: exporterObjects(t)})
}

// tooLarge is a pod for which the node has room, and no zone.
func tooLarge(c *testcluster.Cluster) *corev1.Pod {
	pod := c.Pod("large", 0, 0)
	pod.Spec.Containers = []corev1.Container{worker("main", time.Second, 5, 0, 1<<28)}
	return pod
}
