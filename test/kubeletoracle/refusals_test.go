package kubeletoracle

import (
	"context"
	"sync"
	"testing"

	"github.com/k8stopologyawareschedwg/noderesourcetopology-api/pkg/generated/clientset/versioned"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"

	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
	"muster.sh/muster/test/testcluster"
)

// The pods of a story, for which four nodes have room in about four turns.
const (
	hosts = 4
	pods  = 60
	seed  = 1
)

func TestTheKubeletsWord(t *testing.T) {
	if got, want := testcluster.TopologyAffinityError, topologymanager.ErrorTopologyAffinity; got != want {
		t.Errorf("stories look for pods that are refused with %q, the kubelet says %q", got, want)
	}
}

func TestMusterBindsNoPodThatItsKubeletRefuses(t *testing.T) {
	ctx, c := play(t, testcluster.Muster)
	c.RequireUnaligned(ctx, t, tooLarge(c), hosts)
	c.Stream(ctx, t, groups(seed, pods))
	c.RequireAllRan(t, pods)
}

// TestKubeletsRefusePodsOfTheDefaultScheduler proves that the other test would notice.
func TestKubeletsRefusePodsOfTheDefaultScheduler(t *testing.T) {
	ctx, c := play(t, testcluster.DefaultScheduler)
	c.Stream(ctx, t, groups(seed, pods))
	if c.CountRefused(t) == 0 {
		t.Error("no kubelet has refused a pod: they fit whoever schedules them")
	}
}

// play starts a cluster whose nodes are played.
func play(t *testing.T, scheduler string) (context.Context, *testcluster.Cluster) {
	t.Helper()
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: scheduler, Manifest: testcluster.ZonesDefinition(t)})
	reports, err := versioned.NewForConfig(c.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	t.Cleanup(func() {
		stop()
		all.Wait()
	})
	for i := range hosts {
		h := newHost(t, c.Client(), reports, i)
		if err := h.register(ctx); err != nil {
			t.Fatal(err)
		}
		all.Go(func() { h.run(running) })
	}
	return ctx, c
}

// tooLarge is a pod for which every node has room, and no zone.
func tooLarge(c *testcluster.Cluster) *corev1.Pod {
	pod := c.Pod("large", 0, 0)
	asks := resource.Vector{MilliCPU: 9000, Memory: gib}
	kind{guaranteed, numa.Demand{Pinned: true, Containers: []numa.Claim{{Asks: asks}}}}.fill(pod)
	return pod
}
