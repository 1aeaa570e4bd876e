package core

import (
	"cmp"
	"fmt"
	"time"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
)

// place releases a member towards its slot.
func (m *Machine) place(mem *member, s *ledger.Slot, epoch Epoch, check []string) {
	m.groups[mem.Gang].set(mem, released)
	mem.epoch, mem.roams = epoch, m.groups[mem.Gang].lets(mem)
	m.show(mem, s, check)
	m.decide(Release{Gang: s.Gang, Pod: mem.ID, Epoch: epoch})
}

// show puts a member's placement on the board.
func (m *Machine) show(mem *member, s *ledger.Slot, check []string) {
	p := &Placement{Gang: s.Gang, Role: s.Role, Node: s.Node, Epoch: mem.epoch, Check: check}
	if mem.roams {
		p.Roams, p.Except = true, m.except(mem)
	}
	m.placed[mem.ID] = p
}

// unplace takes a member's placement off the board: from now on it may run
// nowhere.
func (m *Machine) unplace(mem *member) {
	if mem.state == released || mem.state == latched {
		m.placed[mem.ID] = nil
	}
}

func (m *Machine) atLatch(e AtLatch) {
	mem, ok := m.members[e.ID]
	if !ok || mem.state != released || mem.epoch != e.Epoch {
		return
	}
	g := m.groups[mem.Gang]
	g.set(mem, latched)
	if mem.roams {
		m.follow(g, mem, e.Node)
	}
	if g.epoch == e.Epoch {
		m.openIfWhole(g)
	}
}

// openIfWhole opens the latch of a gang that is starting as soon as none of its
// members is on the way any more: each that was released stands at the latch,
// or was bound by somebody else.
func (m *Machine) openIfWhole(g *group) {
	if g.phase == Starting && g.live[released] == 0 {
		m.open(g)
	}
}

// open lets the gang's binds go. From here on it is completed, whatever
// happens: what can't be bound is placed again.
func (m *Machine) open(g *group) {
	g.phase, g.attempts, g.pause, g.allRoam, g.veto = Started, 0, 0, false, ""
	m.decide(OpenLatch{Gang: g.decl.ID, Epoch: g.epoch})
	for _, s := range m.book.OfGang(g.decl.ID) {
		if s.Claimant == "" {
			m.await(g, s.ID, m.opts.ExpectedTimeout)
		}
	}
	m.wholeWithin(g, m.opts.ExpectedTimeout)
	m.touch(g)
}

// maxRetries is how often a member that was turned back without a veto tries
// the same node again.
const maxRetries = 3

func (m *Machine) parked(e Parked) {
	mem, ok := m.members[e.ID]
	if !ok || mem.epoch != e.Epoch || (mem.state != released && mem.state != latched) {
		return
	}
	m.unplace(mem)
	g := m.groups[mem.Gang]
	g.set(mem, held)
	m.touch(g)
	s := m.book.ClaimedBy(mem.ID)
	if s == nil || g.epoch != e.Epoch {
		return // its plan is gone already
	}
	node, lasts := cmp.Or(e.Node, s.Node), m.opts.VetoTimeout
	if e.Room {
		lasts = m.opts.RetryAfter
	}
	mem.retries++
	switch {
	case e.Veto && node != s.Node:
		m.vetoHeld(g, node, lasts)
	case e.Veto && mem.roams && g.phase == Starting && !g.allRoam:
		g.allRoam = true
	case e.Veto && mem.roams:
		m.vetoEverywhere(g, mem)
	case e.Veto && !e.Room && mem.Shape.Opaque && g.mayRoam(mem):
		g.roaming[mem.key] = true
	case e.Veto || mem.retries > maxRetries:
		m.veto(g, &mem.Shape, s.Node, lasts)
		mem.retries = 0
	}
	g.veto = refusal(e, node, mem.roams)
	if g.phase == Starting {
		m.abort(g, g.veto)
		m.failed(g, gang.Vetoed)
		return
	}
	m.retryMember(g, mem, s)
}

func refusal(e Parked, node string, roams bool) string {
	if roams && e.Node == "" {
		return fmt.Sprintf("%s: %s", e.Plugin, e.Reason)
	}
	return fmt.Sprintf("%s on node %s: %s", e.Plugin, node, e.Reason)
}

// vetoHeld keeps the shapes of a gang off a node on which it holds room that,
// by kube-scheduler's own book, is not there.
func (m *Machine) vetoHeld(g *group, node string, lasts time.Duration) {
	for _, s := range m.book.OfGang(g.decl.ID) {
		if s.Node == node {
			m.veto(g, &s.Shape, node, lasts)
		}
	}
}

// retryMember sends a member of a started gang again: to its slot, or, if that
// was vetoed, to whatever slot it gets next.
func (m *Machine) retryMember(g *group, mem *member, s *ledger.Slot) {
	if mem.retries > 0 {
		m.place(mem, s, g.epoch, nil)
		return
	}
	m.release(g, s.ID)
}
