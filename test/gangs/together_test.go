package gangs

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/test/testcluster"
)

const rackLabel = "example.com/rack"

// inOneRack has gangs that must each be in one rack. In the first rack there is room
// for three members beside a single pod, in the second for four.
func inOneRack(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	racks, err := labelRacks(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	alone := c.Pod("alone", 3, 0)
	alone.Spec.NodeSelector = map[string]string{rackLabel: "first"}
	if err := c.CreatePod(ctx, alone); err != nil {
		t.Fatal(err)
	}
	err = c.Pods.Await(ctx, "the single pod runs", func(pods []*corev1.Pod) bool { return bound(pods, "alone") == 1 })
	if err != nil {
		t.Fatal(err)
	}
	for _, gang := range []struct {
		name, rack string
		members    int
	}{{"four", "second", 4}, {"three", "first", 3}} {
		if err := createTogether(ctx, c, gang.name, gang.members); err != nil {
			t.Fatal(err)
		}
		err := c.Pods.Await(ctx, gang.name+" have a node", func(pods []*corev1.Pod) bool { return bound(pods, gang.name+"-") == gang.members })
		if err != nil {
			t.Fatal(err)
		}
		for _, pod := range c.Pods.List(func(p *corev1.Pod) bool { return strings.HasPrefix(p.Name, gang.name+"-") }) {
			if got := racks[pod.Spec.NodeName]; got != gang.rack {
				t.Errorf("%s runs in the %s rack, want the %s", pod.Name, got, gang.rack)
			}
		}
	}
	if err := c.Client().CoreV1().Pods(testcluster.Namespace).Delete(ctx, "alone", metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// labelRacks puts half of the nodes into each of two racks.
func labelRacks(ctx context.Context, c *testcluster.Cluster) (map[string]string, error) {
	nodes, err := c.Client().CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	racks := map[string]string{}
	for i, n := range nodes.Items {
		racks[n.Name] = []string{"first", "second"}[2*i/len(nodes.Items)]
		patch := fmt.Appendf(nil, `{"metadata":{"labels":{%q:%q}}}`, rackLabel, racks[n.Name])
		if _, err := c.Client().CoreV1().Nodes().Patch(ctx, n.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return nil, err
		}
	}
	return racks, nil
}

func createTogether(ctx context.Context, c *testcluster.Cluster, name string, members int) error {
	meta := metav1.ObjectMeta{Name: name, Annotations: map[string]string{v1alpha1.RequiredTopologyAnnotation: rackLabel}}
	if err := createPodGroup(ctx, c, meta, gangOf(members)); err != nil {
		return err
	}
	return createPods(ctx, c, name, members, 2, runs)
}

// bound counts the pods of a name that have a node.
func bound(pods []*corev1.Pod, prefix string) int {
	return testcluster.Count(pods, func(p *corev1.Pod) bool { return strings.HasPrefix(p.Name, prefix) && testcluster.Bound(p) })
}
