package core

import (
	"reflect"
	"time"

	"muster.sh/muster/scheduler/gang"
)

func (m *Machine) gangSet(decl gang.Gang) {
	if decl.Min() == 0 {
		decl.MinMember = 1 // a gang that asks for nobody starts with its first member
	}
	decl.BelowMinimum = decl.BelowMinimum.Or(m.opts.BelowMinimum)
	g := m.group(decl.ID)
	if g.declared && reflect.DeepEqual(g.decl, decl) {
		return
	}
	if g.starting() {
		m.abort(g, "the gang was changed")
	}
	g.decl, g.declared, g.refused = decl, true, gang.Verdict{}
	m.charge(decl.ID)
	if g.phase == Started {
		m.minimumChanged(g)
	}
	g.tried, g.attempts, g.retryAt = false, 0, time.Time{}
	m.touch(g)
}

func (m *Machine) gangRefused(e GangRefused) {
	g := m.group(e.ID)
	if g.phase != Collecting && g.phase != Waiting {
		return // what runs was understood once
	}
	g.decl.Owner, g.decl.Created = e.Owner, e.Created
	g.declared, g.refused = false, e.Verdict
	m.touch(g)
}

// gangGone frees all that a gang holds. Members that still run go on taking
// their own room until they end.
func (m *Machine) gangGone(id gang.ID) {
	g, ok := m.groups[id]
	if !ok {
		return
	}
	if g.phase != Collecting && g.phase != Waiting {
		m.decide(ShutLatch{Gang: id, Epoch: g.epoch, Reason: "the gang has ended"})
	}
	m.past.note(g, m.now)
	m.spareAll(g)
	m.dropReservation(g)
	m.releaseAll(g)
	fresh := newGroup(id)
	for _, mem := range g.order {
		m.unplace(mem)
		fresh.join(mem)
	}
	m.forget(id)
	if len(fresh.members) > 0 {
		m.groups[id] = fresh
		m.touch(fresh)
	}
	m.moot = false
}

func (m *Machine) podSet(e PodSet) {
	if e.Pod.Node != "" {
		delete(m.assumed, e.Pod.ID)
		m.takeRoom(e.Pod)
	}
	if e.Member == nil {
		return
	}
	mem := m.member(*e.Member)
	g := m.groups[mem.Gang]
	if e.Terminating && !mem.terminating {
		m.terminate(g, mem)
	}
	if e.Pod.Node != "" && mem.state != bound {
		m.arrived(g, mem, e.Pod.Node)
		m.noteComplete(g)
	}
	m.reviewed[g.decl.ID] = true
}

// terminate notes that a member is being deleted. One that is not bound yet can
// never be: its place is free, though the pod may stay for long.
func (m *Machine) terminate(g *group, mem *member) {
	g.die(mem)
	g.tried = false
	m.touch(g)
	if mem.state != bound {
		m.unplace(mem)
		m.vacate(g, mem, Deleted)
	}
}

// member returns the record of a member, new or as it was told now. A pod
// never changes its gang; one that seems to do is another pod with a reused
// name, and has another UID.
func (m *Machine) member(t Member) *member {
	mem, known := m.members[t.ID]
	g := m.group(t.Gang)
	if !known {
		mem = &member{Member: t, key: wantKey(t.Role, &t.Shape)}
		m.members[t.ID] = mem
		m.usual.note(&mem.Shape)
		youngest := g.join(mem)
		g.tried = g.tried && youngest // an older one takes its turn among them
		m.touch(g)
	}
	mem.Budgets = t.Budgets
	if mem.Priority != t.Priority || mem.Meek != t.Meek {
		mem.Priority, mem.Meek = t.Priority, t.Meek
		m.touch(g)
	}
	if g.phase == Started && m.book.ClaimedBy(mem.ID) != nil {
		t.Role = mem.Role // it is on its way to room for a member of this role
	}
	if mem.state != bound && (mem.Role != t.Role || !reflect.DeepEqual(mem.Shape, t.Shape)) {
		g.change(mem, t.Role, t.Shape)
		g.tried = false
		m.touch(g)
		if g.starting() {
			m.abort(g, "member "+mem.Name+" was changed")
		}
	}
	return mem
}

// arrived notes that a member is bound. Its slot, if it had one elsewhere, is
// where it is now. For a started gang to which the member comes as planned
// nothing is to be done.
func (m *Machine) arrived(g *group, mem *member, node string) {
	m.unplace(mem)
	g.set(mem, bound)
	mem.node, mem.retries, mem.since = node, 0, m.now
	if !m.synced {
		mem.since = mem.Created
	}
	s := m.book.ClaimedBy(mem.ID)
	if s != nil && s.Node != node {
		moved := *s
		moved.Node = node
		m.book.Adopt(moved)
	}
	m.openIfWhole(g)
	if s == nil || g.phase != Started {
		m.touch(g)
	}
}

func (m *Machine) podGone(e PodGone) {
	delete(m.assumed, e.ID)
	m.book.RemovePod(e.ID)
	mem, ok := m.members[e.ID]
	if !ok {
		return
	}
	g := m.groups[mem.Gang]
	delete(m.members, e.ID)
	g.leave(mem)
	g.tried = false // another takes its turn
	m.unplace(mem)
	s := m.book.ClaimedBy(mem.ID)
	m.vacate(g, mem, e.End)
	m.keepRoom(mem, s)
	m.touch(g)
}

// vacate decides what becomes of the slot of a member that is gone: it waits
// for a replacement, unless none will come.
func (m *Machine) vacate(g *group, mem *member, end End) {
	s := m.book.ClaimedBy(mem.ID)
	if s == nil {
		return
	}
	if g.starting() {
		m.abort(g, "member "+mem.Name+" is gone")
		return
	}
	role, _ := g.decl.Role(s.Role)
	switch {
	case s.Elastic:
		if end == Succeeded && g.lost[s.Role] > 0 {
			// It has done the work of one that was given up.
			g.lost[s.Role]--
			g.ended[s.Role]++
		}
		m.release(g, s.ID)
	case end == Succeeded, end == Deleted && role.Shrinks:
		g.ended[s.Role]++
		m.release(g, s.ID)
	case g.phase == Leaving:
		m.release(g, s.ID)
	default:
		m.book.Unclaim(s.ID)
		m.await(g, s.ID, g.decl.BelowMinimum.Timeout)
		m.checkSlots(s.Node)
	}
}
