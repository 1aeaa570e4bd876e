package source

import (
	"fmt"
	"reflect"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"
	network "volcano.sh/apis/pkg/apis/topology/v1alpha1"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

func exactly(of network.MemberType, names ...string) []network.MemberSpec {
	var out []network.MemberSpec
	for _, name := range names {
		out = append(out, network.MemberSpec{Type: of, Selector: network.MemberSelector{ExactMatch: &network.ExactMatch{Name: name}}})
	}
	return out
}

// hyper is a HyperNode.
func hyper(t *testing.T, c *collector, name string, tier int, members ...network.MemberSpec) {
	t.Helper()
	h := &network.HyperNode{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: network.HyperNodeSpec{Tier: tier, TierName: fmt.Sprint("t", tier), Members: members}}
	c.setHyperNode(object(t, h, network.SchemeGroupVersion.WithKind("HyperNode")))
}

// fourNodes has two leaf switches of two nodes, under one spine, and a node beside.
func fourNodes(t *testing.T) *collector {
	c := newCollector(settings{schedulerName: "muster"})
	for i := range 5 {
		c.setNode(&v1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("n", i), Labels: map[string]string{"rack": fmt.Sprint(i / 2)}}})
	}
	hyper(t, c, "leaf0", 1, exactly(network.MemberTypeNode, "n0", "n1")...)
	hyper(t, c, "leaf1", 1, network.MemberSpec{Type: network.MemberTypeNode, Selector: network.MemberSelector{
		LabelMatch: &metav1.LabelSelector{MatchLabels: map[string]string{"rack": "1"}}}})
	hyper(t, c, "spine", 3, network.MemberSpec{Type: network.MemberTypeHyperNode, Selector: network.MemberSelector{RegexMatch: &network.RegexMatch{Pattern: "^leaf"}}})
	c.replayed(nil)
	return c
}

// told is what has been told last of each node.
func told(c *collector, known map[string]core.NodeSet) map[string]core.NodeSet {
	events, _ := c.take()
	for _, e := range events {
		if n, is := e.(core.NodeSet); is {
			known[n.Node.Name] = n
		}
	}
	return known
}

func TestNodesAreFoundInTheNetwork(t *testing.T) {
	c := fourNodes(t)
	known := told(c, map[string]core.NodeSet{})
	want := map[string]map[string]string{
		"n0": {"HyperNode of tier 1": "leaf0", "HyperNode of tier 3": "spine"},
		"n3": {"HyperNode of tier 1": "leaf1", "HyperNode of tier 3": "spine"},
		"n4": nil,
	}
	for name, at := range want {
		if got := known[name].Node.Tiers; !reflect.DeepEqual(got, at) {
			t.Errorf("%s is in %v, want %v", name, got, at)
		}
	}
	// A node that comes later, and a part of the network that goes.
	c.setNode(&v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n5", Labels: map[string]string{"rack": "1"}}})
	if got := told(c, known)["n5"].Node.Tiers["HyperNode of tier 1"]; got != "leaf1" {
		t.Errorf("a new node is in %q", got)
	}
	hyperNodes.none(c)
	if got := told(c, known)["n0"].Node.Tiers; got != nil {
		t.Errorf("without HyperNodes it is in %v", got)
	}
}

func TestHyperNodesThatContainEachOtherEndNothing(t *testing.T) {
	c := fourNodes(t)
	hyper(t, c, "leaf0", 1, append(exactly(network.MemberTypeNode, "n0"), exactly(network.MemberTypeHyperNode, "spine")...)...)
	if got := told(c, map[string]core.NodeSet{})["n0"].Node.Tiers["HyperNode of tier 1"]; got != "leaf0" {
		t.Errorf("n0 is in %q", got)
	}
}

func TestAHyperNodeThatCannotBeReadIsToldAndLeftOut(t *testing.T) {
	c := fourNodes(t)
	told(c, map[string]core.NodeSet{})
	hyper(t, c, "leaf0", 1, network.MemberSpec{Type: network.MemberTypeNode, Selector: network.MemberSelector{RegexMatch: &network.RegexMatch{Pattern: "("}}})
	events, errands := c.take()
	if len(errands) != 1 || errands[0].(complaint).object != "leaf0" {
		t.Errorf("errands: %+v", errands)
	}
	if n, is := events[0].(core.NodeSet); !is || n.Node.Tiers != nil {
		t.Errorf("told: %+v", events)
	}
}

func TestNearByTiers(t *testing.T) {
	tiers := []tier{{1, "leaf"}, {2, ""}, {3, "spine"}}
	two, zero := 2, 0
	one := []string{"HyperNode of tier 1"}
	for name, c := range map[string]struct {
		spec volcano.NetworkTopologySpec
		want gang.Topology
	}{
		"hard":             {volcano.NetworkTopologySpec{Mode: volcano.HardNetworkTopologyMode, HighestTierAllowed: &two}, gang.Topology{Levels: append(one, "HyperNode of tier 2"), Required: true}},
		"hard by default":  {volcano.NetworkTopologySpec{HighestTierName: "leaf"}, gang.Topology{Levels: one, Required: true}},
		"soft":             {volcano.NetworkTopologySpec{Mode: volcano.SoftNetworkTopologyMode}, gang.Topology{Levels: append(one, "HyperNode of tier 2", "HyperNode of tier 3")}},
		"an unknown name":  {volcano.NetworkTopologySpec{HighestTierName: "pod"}, gang.Topology{Levels: []string{`HyperNode of tier "pod"`}, Required: true}},
		"below all tiers":  {volcano.NetworkTopologySpec{HighestTierAllowed: &zero}, gang.Topology{Levels: []string{"HyperNode of tier 0"}, Required: true}},
		"soft, below them": {volcano.NetworkTopologySpec{Mode: volcano.SoftNetworkTopologyMode, HighestTierAllowed: &zero}, gang.Topology{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := nearByTiers(&c.spec, tiers); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestAGroupFollowsTheTiersThatThereAre(t *testing.T) {
	c := fourNodes(t)
	p := newPod("p")
	p.Annotations = map[string]string{volcano.KubeGroupNameAnnotationKey: "g"}
	p.Spec.SchedulerName = "muster"
	c.setPod(p)
	spec := volcano.PodGroupSpec{MinMember: 2, NetworkTopology: &volcano.NetworkTopologySpec{Mode: volcano.SoftNetworkTopologyMode}}
	c.setGroup(volcanoGroups.declaration(object(t, newPodGroup("g", spec), volcano.SchemeGroupVersion.WithKind("PodGroup"))))
	levels := func() (out []string) {
		events, _ := c.take()
		for _, e := range events {
			if g, is := e.(core.GangSet); is {
				out = g.Gang.Topology.Levels
			}
		}
		return out
	}
	if got, want := levels(), []string{"HyperNode of tier 1", "HyperNode of tier 3"}; !reflect.DeepEqual(got, want) {
		t.Errorf("levels %v, want %v", got, want)
	}
	hyper(t, c, "core", 4, exactly(network.MemberTypeHyperNode, "spine")...)
	if got := levels(); len(got) != 3 || got[2] != "HyperNode of tier 4" {
		t.Errorf("levels %v once there is one more tier", got)
	}
}
