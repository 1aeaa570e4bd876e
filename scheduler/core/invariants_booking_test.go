package core

import (
	"fmt"
	"slices"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
)

// Invariants of bookings, and of who passes the gang that is booked.

// nobodyHoldsUpTheFirst holds that who starts before the first gang that waits for room
// will have ended when that is booked to start, or leaves it the room, or is where it
// could never be.
func nobodyHoldsUpTheFirst(s Seen) error {
	m := s.Machine
	b := m.booked
	if b == nil || b.group.phase != Waiting || !b.group.blocks || b.madeAt.Before(m.now) && b.isOld(m) {
		return nil
	}
	n := m.need(b.group)
	r, passed := m.request(b.group, n).Request, s.passed(b.group)
	if len(passed) > 0 {
		if lacks := m.queues.ThoroughTurn().Ask(m.entry(b.group), m.demand(b.group, n)); lacks != nil {
			return fmt.Errorf("%s starts, and %s has no quota any more: %s", passed[0].decl.ID, b.group.decl.ID, lacks)
		}
	}
	var stay []*group
	for _, late := range passed {
		if d := m.runtime(late); !b.known || d == 0 || m.now.Add(startup+d).After(b.At) {
			stay = append(stay, late)
		}
	}
	if len(stay) == 0 {
		return nil
	}
	if b.known {
		view := m.at(b.At)
		if fits(view, r) || fits(cluster.View{Rows: slices.DeleteFunc(slices.Clone(view.Rows), func(row cluster.Row) bool { return !slices.Contains(b.On, row.Node.Name) })}, r) {
			return nil
		}
		return fmt.Errorf("%s starts, and %s does not fit any more when it is booked for %s", stay[0].decl.ID, b.group.decl.ID, b.At)
	}
	for _, late := range stay {
		for _, slot := range m.book.OfGang(late.decl.ID) {
			if m.couldUse(slot.Node, r) {
				return fmt.Errorf("%s starts on %s, for which %s waits without a booking", late.decl.ID, slot.Node, b.group.decl.ID)
			}
		}
	}
	return nil
}

// isOld says that a booking was made of another state than that of this step.
func (b *booked) isOld(m *Machine) bool { return b.made.Nodes != m.book.Changes().Nodes }

// passed are the gangs that this step has started before one of the same queue that was
// before them.
func (s Seen) passed(first *group) []*group {
	own := s.Machine.entry(first)
	return slices.DeleteFunc(s.started(), func(late *group) bool {
		e := s.Machine.entry(late)
		return e.Queue != own.Queue || byTurn(own, e) >= 0
	})
}

// at is the room that is free at a time, if all end when they are expected to.
func (m *Machine) at(when time.Time) cluster.View {
	txn := m.book.Begin()
	txn.Evict(m.vacating()...)
	if m.move != nil && m.booked != nil && m.movesFor(m.booked.group) {
		txn.Release(m.kept()...)
	}
	for id, g := range m.groups {
		end, known := m.endOf(g)
		if !known || g.phase != Started && !g.starting() || end.After(when) || !end.After(m.now) {
			continue
		}
		for _, mem := range g.order {
			if mem.state == bound {
				txn.Evict(mem.ID)
			}
		}
		txn.Release(ids(m.book.OfGang(id))...)
	}
	return txn.View()
}

func ids(slots []*ledger.Slot) []ledger.SlotID {
	var out []ledger.SlotID
	for _, s := range slots {
		out = append(out, s.ID)
	}
	return out
}

// couldUse says whether some member could run on an empty node.
func (m *Machine) couldUse(node string, r planner.Request) bool {
	for _, row := range m.book.Empty().Rows {
		if row.Node.Name == node {
			return !r.MinFree.IsZero() || slices.ContainsFunc(r.Wants, func(w planner.Want) bool { return row.Times(&w.Shape, 1) > 0 })
		}
	}
	return false
}

// bookingsHold holds that a booking can come true when it is made, and that one which comes
// later than it was says why.
func bookingsHold(s Seen) error {
	m, before := s.Machine, s.Before.booked
	b := m.booked
	switch {
	case b == nil:
		return nil
	case b.group.phase != Waiting:
		return fmt.Errorf("%s is booked, and is %s", b.group.decl.ID, b.group.phase)
	case b.known && !b.At.After(b.madeAt):
		return fmt.Errorf("%s is booked for the past", b.group.decl.ID)
	case b.known && b.serial != before.serial && len(s.started()) == 0 && !fits(m.at(b.At), m.request(b.group, m.need(b.group)).Request):
		return fmt.Errorf("%s is booked for %s, and does not fit then", b.group.decl.ID, b.At)
	case before.of == b && before.known && (!b.known || b.At.After(before.at)) && b.moved == "":
		return fmt.Errorf("the booking of %s moves from %s to %s, and nobody says why", b.group.decl.ID, before.at, b.At)
	}
	return nil
}

// bookedBefore is the booking before a step.
type bookedBefore struct {
	of     *booked
	at     time.Time
	known  bool
	serial uint64
}

func (m *Machine) snapBooking() bookedBefore {
	if m.booked == nil {
		return bookedBefore{}
	}
	return bookedBefore{m.booked, m.booked.At, m.booked.known, m.booked.serial}
}

// Passed counts the gangs that a step has started before one that is booked.
func (s Seen) Passed() int {
	if s.Machine.booked == nil {
		return 0
	}
	return len(s.passed(s.Machine.booked.group))
}

// Books says whether a gang is booked for a known time, and whether it was for an earlier
// one.
func (m *Machine) Books() (known, late bool) {
	b := m.booked
	return b != nil && b.known, b != nil && b.known && b.moved != ""
}
