package core

import (
	"slices"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
)

// need is what a gang lacks to be whole: members with a pod and without a
// slot, and numbers of expected ones by role.
type need struct {
	members  []*member
	expected []expectation
	// absent counts those that are lacking besides, and not expected.
	absent int
}

type expectation struct {
	role  gang.Role
	count int
}

func (n need) empty() bool { return len(n.members) == 0 && len(n.expected) == 0 }

// loose returns the members without a slot, oldest first. It looks for them
// from the youngest on, where they mostly are.
func (m *Machine) loose(g *group) []*member {
	n := len(g.order) - m.book.Holding(g.decl.ID).Claimed
	if n == 0 || n == len(g.order) {
		return g.order[:n]
	}
	out := make([]*member, 0, n)
	for i := len(g.order) - 1; len(out) < n; i-- {
		if m.book.ClaimedBy(g.order[i].ID) == nil {
			out = append(out, g.order[i])
		}
	}
	slices.Reverse(out)
	return out
}

// unslotted are the members that wait in the hold without a slot.
func (m *Machine) unslotted(g *group) []*member {
	var out []*member
	for _, mem := range m.loose(g) {
		if mem.state == held && !mem.terminating {
			out = append(out, mem)
		}
	}
	return out
}

// need works out what the minimum lacks.
func (m *Machine) need(g *group) need {
	var n need
	have := m.book.Holding(g.decl.ID).Roles
	free := map[string][]*member{}
	for _, mem := range m.loose(g) {
		if mem.state != bound && !mem.terminating {
			free[mem.Role] = append(free[mem.Role], mem)
		}
	}
	for _, r := range g.decl.Roles {
		lack := g.minimum(r) - have[r.Name].Minimum
		if lack <= 0 {
			continue
		}
		take := min(lack, len(free[r.Name]))
		n.members = append(n.members, free[r.Name][:take]...)
		free[r.Name] = free[r.Name][take:]
		if lack -= take; lack > 0 && r.Expected {
			n.expected = append(n.expected, expectation{r, lack})
		} else {
			n.absent += lack
		}
	}
	n.fromAnyRole(free, g.lackOfAnyRole(have))
	return n
}

// fromAnyRole adds the oldest members that are left to a need.
func (n *need) fromAnyRole(free map[string][]*member, count int) {
	if count <= 0 {
		return
	}
	var rest []*member
	for _, list := range free {
		rest = append(rest, list...)
	}
	slices.SortFunc(rest, byAge)
	take := min(count, len(rest))
	n.members = append(n.members, rest[:take]...)
	n.absent += count - take
}

// lackOfAnyRole is how many slots the gang's whole minimum lacks when every
// role has what it needs: members of any role make up for these. Below zero,
// there are as many too many.
func (g *group) lackOfAnyRole(have map[string]ledger.Tally) int {
	covered := 0
	for _, r := range g.decl.Roles {
		covered += max(g.minimum(r), have[r.Name].Minimum)
	}
	for name, t := range have {
		if _, declared := g.decl.Role(name); !declared {
			covered += t.Minimum
		}
	}
	return g.size() - covered
}

// lack is how many slots of the minimum a role may take; below zero, how many
// it has too many. It makes up for what any role may.
func (m *Machine) lack(g *group, role string) int {
	have := m.book.Holding(g.decl.ID).Roles
	r, _ := g.decl.Role(role)
	own, others := g.minimum(r)-have[role].Minimum, g.lackOfAnyRole(have)
	if own > 0 || others > 0 {
		return max(own, 0) + max(others, 0)
	}
	return max(own, others)
}

// request is a need as it is planned.
type request struct {
	planner.Request
	// keys of the wants.
	keys []string
}

// request turns a need into wants: members and expected members of equal role
// and shape are one want.
func (m *Machine) request(g *group, n need) request {
	r := request{Request: planner.Request{Excluded: m.vetoed(g)}}
	if m.opts.Strategy != nil {
		r.Strategy = m.opts.Strategy(m.usual.samples)
	}
	if g.phase == Waiting {
		r.MinFree = g.decl.MinResources
	}
	m.keepNear(g, &r.Request)
	at := map[string]int{}
	add := func(key, role string, s *gang.Shape, count int) {
		i, known := at[key]
		if !known {
			i = len(r.Wants)
			at[key], r.keys = i, append(r.keys, key)
			r.Wants = append(r.Wants, planner.Want{Role: role, Shape: *s})
		}
		r.Wants[i].Count += count
	}
	for _, mem := range n.members {
		add(mem.key, mem.Role, &mem.Shape, 1)
	}
	for _, e := range n.expected {
		add(wantKey(e.role.Name, &e.role.Shape), e.role.Name, &e.role.Shape, e.count)
	}
	return r
}

// slots turns an assignment back into slots: those of a want go to its members
// first, then to expected ones.
func (r *request) slots(g *group, n need, shares []planner.Share) []ledger.Slot {
	waiting := make(map[string][]*member, len(r.Wants))
	for _, mem := range n.members {
		waiting[mem.key] = append(waiting[mem.key], mem)
	}
	var out []ledger.Slot
	for _, share := range shares {
		w, key := &r.Wants[share.Want], r.keys[share.Want]
		for range share.Count {
			s := ledger.Slot{Gang: g.decl.ID, Role: w.Role, Node: share.Node, Shape: w.Shape}
			if list := waiting[key]; len(list) > 0 {
				s.Claimant, waiting[key] = list[0].ID, list[1:]
			}
			out = append(out, s)
		}
	}
	return out
}
