package gangs

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"
	network "volcano.sh/apis/pkg/apis/topology/v1alpha1"

	"muster.sh/muster/test/testcluster"
)

var hyperNodes = network.SchemeGroupVersion.WithResource("hypernodes")

// connect puts the first two nodes under one switch, the last two under another, and
// these under a third.
func (s *story) connect() {
	s.Helper()
	s.hyperNode("left", 1, network.MemberTypeNode, s.node[0], s.node[1])
	s.hyperNode("right", 1, network.MemberTypeNode, s.node[2], s.node[3])
	s.hyperNode("spine", 2, network.MemberTypeHyperNode, "left", "right")
}

func (s *story) hyperNode(name string, tier int, of network.MemberType, members ...string) {
	s.Helper()
	h := &network.HyperNode{
		TypeMeta:   metav1.TypeMeta{APIVersion: network.SchemeGroupVersion.String(), Kind: "HyperNode"},
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: network.HyperNodeSpec{Tier: tier},
	}
	for _, member := range members {
		by := network.MemberSelector{ExactMatch: &network.ExactMatch{Name: member}}
		h.Spec.Members = append(h.Spec.Members, network.MemberSpec{Type: of, Selector: by})
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(h)
	s.must(err)
	_, err = s.Dynamic.Resource(hyperNodes).Create(s.ctx, &unstructured.Unstructured{Object: object}, metav1.CreateOptions{})
	s.must(err)
}

func near(mode volcano.NetworkTopologyMode) *volcano.NetworkTopologySpec {
	return &volcano.NetworkTopologySpec{Mode: mode, HighestTierAllowed: ptr.To(1)}
}

func together(mode volcano.NetworkTopologyMode) func(*volcano.PodGroupSpec) {
	return func(spec *volcano.PodGroupSpec) { spec.NetworkTopology = near(mode) }
}

// Three nodes have room for a member each, two of them under one switch.
func tooWide(s *story) {
	s.connect()
	s.occupy(1)
	gang := testcluster.PodGroup{Name: "wide", Members: 3, CPUs: 3, Ask: together(volcano.HardNetworkTopologyMode)}
	s.must(s.CreatePodGroups(s.ctx, gang))
	s.says(gang, "2 of 3 default placed", "they must be together in one HyperNode of tier 1, and of 2 the roomiest is")
	more := []byte(`{"spec":{"networkTopology":{"highestTierAllowed":2}}}`)
	_, err := s.Dynamic.Resource(testcluster.PodGroups).Namespace(testcluster.Namespace).Patch(s.ctx, gang.Name, types.MergePatchType, more, metav1.PatchOptions{})
	s.must(err)
	s.require(s.placed(gang), map[int]int{0: 1, 2: 1, 3: 1})
}

// The first node with room is under another switch than the other two.
func inOnePart(s *story) {
	s.occupy(1)
	on := s.start(testcluster.PodGroup{Name: "near", Members: 2, CPUs: 3, Ask: together(volcano.HardNetworkTopologyMode)})
	s.require(on, map[int]int{2: 1, 3: 1})
}

func preferred(s *story) {
	s.occupy(1)
	gang := testcluster.PodGroup{Name: "two", Members: 2, CPUs: 3, Runs: time.Second, Ask: together(volcano.SoftNetworkTopologyMode)}
	s.require(s.start(gang), map[int]int{2: 1, 3: 1})
	gang.Name, gang.Members = "three", 3
	s.require(s.start(gang), map[int]int{0: 1, 2: 1, 3: 1})
}

// staged is a gang in sub-groups, of each of which the members must be near.
func staged(name string, members, groups int) testcluster.PodGroup {
	created := 0
	return testcluster.PodGroup{
		Name: name, Members: members, CPUs: 2,
		Change: func(p *corev1.Pod) {
			p.Labels = map[string]string{"stage": fmt.Sprint(created % groups)}
			created++
		},
		Ask: func(spec *volcano.PodGroupSpec) {
			spec.SubGroupPolicy = []volcano.SubGroupPolicySpec{{
				Name: "stages", MatchLabelKeys: []string{"stage"}, LabelSelector: &metav1.LabelSelector{},
				MinSubGroups: ptr.To(int32(groups)), SubGroupSize: ptr.To(int32(members / groups)),
				NetworkTopology: near(volcano.HardNetworkTopologyMode),
			}}
		},
	}
}

// Each switch has room for two members on one node, and for one on the other.
func subGroups(s *story) {
	s.occupy(1, 3)
	gang := staged("staged", 6, 2)
	s.require(s.start(gang), map[int]int{0: 2, 1: 1, 2: 2, 3: 1})
	under := map[string]string{}
	for _, p := range s.Pods.List(func(p *corev1.Pod) bool { return testcluster.MemberOf(p, gang.Name) }) {
		at := "left"
		if p.Spec.NodeName == s.node[2] || p.Spec.NodeName == s.node[3] {
			at = "right"
		}
		if stage := p.Labels["stage"]; under[stage] == "" {
			under[stage] = at
		} else if under[stage] != at {
			s.Errorf("stage %s is under both switches", stage)
		}
	}
}

// Each switch has room for four members.
func largeSubGroup(s *story) {
	gang := staged("large", 5, 1)
	s.must(s.CreatePodGroups(s.ctx, gang))
	s.says(gang, "4 of 5 stages/0 placed", "they must be together in one HyperNode of tier 1")
}
