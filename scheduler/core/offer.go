package core

import (
	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/resource"
)

// offer gives room to those that wait: first to started gangs that lack
// members of their minimum, then to whole gangs in the order of the queue,
// last to members above their gang's minimum.
func (m *Machine) offer() {
	for m.recharge(); !m.moot || m.seen != m.book.Changes() || m.seenQueues != m.queues.Version(); m.recharge() {
		m.moot, m.seen, m.seenQueues = true, m.book.Changes(), m.queues.Version()
		if m.repair() && m.admit() {
			m.extend()
		}
		m.watchMove()
		m.settle()
	}
}

// admit starts waiting gangs in order, as far as their queues have the quota. Behind the
// first that room to come will let start only those go on that do not take that room; one
// that only a change of the cluster can help is passed over. It reports whether nobody
// waits for room to come.
func (m *Machine) admit() bool {
	m.recall()
	m.turn = m.queues.Turn()
	if m.move != nil { // which is given up if others have taken the quota for which it is
		m.turn = m.queues.ThoroughTurn()
	}
	m.quotaAwaited = false
	refused := map[string]bool{} // queues of gangs that lack quota
	for e, ok := m.turn.Next(); ok; e, ok = m.turn.Next() {
		g := m.groups[e.Gang]
		if m.keptOut(g) {
			continue
		}
		if g.busy() {
			return false
		}
		if !g.retryAt.IsZero() {
			if g.attempts >= m.opts.MaxAttempts {
				continue
			}
			return false
		}
		if m.isHopeless(g) {
			m.aside[e.Gang] = g
			m.queues.SetAside(e.Gang)
			continue
		}
		if m.lacksQuota(g, e) {
			m.quotaAwaited = m.quotaAwaited || !g.quota.Never
			if !refused[e.Queue] && (!g.quota.OfPart() || m.movesFor(g)) {
				refused[e.Queue] = true
				m.makeQuota(g)
			}
			if m.movesFor(g) {
				m.turn.Keep(e, m.demand(g, m.need(g)), g.quota)
			}
			continue
		}
		if !g.tried && m.isBooked(g) {
			m.unbook() // the gang has changed
		}
		if !m.triedInVain(g) {
			m.try(g)
		}
		if g.phase == Waiting && g.blocks {
			m.makeRoom(g)
			m.backfill(g)
			return false
		}
	}
	m.unbook()
	return true
}

// triedInVain says that planning a gang again would end as it did before: no
// room was freed since, and none was taken from where the gang hopes for it.
func (m *Machine) triedInVain(g *group) bool {
	now := m.book.Changes()
	switch {
	case !g.tried:
		return false
	case g.isTooBig():
		return now.Nodes == g.triedAt.Nodes || m.stillTooBig(g)
	case now.Freed != g.triedAt.Freed:
		return false
	}
	if !g.blocks || now.Taken == g.triedAt.Taken {
		return true
	}
	if !m.stillHopes(g, m.request(g, m.need(g)).Request) {
		return false
	}
	g.triedAt = now
	return true
}

// isHopeless says that nothing but another node can help a gang, and that none has come.
// It is not asked then whether its queue has the quota: there may be thousands of them,
// and what one will never use should be kept for it from nobody.
func (m *Machine) isHopeless(g *group) bool {
	return g.tried && g.quota == nil && g.isTooBig() && m.book.Changes().Nodes == g.triedAt.Nodes
}

// findHopeless finds out of a gang that is not planned yet, as it is not its turn, whether it
// is hopeless: then it need not wait to be told so, and others of its queue need not wait
// behind it.
func (m *Machine) findHopeless(g *group) bool {
	nodes := m.book.Changes().Nodes
	if g.tried || g.busy() || !g.retryAt.IsZero() || g.sized && g.sizedAt == nodes {
		return false
	}
	r := m.request(g, m.need(g)).Request
	g.sized, g.sizedAt = true, nodes
	v, big := m.tooBig(r)
	if !big || !r.Exact() {
		return false
	}
	g.tried, g.triedAt, g.judged, g.surely, g.blocks = true, m.book.Changes(), v, true, false
	m.reviewed[g.decl.ID] = true
	return true
}

