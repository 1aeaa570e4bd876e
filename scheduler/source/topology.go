package source

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/gang"
)

// topology reads how near to each other the members of a gang are to be from the
// annotations of its owner. The label that is preferred comes first: it is the
// nearer one where both are given.
func topology(annotations map[string]string) (gang.Topology, error) {
	var t gang.Topology
	for _, key := range []string{v1alpha1.PreferredTopologyAnnotation, v1alpha1.RequiredTopologyAnnotation} {
		label, ok := annotations[key]
		if !ok {
			continue
		}
		if errs := validation.IsQualifiedName(label); len(errs) > 0 {
			return t, fmt.Errorf("the annotation %s=%.64q is not the key of a node label (%s); set it to one such as topology.kubernetes.io/zone", key, label, errs[0])
		}
		t.Levels = append(t.Levels, label)
		t.Required = key == v1alpha1.RequiredTopologyAnnotation
	}
	return t, nil
}

// nearByTiers converts what a Volcano PodGroup asks of the network, which has these
// tiers: members go into one HyperNode, of as low a tier as possible. In mode hard
// they wait where not even one of the highest tier that is allowed has room.
func nearByTiers(n *volcano.NetworkTopologySpec, tiers []tier) gang.Topology {
	out := gang.Topology{Required: n.Mode != volcano.SoftNetworkTopologyMode}
	highest, bounded := 0, false
	switch {
	case n.HighestTierAllowed != nil:
		highest, bounded = *n.HighestTierAllowed, true
	case n.HighestTierName != "":
		i := slices.IndexFunc(tiers, func(t tier) bool { return t.name == n.HighestTierName })
		if i < 0 {
			// No node is in it until a HyperNode of that name comes.
			out.Levels = []string{fmt.Sprintf("HyperNode of tier %.64q", n.HighestTierName)}
			return out
		}
		highest, bounded = tiers[i].number, true
	}
	for _, t := range tiers {
		if !bounded || t.number <= highest {
			out.Levels = append(out.Levels, t.level())
		}
	}
	if out.Levels == nil && out.Required {
		out.Levels = []string{tier{number: highest}.level()}
	}
	return out
}
