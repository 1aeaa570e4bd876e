package core

import (
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/queue"
)

func queueEntry(g *group) queue.Entry {
	return queue.Entry{Gang: g.decl.ID, Created: g.decl.Created}
}

func (m *Machine) need(g *group) need {
	return g.need(m.book.OfGang(g.decl.ID), func(id gang.PodID) bool { return m.book.ClaimedBy(id) != nil })
}

// request turns a need into wants: members and expected members of equal role
// and shape are one want.
func (m *Machine) request(g *group, n need) planner.Request {
	r := planner.Request{Excluded: m.vetoed(g)}
	if g.phase == Waiting {
		r.MinFree = g.decl.MinResources
	}
	at := map[string]int{}
	add := func(role string, s gang.Shape, count int) {
		key := role + "\x00" + s.Signature()
		if _, ok := at[key]; !ok {
			at[key] = len(r.Wants)
			r.Wants = append(r.Wants, planner.Want{Role: role, Shape: s})
		}
		r.Wants[at[key]].Count += count
	}
	for _, mem := range n.members {
		add(mem.Role, mem.Shape, 1)
	}
	for _, e := range n.expected {
		add(e.role.Name, e.role.Shape, e.count)
	}
	return r
}

// slots turns an assignment back into slots: those of a want go to its members
// first, then to expected ones.
func (m *Machine) slots(g *group, n need, r planner.Request, shares []planner.Share) []ledger.Slot {
	waiting := make(map[string][]*member, len(r.Wants))
	for _, mem := range n.members {
		key := mem.Role + "\x00" + mem.Shape.Signature()
		waiting[key] = append(waiting[key], mem)
	}
	var out []ledger.Slot
	for _, share := range shares {
		w := &r.Wants[share.Want]
		key := w.Role + "\x00" + w.Shape.Signature()
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
