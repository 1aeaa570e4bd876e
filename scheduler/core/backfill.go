package core

import (
	"time"

	"muster.sh/muster/scheduler/booking"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/queue"
)

// A gang that is behind the first one that waits for room may start before it only where
// that does not move the booking of the first one. It does not if it will have ended by
// then, if it keeps to other nodes than those of the booking, or if the first gang fits
// on these beside it. Without a booking it keeps to nodes that the first one can't use.

// passedOver is a state of the world in which a gang could not pass.
type passedOver struct {
	freed, booking uint64
}

// lookEvery is how often it is looked who may pass: it is no matter of milliseconds, and
// takes a plan for each.
const lookEvery = time.Second

// backfill books the start of the first gang that waits for room, and starts gangs that
// may pass it.
func (m *Machine) backfill(first *group) {
	if next := m.lookedAt.Add(lookEvery); next.After(m.now) {
		m.alarmAt(first, next)
		return
	}
	m.lookedAt = m.now
	m.bookFor(first)
	if m.opts.Backfill == 0 || (m.move != nil && m.move.by == moving) {
		return // what is moved was found to have room elsewhere
	}
	m.turn.Stop(m.queueOf(first))
	n := m.need(first)
	p := passing{m: m, first: first, asks: m.demand(first, n), wants: m.request(first, n).Request}
	if !m.booked.known && !m.anyUseless(&p.wants) {
		return
	}
	for range m.opts.Backfill {
		m.recharge()
		e, more := m.turn.Next()
		if !more {
			return
		}
		g := m.groups[e.Gang]
		if m.keptOut(g) {
			m.turn.Stop(e.Queue)
		} else if r := m.turn.Ask(e, m.demand(g, m.need(g))); r != nil {
			if !r.OfPart() { // of that no more is taken from it than it waits for
				m.turn.Stop(e.Queue)
			}
		} else if !p.try(g, e) && !m.findHopeless(g) {
			m.turn.Stop(e.Queue)
		}
	}
}

// passing is one walk along those who wait behind the first.
type passing struct {
	m     *Machine
	first *group
	asks  queue.Demand
	wants planner.Request
	// future is worked out when it is needed.
	future *booking.Future
}

// try starts a gang if it may pass, and reports whether it did.
func (p *passing) try(g *group, e queue.Entry) bool {
	m := p.m
	now := passedOver{m.book.Changes().Freed, m.booked.serial}
	if g.busy() || !g.retryAt.IsZero() || g.passedOver == now {
		return false
	}
	n := m.need(g)
	r := m.request(g, n)
	if shares := p.place(g, e, n, r); shares != nil && m.startOn(g, r.slots(g, n, shares)) == nil {
		p.future = nil
		return true
	}
	g.passedOver = now
	return false
}

// place finds room for a gang that does not move the booking; nil if there is none.
func (p *passing) place(g *group, e queue.Entry, n need, r request) []planner.Share {
	m, b := p.m, p.m.booked
	if !m.queues.Leaves(m.queueOf(p.first), p.asks, e.Queue, m.demand(g, n)) {
		return nil // though it may give the quota back in time: without it the first one is not the first
	}
	if b.known && p.endsInTime(g) {
		return p.plan(g, r.Request, nil)
	}
	if !b.known {
		return p.plan(g, r.Request, func(node string) bool { return m.isUseless(node, &p.wants) })
	}
	// Room that must be free over the whole cluster may be that of any node.
	if p.wants.MinFree.IsZero() {
		if shares := p.plan(g, r.Request, func(node string) bool { return !b.IsOn(node) }); shares != nil {
			return shares
		}
	}
	shares := p.plan(g, r.Request, nil)
	if shares != nil && p.keeps(r.slots(g, n, shares)) {
		return shares
	}
	return nil
}

// endsInTime says that a gang which starts now will have ended when the first one is
// booked to start.
func (p *passing) endsInTime(g *group) bool {
	d := p.m.runtime(g)
	return d > 0 && !p.m.now.Add(startup+d).After(p.m.booked.At)
}

// plan places a request on some nodes, or on all.
func (p *passing) plan(g *group, r planner.Request, on func(node string) bool) []planner.Share {
	if on != nil {
		vetoed := r.Excluded
		r.Excluded = func(s *gang.Shape, node string) bool { return !on(node) || vetoed != nil && vetoed(s, node) }
	}
	shares, _ := p.m.plan(g, r)
	return shares
}

// keeps says whether the first gang still fits when it is booked to start, if these slots
// are held until then.
func (p *passing) keeps(held []ledger.Slot) bool {
	if p.future == nil {
		p.future, _ = p.m.future(p.first)
	}
	return p.future.Keeps(&p.m.booked.Booking, p.wants, held)
}
