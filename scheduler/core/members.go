package core

import (
	"reflect"

	"muster.sh/muster/scheduler/gang"
)

func (m *Machine) gangSet(decl gang.Gang) {
	g := m.group(decl.ID)
	if g.declared && reflect.DeepEqual(g.decl, decl) {
		return
	}
	g.decl, g.declared, g.refused = decl, true, gang.Verdict{}
	g.tried, g.attempts = false, 0
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
	if g.stored != nil || g.found != nil {
		m.decide(DropReservation{Gang: id})
	}
	m.releaseAll(g)
	fresh := newGroup(id)
	for _, mem := range g.members {
		m.unplace(mem)
		fresh.members[mem.ID] = mem
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
		m.takeRoom(e.Pod)
	}
	if e.Member == nil {
		return
	}
	mem := m.member(*e.Member)
	g := m.groups[mem.Gang]
	mem.terminating = e.Terminating
	if e.Pod.Node != "" && mem.state != bound {
		mem.state, mem.node = bound, e.Pod.Node
		m.arrived(g, mem)
	}
	m.touch(g)
}

// member returns the record of a member, new or as it was told now. A pod
// never changes its gang; one that seems to do is another pod with a reused
// name, and has another UID.
func (m *Machine) member(t Member) *member {
	mem, ok := m.members[t.ID]
	if !ok {
		mem = &member{Member: t}
		m.members[t.ID] = mem
		m.group(t.Gang).members[t.ID] = mem
	}
	if mem.state == held && !reflect.DeepEqual(mem.Shape, t.Shape) {
		mem.Shape = t.Shape
		m.groups[t.Gang].tried = false
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
	m.book.RemovePod(e.ID)
	mem, ok := m.members[e.ID]
	if !ok {
		return
	}
	g := m.groups[mem.Gang]
	delete(m.members, e.ID)
	delete(g.members, e.ID)
	m.unplace(mem)
	m.vacate(g, mem, e.End)
	if len(g.members) == 0 {
		m.emptied(g)
	}
	m.touch(g)
}

// vacate decides what becomes of the slot of a member that is gone: it waits
// for a replacement, unless none will come.
func (m *Machine) vacate(g *group, mem *member, end End) {
	s := m.book.ClaimedBy(mem.ID)
	if s == nil {
		return
	}
	if g.phase == Storing || g.phase == Starting {
		m.abort(g, "member "+mem.Name+" is gone")
		return
	}
	role, _ := g.decl.Role(mem.Role)
	switch {
	case s.Elastic:
		m.release(g, s.ID)
	case end == Succeeded, end == Deleted && role.Shrinks:
		g.done[mem.Role]++
		m.release(g, s.ID)
	default:
		m.book.Unclaim(s.ID)
		m.await(g, s.ID)
		m.checkSlots(s.Node)
	}
}

// emptied makes a gang that has lost its last member ready to be run again:
// only the room that waits for replacements is left of it.
func (m *Machine) emptied(g *group) {
	if !g.declared && m.book.OfGang(g.decl.ID) == nil {
		m.forget(g.decl.ID)
		return
	}
	if len(m.book.OfGang(g.decl.ID)) > 0 || g.phase == Collecting {
		return
	}
	if g.stored != nil {
		m.decide(DropReservation{Gang: g.decl.ID})
	}
	fresh := newGroup(g.decl.ID)
	fresh.decl, fresh.declared, fresh.reported = g.decl, g.declared, g.reported
	m.forget(g.decl.ID)
	m.groups[g.decl.ID] = fresh
}
