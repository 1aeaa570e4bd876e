package core

import (
	"slices"
	"time"

	"muster.sh/muster/scheduler/ledger"
)

// recover is the machine's first act, once it has been told all that exists:
// gangs of which members are bound are taken up where an earlier leader left
// them, before room is offered to anybody.
func (m *Machine) recover() {
	if m.synced {
		return
	}
	m.synced = true
	for _, id := range sortedKeys(m.groups) {
		m.touch(m.groups[id])
	}
}

// resume takes up a gang that is bound in part. Its latch is open: what is
// lacking is completed, first of all.
func (m *Machine) resume(g *group) {
	g.phase, g.epoch = Started, m.nextEpoch()
	m.queues.Remove(g.decl.ID)
	g.launched = m.since(g)
	m.decide(OpenLatch{Gang: g.decl.ID, Epoch: g.epoch})
	if g.found != nil {
		m.restoreMinimum(g)
	}
	m.adopt(g)
	if g.found != nil {
		m.restoreSlots(g)
	}
	g.found = nil
	m.wholeWithin(g, m.opts.ExpectedTimeout) // its start was cut short, or it has lost members: who knows
	m.serve(g)
}

// since is when the first of the members that run did so.
func (m *Machine) since(g *group) time.Time {
	first := m.now
	for _, mem := range g.order {
		if mem.state == bound && mem.since.Before(first) {
			first = mem.since
		}
	}
	return first
}

// restoreMinimum lowers the minimum to what was reserved last: members that an
// earlier leader has seen end for good are not waited for again.
func (m *Machine) restoreMinimum(g *group) {
	if g.stored == nil { // else it was written anew meanwhile
		g.stored = g.found.Slots
	}
	perRole := map[string]int{}
	for _, s := range g.found.Slots {
		perRole[s.Role]++
	}
	for _, r := range g.decl.Roles {
		if r.Expected && perRole[r.Name] < r.Min {
			g.ended[r.Name] = r.Min - perRole[r.Name]
		}
	}
}

// restoreSlots holds again what a stored reservation held for members that
// have not come. It is a claim and no more: a slot that does not fit now is
// dropped, and planned elsewhere.
func (m *Machine) restoreSlots(g *group) {
	left := slices.Clone(g.found.Slots)
	for _, s := range m.book.OfGang(g.decl.ID) {
		if i := slices.Index(left, ReservedSlot{Role: s.Role, Node: s.Node}); i >= 0 {
			left = slices.Delete(left, i, i+1)
		}
	}
	for _, r := range left {
		role, ok := g.decl.Role(r.Role)
		if !ok || !role.Expected || m.lack(g, r.Role) <= 0 {
			continue
		}
		txn := m.book.Begin()
		txn.Hold(ledger.Slot{Gang: g.decl.ID, Role: r.Role, Node: r.Node, Shape: role.Shape})
		slots, err := txn.Commit()
		if err != nil {
			continue
		}
		m.await(g, slots[0].ID, m.opts.ExpectedTimeout)
		m.checkSlots(r.Node)
	}
}
