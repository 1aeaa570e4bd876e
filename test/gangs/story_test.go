package gangs

import (
	"context"
	"maps"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/test/testcluster"
)

// story is of Volcano's PodGroups, and where their members go.
type story struct {
	*testing.T
	*testcluster.Cluster
	ctx context.Context
	// node has the nodes, in order of their names.
	node []string
}

// stories clears the cluster before each of them.
func stories(ctx context.Context, t *testing.T, c *testcluster.Cluster) {
	nodes, err := c.Client().CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all := story{Cluster: c, ctx: ctx}
	for _, n := range nodes.Items {
		all.node = append(all.node, n.Name)
	}
	for _, of := range []struct {
		name string
		play func(*story)
	}{
		// The first also waits until the network is known.
		{"a gang that no part of the network has room for waits until more is allowed", tooWide},
		{"a gang goes into one part of the network", inOnePart},
		{"a gang that prefers one part goes anywhere where none has room", preferred},
		{"each sub-group goes into a part of the network of its own", subGroups},
		{"a sub-group that no part of the network has room for waits", largeSubGroup},
		{"members go where the strategy has them", strategies},
		{"members that have CPUs to themselves go where a zone has enough", zones},
	} {
		t.Run(of.name, func(t *testing.T) {
			s := all
			s.T = t
			s.must(s.Clear(ctx))
			of.play(&s)
		})
	}
	if err := c.Clear(ctx); err != nil {
		t.Fatal(err)
	}
}

func (s *story) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// start creates a gang, waits until it is placed, and returns how many of its members
// each node has, by the number of the node.
func (s *story) start(g testcluster.PodGroup) map[int]int {
	s.Helper()
	s.must(s.CreatePodGroups(s.ctx, g))
	return s.placed(g)
}

func (s *story) placed(g testcluster.PodGroup) map[int]int {
	s.Helper()
	placed, err := s.AwaitPlaced(s.ctx, g.Name, g.Members)
	s.must(err)
	on := map[int]int{}
	for i, name := range s.node {
		if n := placed[name]; n > 0 {
			on[i] = n
		}
	}
	return on
}

func (s *story) require(on, want map[int]int) {
	s.Helper()
	if !maps.Equal(on, want) {
		s.Errorf("members by node: %v, want %v", on, want)
	}
}

// says waits until a gang says why it waits.
func (s *story) says(g testcluster.PodGroup, why ...string) {
	s.Helper()
	s.must(s.Await(s.ctx, testcluster.PodGroups, g.Name, "it says why it waits", testcluster.Says(why...)))
}

// occupy takes three of the five CPUs of nodes.
func (s *story) occupy(nodes ...int) {
	s.Helper()
	for _, i := range nodes {
		s.start(testcluster.PodGroup{Name: "on-" + s.node[i], Members: 1, CPUs: 3, Change: s.onto(i)})
	}
}

// onto keeps a pod to a node.
func (s *story) onto(i int) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{corev1.LabelHostname: s.node[i]} }
}

func (s *story) patchStatus(i int, patch string) {
	s.Helper()
	_, err := s.Client().CoreV1().Nodes().Patch(s.ctx, s.node[i], types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
	s.must(err)
}