// recall has turns come to gangs again that are hopeless no more.
func (m *Machine) recall() {
	for id, g := range m.aside {
		if !m.isHopeless(g) {
			delete(m.aside, id)
			m.queues.Recall(id)
		}
	}
}

// isTooBig says that a gang was found to be too big for the cluster, and that the planner
// can't have missed a way.
func (g *group) isTooBig() bool { return g.judged.Code == gang.TooBig && g.surely }

// stillTooBig says that a gang that was too big for the cluster is too big for
// it as it is now.
func (m *Machine) stillTooBig(g *group) bool {
	v, still := m.tooBig(m.request(g, m.need(g)).Request)
	if still {
		g.judged, g.triedAt = v, m.book.Changes()
	}
	return still
}

func (m *Machine) tooBig(r planner.Request) (gang.Verdict, bool) {
	r.Excluded = nil
	_, v := planner.Plan(m.book.Empty(), r)
	big := v.Code != ""
	v.Code = gang.TooBig
	return v, big
}

// stillHopes says that what a gang was found to hope for can still come true.
func (m *Machine) stillHopes(g *group, r planner.Request) bool {
	_, v := planner.Plan(m.book.WithoutOthers("", g.hope), r)
	return v.Code == ""
}

// try plans a waiting gang, and starts it if there is room.
func (m *Machine) try(g *group) {
	n := m.need(g)
	r := m.request(g, n)
	shares, verdict := m.plan(g, r.Request)
	if verdict.Code == "" {
		err := m.startOn(g, r.slots(g, n, shares))
		if err == nil {
			return
		}
		verdict = gang.Verdict{Code: gang.NoRoom, Detail: err.Error()}
	}
	g.tried, g.triedAt = true, m.book.Changes()
	g.judged = m.judge(g, r.Request, verdict)
	m.reviewed[g.decl.ID] = true
}

// startOn starts a gang on room that is held for it from now on, if that can be.
func (m *Machine) startOn(g *group, slots []ledger.Slot) error {
	txn := m.beginFor(g)
	txn.Hold(slots...)
	if _, err := txn.Commit(); err != nil {
		return err
	}
	m.start(g)
	return nil
}

// plan plans a waiting gang, also onto the room that is kept for it alone.
func (m *Machine) plan(g *group, r planner.Request) (shares []planner.Share, v gang.Verdict) {
	if m.movesFor(g) {
		return planner.Plan(m.beginFor(g).View(), r)
	}
	m.book.Read(func(now cluster.View) { shares, v = planner.Plan(now, r) })
	return shares, v
}

// beginFor starts a transaction in which the room that is kept for a gang is free.
func (m *Machine) beginFor(g *group) *ledger.Txn {
	txn := m.book.Begin()
	if m.movesFor(g) {
		txn.Release(m.kept()...)
	}
	return txn
}

// judge finds out whether a plan that failed will succeed once other gangs have
// gone: then nobody may pass. It sharpens the verdict where not.
func (m *Machine) judge(g *group, r planner.Request, v gang.Verdict) gang.Verdict {
	if g.blocks && m.stillHopes(g, r) {
		return v
	}
	shares, w := planner.Plan(m.book.WithoutOthers("", nil), r)
	if g.blocks = w.Code == ""; g.blocks {
		g.hope = map[string]bool{}
		for _, s := range shares {
			g.hope[s.Node] = true
		}
		return v
	}
	if w, big := m.tooBig(r); big {
		g.surely = r.Exact()
		return w
	}
	if v.RuledOut[gang.Excluded] > 0 {
		v.Code, v.Detail = gang.Vetoed, g.veto
		if v.RuledOut[gang.Excluded] == v.Nodes {
			v.Missing = resource.Vector{} // it is not room
		}
	} else {
		v.Detail = "pods outside of any gang hold the room"
	}
	return v
}
