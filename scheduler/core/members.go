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
	g := m.group(decl.ID)
	if g.declared && reflect.DeepEqual(g.decl, decl) {
		return
	}
	if g.starting() {
		m.abort(g, "the gang was changed")
	}
	g.decl, g.declared, g.refused = decl, true, gang.Verdict{}
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
		mem.state, mem.node = bound, e.Pod.Node
		m.arrived(g, mem)
		m.openIfWhole(g)
	}
	m.touch(g)
}

// terminate notes that a member is being deleted. One that is not bound yet can
// never be: its place is free, though the pod may stay for long.
func (m *Machine) terminate(g *group, mem *member) {
	mem.terminating, g.tried = true, false
	if mem.state != bound {
		m.unplace(mem)
		m.vacate(g, mem, Deleted)
	}
}

// member returns the record of a member, new or as it was told now. A pod
// never changes its gang; one that seems to do is another pod with a reused
// name, and has another UID.
func (m *Machine) member(t Member) *member {
	mem, ok := m.members[t.ID]
	if !ok {
		mem = &member{Member: t}
		m.members[t.ID] = mem
		m.group(t.Gang).join(mem)
	}
	if g := m.groups[t.Gang]; mem.state != bound && !reflect.DeepEqual(mem.Shape, t.Shape) {
		mem.Shape, g.tried = t.Shape, false
		if g.starting() {
			m.abort(g, "member "+mem.Name+" was changed")
		}
	}
	return mem
}

// arrived notes that a member is bound: its slot, if it had one elsewhere, is
// where it is now.
func (m *Machine) arrived(g *group, mem *member) {
	m.unplace(mem)
	mem.retries = 0
	s := m.book.ClaimedBy(mem.ID)
	if s == nil || s.Node == mem.node {
		return
	}
	moved := *s
	moved.Node = mem.node
	m.book.Adopt(moved)
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
	m.unplace(mem)
	m.vacate(g, mem, e.End)
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
	role, _ := g.decl.Role(mem.Role)
	switch {
	case s.Elastic:
		m.release(g, s.ID)
	case end == Succeeded, end == Deleted && role.Shrinks:
		g.ended[mem.Role]++
		m.release(g, s.ID)
	default:
		m.book.Unclaim(s.ID)
		m.await(g, s.ID)
		m.checkSlots(s.Node)
	}
}
