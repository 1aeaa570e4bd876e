package source

import (
	"fmt"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/scheduler/gang"
)

// subGroups is a policy of a Volcano PodGroup that divides members into sub-groups,
// by the values of some of their labels. Each is a role of the gang.
type subGroups struct {
	name     string
	members  labels.Selector
	keys     []string
	size     int // of one sub-group
	min      int // so many sub-groups start together
	together *volcano.NetworkTopologySpec
}

func readSubGroups(policies []volcano.SubGroupPolicySpec) ([]subGroups, error) {
	var out []subGroups
	for i, p := range policies {
		field := fmt.Sprintf("spec.subGroupPolicy[%d]", i)
		s := subGroups{name: p.Name, members: labels.Everything(), keys: p.MatchLabelKeys, size: 1, together: p.NetworkTopology}
		if s.name == "" {
			s.name = fmt.Sprint("subgroup", i)
		}
		if slices.ContainsFunc(out, func(o subGroups) bool { return o.name == s.name }) {
			return nil, fmt.Errorf("%s.name=%.64q is the name of another policy too; give each its own", field, s.name)
		}
		if p.LabelSelector != nil {
			var err error
			if s.members, err = metav1.LabelSelectorAsSelector(p.LabelSelector); err != nil {
				return nil, fmt.Errorf("%s.labelSelector can't be read: %w; mend it", field, err)
			}
		}
		if p.SubGroupSize != nil {
			s.size = int(*p.SubGroupSize)
		}
		if p.MinSubGroups != nil {
			s.min = int(*p.MinSubGroups)
		}
		if s.size < 1 || s.min < 0 {
			return nil, fmt.Errorf("%s: subGroupSize=%d must be at least 1, and minSubGroups=%d not negative", field, s.size, s.min)
		}
		out = append(out, s)
	}
	return out, nil
}

// role is the sub-group that a pod is in, if it is in one of this policy.
func (s *subGroups) role(p *v1.Pod) (string, bool) {
	if !s.members.Matches(labels.Set(p.Labels)) {
		return "", false
	}
	parts := []string{s.name}
	for _, key := range s.keys {
		value, has := p.Labels[key]
		if !has {
			return "", false
		}
		parts = append(parts, value)
	}
	return strings.Join(parts, "/"), true
}

// has says whether a role is a sub-group of this policy.
func (s *subGroups) has(role string) bool {
	name, _, _ := strings.Cut(role, "/")
	return name == s.name
}

// roles are the sub-groups that have been seen. As many as start together have a
// minimum, the first by name; of those that have not been seen yet one is made up for
// each that is lacking, so that the gang waits for its members.
func (s *subGroups) roles(seen map[string]bool, tiers []tier) []gang.Role {
	var out []gang.Role
	for _, name := range sortedKeys(seen) {
		if s.has(name) {
			out = append(out, gang.Role{Name: name, Max: -1})
		}
	}
	for len(out) < s.min {
		out = append(out, gang.Role{Name: fmt.Sprintf("%s/(%d)", s.name, len(out)+1), Max: -1})
	}
	for i := range out {
		if i < s.min {
			out[i].Min = s.size
		}
		if s.together != nil {
			out[i].Topology = nearByTiers(s.together, tiers)
		}
	}
	return out
}

// roleOf is the role of a pod that says of itself that it is of another: that of its
// sub-group if it is in one.
func (d *declaration) roleOf(p *v1.Pod, claimed string) string {
	for i := range d.subGroups {
		if role, is := d.subGroups[i].role(p); is {
			return role
		}
	}
	return claimed
}

// regroup finds out anew in which sub-groups the members of a gang are.
func (c *collector) regroup(id gang.ID, g *group) {
	for _, uid := range sortedKeys(c.pods) {
		p := c.pods[uid]
		if p.gang != id {
			continue
		}
		if role := g.declared.roleOf(p.obj, classify(p.obj).role); role != p.role {
			p.role = role
			g.roles[role] = true
			c.tell(p)
		}
	}
}
