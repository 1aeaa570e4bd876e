package testcluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/scheduler/gang"
)

// ZonesDefinition is the definition of NodeResourceTopology that comes with its types.
func ZonesDefinition(t *testing.T) []byte {
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

// RequireUnaligned submits a pod for which so many nodes have room, and none of their
// zones. That it says so also tells that the scheduler knows all zones. Then it is
// deleted.
func (c *Cluster) RequireUnaligned(ctx context.Context, t *testing.T, pod *corev1.Pod, nodes int) {
	t.Helper()
	if err := c.CreatePod(ctx, pod); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%d %s", nodes, gang.Unaligned)
	err := c.Pods.Await(ctx, "a pod that is too large for a zone says so", func(pods []*corev1.Pod) bool {
		return Count(pods, func(p *corev1.Pod) bool {
			return p.Name == pod.Name && strings.Contains(unscheduled(p), want)
		}) == 1
	})
	if err != nil {
		t.Fatal(err)
	}
	now := metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)}
	if err := c.Client().CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, now); err != nil {
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

// TopologyAffinityError is the reason of pods that a kubelet has refused for their zones. It
// is the kubelet's own word, which is too much to link into every story.
const TopologyAffinityError = "TopologyAffinityError"

// Refused reports whether a kubelet has refused a pod for its zones.
func Refused(p *corev1.Pod) bool { return p.Status.Reason == TopologyAffinityError }

// RequireAllRan fails the test if anything was wrong, or not all pods of a stream have
// run, of which kubelets may have refused none.
func (c *Cluster) RequireAllRan(t *testing.T, pods int) {
	t.Helper()
	c.RequireNoFault(t, 0)
	if n := c.CountRefused(t); n > 0 {
		t.Errorf("kubelets have refused %d pods", n)
	}
	if n := Count(c.Pods.List(nil), Succeeded); n != pods {
		t.Errorf("%d of %d pods have run", n, pods)
	}
}

// CountRefused counts the pods that kubelets have refused for their zones, and tells
// what became of the others.
func (c *Cluster) CountRefused(t *testing.T) int {
	t.Helper()
	all := c.Pods.List(nil)
	n := Count(all, Refused)
	t.Logf("%s: of %d pods %d have run, kubelets have refused %d", c.Scheduler, len(all), Count(all, Succeeded), n)
	return n
}
