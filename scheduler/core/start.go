package core

import (
	"slices"
	"time"

	"muster.sh/muster/scheduler/gang"
)

// start enters a plan that is in the book already.
func (m *Machine) start(g *group) {
	g.epoch, g.phase = m.nextEpoch(), Storing
	g.tried, g.blocks, g.complete, g.quota, g.launched = false, false, false, nil, m.now
	g.clearsAt, g.pauses, g.vain = [ways]time.Time{}, [ways]time.Duration{}, ""
	if m.movesFor(g) {
		m.endMove()
	}
	m.queues.Remove(g.decl.ID)
	m.grantAtStart(g)
	if m.book.Holding(g.decl.ID).Unclaimed() == 0 {
		m.launch(g)
		return
	}
	m.noteReservation(g)
	m.decide(StoreReservation{Gang: g.decl.ID, Owner: g.decl.Owner, Epoch: g.epoch, Slots: g.stored})
	m.reviewed[g.decl.ID] = true
}

func (m *Machine) reservationStored(e ReservationStored) {
	g, ok := m.groups[e.Gang]
	if ok && g.phase == Leaving && g.epoch == e.Epoch {
		m.departureStored(g, e.Err)
		return
	}
	if !ok || g.phase != Storing || g.epoch != e.Epoch {
		return
	}
	if e.Err == "" {
		m.launch(g)
		return
	}
	g.veto = e.Err
	m.abort(g, "the reservation could not be stored: "+e.Err)
	m.retryLater(g, m.opts.RetryAfter)
	m.failed(g, gang.NotStored)
}

// launch sends the members that have a pod towards the latch.
func (m *Machine) launch(g *group) {
	g.phase = Starting
	check := m.nodesToCheck(g)
	sent, slots := 0, m.book.OfGang(g.decl.ID)
	if len(g.roaming) > 0 {
		m.choosyFirst(slots)
	}
	for _, s := range slots {
		if mem := m.members[s.Claimant]; mem != nil && mem.state == held {
			m.place(mem, s, g.epoch, check)
			sent++
		}
	}
	if sent == 0 {
		m.open(g)
	}
	m.reviewed[g.decl.ID] = true
}

// nodesToCheck are the nodes on which room is held for members without a pod.
func (m *Machine) nodesToCheck(g *group) []string {
	var nodes []string
	for _, s := range m.book.OfGang(g.decl.ID) {
		if s.Claimant == "" {
			nodes = append(nodes, s.Node)
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// abort undoes a start that has not passed the latch: nothing of the gang is
// bound, nothing stays held.
func (m *Machine) abort(g *group, reason string) {
	m.decide(ShutLatch{Gang: g.decl.ID, Epoch: g.epoch, Reason: reason})
	m.releaseAll(g)
	for _, mem := range g.order {
		m.unplace(mem)
	}
	g.phase, g.tried, g.blocks, g.grant = Waiting, false, false, grant{}
	m.touch(g)
}
