package core

import (
	"cmp"
	"fmt"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/queue"
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
	if g.phase != Waiting || m.steppedBack(g) || g.quota != nil || m.keptOut(g) {
		return false
	}
	r := m.request(g, m.need(g)).Request
	// For many shapes, and for roles that must be together, the planner may find on few nodes
	// what it misses on all.
	return fits(m.book.WithoutOthers("", nil), r) || (g.blocks && fits(m.book.WithoutOthers("", g.hope), r))
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
		own := s.Machine.entry(late)
		for e := range s.Machine.queues.All() {
			early := s.Machine.groups[e.Gang]
			// Where others may pass, one that had no quota when it was its turn may have it now.
			if e.Queue == own.Queue && byTurn(e, own) < 0 && !s.Machine.backfills(e.Queue) && s.Machine.waitsForRoom(early) {
				return fmt.Errorf("%s starts, and %s waits for room", late.decl.ID, early.decl.ID)
			}
		}
	}
	return nil
}

// byTurn is the order within one queue.
func byTurn(a, b queue.Entry) int {
	return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.Created.Compare(b.Created), cmp.Compare(a.Gang, b.Gang))
}

func elasticComesLast(s Seen) error {
	for _, slot := range s.Machine.allSlots() {
		mem := s.Machine.members[slot.Claimant]
		if !slot.Elastic || s.Before.slots[slot.ID] != nil || mem == nil || mem.state == bound {
			continue
		}
		if onlyMoved(s, slot) {
			continue
		}
		if s.Machine.isGuaranteed(s.Machine.groups[mem.Gang]) {
			continue // what others can't have does not make them wait
		}
		if g := s.Machine.firstForRoom(); g != nil {
			return fmt.Errorf("%s gets a slot above its minimum, and %s waits", mem.ID, g.decl.ID)
		}
	}
	return nil
}

// firstForRoom is the first gang whose turn it is, whose queue has the quota, and that
// waits for room.
func (m *Machine) firstForRoom() *group {
	turn := m.queues.ThoroughTurn()
	for e, ok := turn.Next(); ok; e, ok = turn.Next() {
		g := m.groups[e.Gang]
		if !m.keptOut(g) && !m.refuses(turn, e, g) && m.waitsForRoom(g) {
			return g
		}
	}
	return nil
}

// refuses asks for a gang, if anything can help it: what all of a queue are refused is
// remembered. What is being given back for one nobody else gets.
func (m *Machine) refuses(turn *queue.Turn, e queue.Entry, g *group) bool {
	if m.isHopeless(g) {
		return false
	}
	more := m.demand(g, m.need(g))
	r := turn.Ask(e, more)
	if r != nil && m.movesFor(g) {
		turn.Keep(e, more, r)
	}
	return r != nil
}

// nobodyWaitsInVain offers the room once more, without regard to what is
// remembered of earlier plans: nobody may get any.
func nobodyWaitsInVain(s Seen) error {
	m := s.Machine
	if !m.synced {
		return nil
	}
	for e := range m.short.All() {
		if g := m.groups[e.Gang]; m.fitsOne(g, m.need(g).expected, nil) {
			return fmt.Errorf("%s is short, and there is room for one of its members", e.Gang)
		}
	}
	if m.shortOfRoom() != nil {
		return nil
	}
	turn := m.queues.ThoroughTurn()
	for e, ok := turn.Next(); ok; e, ok = turn.Next() {
		g := m.groups[e.Gang]
		if m.keptOut(g) {
			continue
		}
		if g.busy() {
			return nil
		}
		if m.steppedBack(g) {
			continue
		}
		if !g.retryAt.IsZero() {
			return nil
		}
		if m.refuses(turn, e, g) {
			continue
		} else if g.quota != nil {
			return fmt.Errorf("%s waits for quota, and there is some: %s", e.Gang, g.quota)
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
		if g.phase == Started && m.fitsOne(g, nil, turn) {
			return fmt.Errorf("a member of %s waits, and there is room for it", id)
		}
	}
	return nil
}

// fitsOne says whether there is room for one member more: of the minimum, or with a turn
// of those above it, as far as their queue has the quota.
func (m *Machine) fitsOne(g *group, expected []expectation, turn *queue.Turn) bool {
	r := m.request(g, need{members: m.unslotted(g), expected: expected})
	for _, w := range r.Wants {
		one := r.Request
		one.Wants = []planner.Want{w}
		if turn != nil && turn.Room(m.queueOf(g), w.Shape.Request, 1) == 0 {
			continue
		}
		if m.allowed(g, w.Role, turn != nil) > 0 && len(planner.Fill(m.book.View(), one)) > 0 {
			return true
		}
	}
	return false
}
