package core

import (
	"slices"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/planner"
)

// offer gives room to those that wait: first to started gangs that lack
// members of their minimum, then to whole gangs in the order of the queue,
// last to members above their gang's minimum.
func (m *Machine) offer() {
	for !m.moot || m.seen != m.book.Changes() {
		m.moot, m.seen = true, m.book.Changes()
		if m.repair() && m.admit() {
			m.extend()
		}
		m.settle()
	}
}

// admit starts waiting gangs in order. It stops at the first that room to come
// will let start, so that none behind it takes that room; one that only a
// change of the cluster can help is passed over. It reports whether nobody
// waits for room to come.
func (m *Machine) admit() bool {
	for e := range m.queue.All() {
		g := m.groups[e.Gang]
		if g.busy() {
			return false
		}
		if !g.retryAt.IsZero() {
			if g.attempts >= m.opts.MaxAttempts {
				continue
			}
			return false
		}
		if !m.triedInVain(g) {
			m.try(g)
		}
		if g.phase == Waiting && g.blocks {
			return false
		}
	}
	return true
}

// triedInVain says that planning a gang again would end as it did before: no
// room was freed since, and none was taken from where the gang hopes for it.
func (m *Machine) triedInVain(g *group) bool {
	now := m.book.Changes()
	if !g.tried || now.Freed != g.triedAt.Freed {
		return false
	}
	if !g.blocks || now.Taken == g.triedAt.Taken {
		return true
	}
	if _, v := planner.Plan(m.book.WithoutOthers("", g.hope), m.request(g, m.need(g))); v.Code != "" {
		return false
	}
	g.triedAt = now
	return true
}

// try plans a waiting gang, and starts it if there is room.
func (m *Machine) try(g *group) {
	n := m.need(g)
	r := m.request(g, n)
	txn := m.book.Begin()
	shares, verdict := planner.Plan(txn.View(), r)
	if verdict.Code == "" {
		txn.Hold(m.slots(g, n, r, shares)...)
		if _, err := txn.Commit(); err == nil {
			m.start(g)
			return
		} else {
			verdict = gang.Verdict{Code: gang.NoRoom, Detail: err.Error()}
		}
	}
	g.tried, g.triedAt = true, m.book.Changes()
	g.verdict = m.judge(g, r, verdict)
	m.reviewed[g.decl.ID] = true
}

// judge finds out whether a plan that failed will succeed once other gangs have
// gone: then nobody may pass. It sharpens the verdict where not.
func (m *Machine) judge(g *group, r planner.Request, v gang.Verdict) gang.Verdict {
	shares, w := planner.Plan(m.book.WithoutOthers("", nil), r)
	if g.blocks = w.Code == ""; g.blocks {
		g.hope = map[string]bool{}
		for _, s := range shares {
			g.hope[s.Node] = true
		}
		return v
	}
	r.Excluded = nil
	if _, w := planner.Plan(m.book.Empty(), r); w.Code != "" {
		w.Code = gang.TooBig
		return w
	}
	if v.RuledOut[gang.Excluded] > 0 {
		v.Code, v.Detail = gang.Vetoed, g.veto
	} else {
		v.Detail = "pods outside of any gang hold the room"
	}
	return v
}

// start enters a plan that is in the book already.
func (m *Machine) start(g *group) {
	g.epoch, g.phase = m.nextEpoch(), Storing
	g.tried, g.blocks = false, false
	m.queue.Remove(g.decl.ID)
	if m.unclaimed(g) == 0 {
		m.launch(g)
		return
	}
	g.stored = m.reserved(g)
	m.decide(StoreReservation{Gang: g.decl.ID, Owner: g.decl.Owner, Epoch: g.epoch, Slots: g.stored})
	m.reviewed[g.decl.ID] = true
}

func (m *Machine) reservationStored(e ReservationStored) {
	g, ok := m.groups[e.Gang]
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
	sent := 0
	for _, s := range m.book.OfGang(g.decl.ID) {
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
	g.phase, g.tried, g.blocks = Waiting, false, false
	m.touch(g)
}
