package kubeletoracle

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/k8stopologyawareschedwg/noderesourcetopology-api/pkg/generated/clientset/versioned"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"
	"k8s.io/utils/ptr"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
	"muster.sh/muster/test/testcluster"
)

// The pods of a story, for which four nodes have room in about four turns. Users
// leave a few of them waiting before they come with more.
const (
	hosts      = 4
	pods       = 60
	fewWaiting = 8
	seed       = 1
)

func TestMusterBindsNoPodThatItsKubeletRefuses(t *testing.T) {
	ctx, c := play(t, testcluster.Muster)
	tooLarge(ctx, t, c)
	submitAll(ctx, t, c)
	c.RequireNoFault(t, 0)
	if n := refusals(t, c); n > 0 {
		t.Errorf("kubelets have refused %d pods", n)
	}
	if n := testcluster.Count(c.Pods.List(nil), testcluster.Succeeded); n != pods {
		t.Errorf("%d of %d pods have run", n, pods)
	}
}

// TestKubeletsRefusePodsOfTheDefaultScheduler proves that the other test would notice.
func TestKubeletsRefusePodsOfTheDefaultScheduler(t *testing.T) {
	ctx, c := play(t, testcluster.DefaultScheduler)
	submitAll(ctx, t, c)
	if refusals(t, c) == 0 {
		t.Error("no kubelet has refused a pod: they fit whoever schedules them")
	}
}

// play starts a cluster whose nodes are played.
func play(t *testing.T, scheduler string) (context.Context, *testcluster.Cluster) {
	t.Helper()
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: scheduler, Manifest: definition(t)})
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

// definition is the one of NodeResourceTopology that comes with its types.
func definition(t *testing.T) []byte {
	t.Helper()
	const module = "github.com/k8stopologyawareschedwg/noderesourcetopology-api"
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("find module %s: %v", module, err)
	}
	manifest, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "manifests", "crd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return manifest
}

// tooLarge submits a pod for which every node has room, and no zone. That it says so
// also tells that the scheduler knows all zones.
func tooLarge(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	t.Helper()
	const name = "large"
	pod := c.Pod(name, 0, 0)
	asks := resource.Vector{MilliCPU: 9000, Memory: gib}
	kind{guaranteed, numa.Demand{Pinned: true, Containers: []numa.Claim{{Asks: asks}}}}.fill(pod)
	if err := c.CreatePod(ctx, pod); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%d %s", hosts, gang.Unaligned)
	err := c.Pods.Await(ctx, "a pod that is too large for a zone says so", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, func(p *corev1.Pod) bool {
			return p.Name == name && strings.Contains(unscheduled(p), want)
		}) == 1
	})
	if err != nil {
		t.Fatal(err)
	}
	now := metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)}
	if err := c.Client().CoreV1().Pods(pod.Namespace).Delete(ctx, name, now); err != nil {
		t.Fatal(err)
	}
}

// unscheduled is why a pod has no node.
func unscheduled(p *corev1.Pod) string {
	for _, condition := range p.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return condition.Message
		}
	}
	return ""
}

// submitAll lets all pods come, and waits until they have ended.
func submitAll(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	t.Helper()
	for _, u := range units(seed, pods) {
		err := c.Pods.Await(ctx, "few pods wait", func(pods []*corev1.Pod) bool {
			return len(pods)-testcluster.Count(pods, testcluster.Bound) < fewWaiting
		})
		if err == nil {
			err = u.submit(ctx, c)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	err := c.Pods.Await(ctx, "all pods have ended", func(all []*corev1.Pod) bool {
		return testcluster.Count(all, testcluster.Ended) == pods
	})
	if err != nil {
		t.Fatal(err)
	}
}

// refusals counts and tells the pods that kubelets have refused for their zones.
func refusals(t *testing.T, c *testcluster.Cluster) int {
	t.Helper()
	all := c.Pods.List(nil)
	n := testcluster.Count(all, func(p *corev1.Pod) bool { return p.Status.Reason == topologymanager.ErrorTopologyAffinity })
	t.Logf("%s: of %d pods %d have run, kubelets have refused %d", c.Scheduler, len(all), testcluster.Count(all, testcluster.Succeeded), n)
	return n
}
