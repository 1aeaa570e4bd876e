package core

import (
	"fmt"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/planner"
)

// Invariants of whose turn it is: first come, first served, and nobody waits in
// vain.

// started are the gangs that this step has planned and given room to.
func (s Seen) started() []*group {
	var out []*group
	for _, id := range sortedKeys(s.Machine.groups) {
		g, before := s.Machine.groups[id], s.Before.gangs[id]
		now := g.phase == Storing || g.phase == Starting || g.phase == Started
		if now && g.epoch != before.epoch && g.all[bound] == 0 {
			out = append(out, g)
		}
	}
	return out
}

// waitsForRoom says, without regard to what is remembered of earlier plans,
// whether a waiting gang will fit once other gangs have gone. One that was
// vetoed too often has stepped back, and one whose Reservation could not be
// stored keeps its turn.
func (m *Machine) waitsForRoom(g *group) bool {
	if g.phase != Waiting || m.steppedBack(g) {
		return false
	}
	r := m.request(g, m.need(g)).Request
	// For many shapes the planner may find on few nodes what it misses on all.
	return fits(m.book.WithoutOthers("", nil), r) || fits(m.book.WithoutOthers("", g.hope), r)
}

func fits(v cluster.View, r planner.Request) bool {
	_, verdict := planner.Plan(v, r)
	return verdict.Code == ""
}

func (m *Machine) steppedBack(g *group) bool {
	return !g.retryAt.IsZero() && g.attempts >= m.opts.MaxAttempts
}

func (m *Machine) shortOfRoom() *group {
	for e := range m.short.All() {
		g := m.groups[e.Gang]
		if fits(m.book.WithoutOthers(e.Gang, nil), m.request(g, m.need(g)).Request) {
			return g
		}
	}
	return nil
}

func firstComeFirstServed(s Seen) error {
	for _, late := range s.started() {
		for e := range s.Machine.queue.All() {
			early := s.Machine.groups[e.Gang]
			if byTurn(early, late) < 0 && s.Machine.waitsForRoom(early) {
				return fmt.Errorf("%s starts, and %s waits for room", late.decl.ID, early.decl.ID)
			}
		}
	}
	return nil
}

func byTurn(a, b *group) int {
	if c := a.decl.Created.Compare(b.decl.Created); c != 0 {
		return c
	}
	if a.decl.ID < b.decl.ID {
		return -1
	}
	return 1
}

func elasticComesLast(s Seen) error {
	for _, slot := range s.Machine.allSlots() {
		mem := s.Machine.members[slot.Claimant]
		if !slot.Elastic || s.Before.slots[slot.ID] || mem == nil || mem.state == bound {
			continue
		}
		if onlyMoved(s, slot) {
			continue
		}
		for e := range s.Machine.queue.All() {
			if g := s.Machine.groups[e.Gang]; s.Machine.waitsForRoom(g) {
				return fmt.Errorf("%s gets a slot above its minimum, and %s waits", mem.ID, g.decl.ID)
			}
		}
	}
	return nil
}

// nobodyWaitsInVain offers the room once more, without regard to what is
// remembered of earlier plans: nobody may get any.
func nobodyWaitsInVain(s Seen) error {
	m := s.Machine
	if !m.synced {
		return nil
	}
	for e := range m.short.All() {
		if g := m.groups[e.Gang]; m.fitsOne(g, m.need(g).expected, false) {
			return fmt.Errorf("%s is short, and there is room for one of its members", e.Gang)
		}
	}
	if m.shortOfRoom() != nil {
		return nil
	}
	for e := range m.queue.All() {
		g := m.groups[e.Gang]
		if g.busy() {
			return nil
		}
		if m.steppedBack(g) {
			continue
		}
		if !g.retryAt.IsZero() {
			return nil
		}
		// Where roles must be together the planner may find with less room what it
		// misses with more.
		if r := m.request(g, m.need(g)).Request; (r.Exact() || len(r.NearByRole) == 0) && fits(m.beginFor(g).View(), r) {
			return fmt.Errorf("%s waits, and there is room for it", e.Gang)
		}
		if m.waitsForRoom(g) {
			return nil
		}
	}
	for id, g := range m.groups {
		if g.phase == Started && m.fitsOne(g, nil, true) {
			return fmt.Errorf("a member of %s waits, and there is room for it", id)
		}
	}
	return nil
}

func (m *Machine) fitsOne(g *group, expected []expectation, elastic bool) bool {
	r := m.request(g, need{members: m.unslotted(g), expected: expected})
	for _, w := range r.Wants {
		one := r.Request
		one.Wants = []planner.Want{w}
		if m.allowed(g, w.Role, elastic) > 0 && len(planner.Fill(m.book.View(), one)) > 0 {
			return true
		}
	}
	return false
}
