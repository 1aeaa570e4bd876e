package source

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	network "volcano.sh/apis/pkg/apis/topology/v1alpha1"
)

// hyperNodes are Volcano's: parts of the network, in tiers, of nodes and of smaller
// parts.
var hyperNodes = customAPI{
	resource: network.SchemeGroupVersion.WithResource("hypernodes"),
	set:      (*collector).setHyperNode,
	gone: func(c *collector, u *unstructured.Unstructured) {
		delete(c.hyperNodes, u.GetName())
		c.mapNetwork()
	},
	none: func(c *collector) {
		clear(c.hyperNodes)
		c.mapNetwork()
	},
}

// hyperNode is one that could be read, with its regular expressions compiled.
type hyperNode struct {
	*network.HyperNode
	members []selector
}

// selector is one entry of a HyperNode's members.
type selector struct {
	of      network.MemberType
	name    string
	pattern *regexp.Regexp
	labels  labels.Selector
}

func (c *collector) setHyperNode(u *unstructured.Unstructured) {
	h := hyperNode{HyperNode: &network.HyperNode{}}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, h.HyperNode)
	for _, m := range h.Spec.Members {
		var s selector
		if err == nil {
			s, err = newSelector(m)
		}
		h.members = append(h.members, s)
	}
	if err != nil {
		c.ask(complaint{"A HyperNode can't be read", u.GetName(), err})
		delete(c.hyperNodes, u.GetName())
	} else {
		c.hyperNodes[u.GetName()] = h
	}
	c.mapNetwork()
}

func newSelector(m network.MemberSpec) (selector, error) {
	s, err := selector{of: m.Type}, error(nil)
	switch by := m.Selector; {
	case by.ExactMatch != nil:
		s.name = by.ExactMatch.Name
	case by.RegexMatch != nil:
		s.pattern, err = regexp.Compile(by.RegexMatch.Pattern)
	case by.LabelMatch != nil:
		s.labels, err = metav1.LabelSelectorAsSelector(by.LabelMatch)
	}
	return s, err
}

func (s *selector) matches(name string, of labels.Set) bool {
	switch {
	case s.name != "":
		return s.name == name
	case s.pattern != nil:
		return s.pattern.MatchString(name)
	}
	return s.labels != nil && s.labels.Matches(of)
}

// mapNetwork finds out anew where each node is in the network, and tells of those of
// which that has changed. Gangs that are to be near are told anew if there are other
// tiers now.
func (c *collector) mapNetwork() {
	if c.replay != nil {
		return // it is done once when all is there
	}
	tiers := tiersOf(c.hyperNodes)
	changed := !reflect.DeepEqual(tiers, c.tiers)
	c.tiers, c.parents = tiers, parentsOf(c.hyperNodes)
	leaves := c.leaves()
	for _, name := range sortedKeys(c.nodes) {
		if at := c.tiersAt(leaves[name]); !maps.Equal(at, c.at[name]) {
			c.at[name] = at
			c.tellNode(c.nodes[name])
		}
	}
	if changed {
		for _, id := range sortedKeys(c.groups) {
			c.declareGroup(id, c.groups[id])
		}
	}
}

// tier is a level of the network.
type tier struct {
	number int
	name   string // may be empty
}

// level is what the tier is called in reasons: "they must be together in one …".
func (t tier) level() string { return fmt.Sprintf("HyperNode of tier %d", t.number) }

// tiersOf returns the tiers of some HyperNodes, the nearest first.
func tiersOf(all map[string]hyperNode) []tier {
	names := map[int]string{}
	for _, key := range sortedKeys(all) {
		names[all[key].Spec.Tier] = cmp.Or(names[all[key].Spec.Tier], all[key].Spec.TierName)
	}
	var out []tier
	for _, n := range slices.Sorted(maps.Keys(names)) {
		out = append(out, tier{n, names[n]})
	}
	return out
}

// parentsOf returns the HyperNode of which each HyperNode is a part.
func parentsOf(all map[string]hyperNode) map[string]string {
	parents, names := map[string]string{}, sortedKeys(all)
	for _, name := range names {
		for _, s := range all[name].members {
			if s.of != network.MemberTypeHyperNode {
				continue
			}
			if s.name != "" {
				parents[s.name] = name
				continue
			}
			for _, part := range names {
				if part != name && s.matches(part, nil) {
					parents[part] = name
				}
			}
		}
	}
	return parents
}

// tiersAt returns the HyperNodes that a node is in whose nearest is leaf, by level: at
// each the largest one that is not of a higher tier.
func (c *collector) tiersAt(leaf string) map[string]string {
	var chain []hyperNode
	for name := leaf; c.hyperNodes[name].HyperNode != nil && len(chain) <= len(c.hyperNodes); name = c.parents[name] {
		chain = append(chain, c.hyperNodes[name])
	}
	if len(chain) == 0 {
		return nil
	}
	at := map[string]string{}
	for _, t := range c.tiers {
		for _, h := range chain {
			if h.Spec.Tier <= t.number {
				at[t.level()] = h.Name
			}
		}
	}
	return at
}

// byTier returns the names of all HyperNodes, those of the highest tier first.
func (c *collector) byTier() []string {
	names := sortedKeys(c.hyperNodes)
	slices.SortStableFunc(names, func(a, b string) int { return c.hyperNodes[b].Spec.Tier - c.hyperNodes[a].Spec.Tier })
	return names
}

// leaves returns for each node the HyperNode of the lowest tier that selects it.
func (c *collector) leaves() map[string]string {
	leaves := map[string]string{}
	for _, name := range c.byTier() {
		for _, s := range c.hyperNodes[name].members {
			switch {
			case s.of != network.MemberTypeNode:
			case s.name != "":
				leaves[s.name] = name
			default:
				for node, n := range c.nodes {
					if s.matches(node, n.Labels) {
						leaves[node] = name
					}
				}
			}
		}
	}
	return leaves
}

// leafOf is leaves for one node.
func (c *collector) leafOf(n *v1.Node) string {
	leaf := ""
	for _, name := range c.byTier() {
		if slices.ContainsFunc(c.hyperNodes[name].members, func(s selector) bool {
			return s.of == network.MemberTypeNode && s.matches(n.Name, n.Labels)
		}) {
			leaf = name
		}
	}
	return leaf
}
