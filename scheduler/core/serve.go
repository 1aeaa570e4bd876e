package core

import (
	"slices"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/queue"
)

// settleGroup brings one gang in order after something happened to it.
func (m *Machine) settleGroup(g *group) {
	if g.phase == Started {
		m.serve(g)
		m.noteComplete(g)
		if m.over(g) {
			m.startOver(g)
		} else {
			m.mindMinimum(g)
		}
	}
	if g.phase == Leaving {
		m.seeOff(g)
	}
	if g.phase == Collecting || g.phase == Waiting {
		m.enroll(g)
	}
	if g.phase == Started && (g.decl.NonPreemptible || g.isNonPreemptible()) {
		m.claimants[g.decl.ID] = true
	}
	m.reviewed[g.decl.ID] = true
	if len(g.members) == 0 && !g.declared && g.refused.Code == "" {
		m.dropReservation(g)
		m.forget(g.decl.ID)
	}
}

// over says that of a started gang nothing runs, and that no room waits for any
// of it.
func (m *Machine) over(g *group) bool {
	return g.all[bound] == 0 && len(m.book.Holding(g.decl.ID).Slots) == 0
}

// startOver makes a gang that is over wait for its next start as a whole.
func (m *Machine) startOver(g *group) {
	if g.inFlight() {
		m.decide(ShutLatch{Gang: g.decl.ID, Epoch: g.epoch, Reason: "nothing of the gang runs any more"})
	}
	m.past.note(g, m.now)
	m.dropReservation(g)
	clear(g.lost)
	g.wholeBy = time.Time{}
	m.short.Remove(g.decl.ID)
	m.elastic.Remove(g.decl.ID)
	g.phase, g.tried, g.grant = Collecting, false, grant{}
	m.moot = false
}

// enroll puts a gang into the queue as soon as it is whole, and takes it out
// when it is not any more. One that is bound in part is completed instead.
func (m *Machine) enroll(g *group) {
	if !g.declared {
		g.phase = Collecting
		m.queues.Remove(g.decl.ID)
		return
	}
	if g.found != nil && g.found.Leaving && m.resumeDeparture(g) {
		return
	}
	if g.runs() && !g.busy() {
		m.resume(g)
		return
	}
	if g.size() == 0 {
		clear(g.ended) // all of it has run: its owner runs it once more
	}
	if g.missing() > 0 || len(g.members) == 0 {
		g.phase = Collecting
		m.queues.Remove(g.decl.ID)
		return
	}
	if g.phase != Waiting {
		g.phase, g.waitsSince = Waiting, m.now
	}
	g.passedOver, g.sized = passedOver{}, false
	m.queues.Add(m.entry(g))
	if until := m.backsOff(g); !until.IsZero() {
		m.alarmAt(g, until)
	}
}

// serve looks after a started gang: members claim the slots that wait for
// them; what is lacking of the minimum, and other members in the hold, wait for
// room.
func (m *Machine) serve(g *group) {
	m.adopt(g)
	m.claim(g)
	m.balance(g)
	m.enlist(m.short, g, !m.need(g).empty())
	m.enlist(m.elastic, g, len(m.unslotted(g)) > 0)
	g.fills = fills{}
}

func (m *Machine) enlist(q *queue.FIFO, g *group, in bool) {
	if in {
		q.Add(m.entry(g))
	} else {
		q.Remove(g.decl.ID)
	}
}

// adopt enters slots for members that are bound without one: they came from an
// earlier leader, or from somebody else.
func (m *Machine) adopt(g *group) {
	for _, mem := range slices.Clone(m.loose(g)) {
		if mem.state == bound {
			m.book.Adopt(ledger.Slot{Gang: g.decl.ID, Role: mem.Role, Node: mem.node, Shape: mem.Shape, Claimant: mem.ID, Elastic: m.lack(g, mem.Role) <= 0})
		}
	}
}

// claim gives slots that wait to members that have come.
func (m *Machine) claim(g *group) {
	if m.book.Holding(g.decl.ID).Unclaimed() == 0 {
		return
	}
	excluded := m.vetoed(g)
	for _, mem := range m.unslotted(g) {
		slots := m.book.Holding(g.decl.ID).Slots
		i := slices.IndexFunc(slots, func(s *ledger.Slot) bool { return s.Claimant == "" && m.mayClaim(mem, s, excluded) })
		if i < 0 {
			continue
		}
		delete(g.deadlines, slots[i].ID)
		m.book.Claim(slots[i].ID, mem.ID)
		m.place(mem, slots[i], g.epoch, nil)
	}
}

func (m *Machine) mayClaim(mem *member, s *ledger.Slot, excluded func(*gang.Shape, string) bool) bool {
	node := m.book.Node(s.Node)
	return s.Role == mem.Role && mem.Shape.Covers(&s.Shape) && node != nil &&
		cluster.Takes(node, &mem.Shape) && aligns(node, &mem.Shape, &s.Shape) && (excluded == nil || !excluded(&mem.Shape, s.Node))
}

// aligns says whether a member takes from a node's NUMA zones what was held for it.
func aligns(n *cluster.Node, s, held *gang.Shape) bool {
	return s.Aligned == nil || n.NUMA == nil || !n.NUMA.Refuses() || (held.Aligned != nil && s.Aligned.Equal(held.Aligned))
}

// balance moves slots between the minimum and the elastic part: a member above
// the minimum makes up for a lost one, and what the minimum has too many is
// given back.
func (m *Machine) balance(g *group) {
	if m.balanced(g) {
		return
	}
	for _, s := range m.book.OfGang(g.decl.ID) {
		lack := m.lack(g, s.Role)
		switch {
		case s.Elastic && lack > 0:
			m.book.SetElastic(s.ID, false)
		case !s.Elastic && lack < 0 && s.Claimant == "":
			m.release(g, s.ID)
		case !s.Elastic && lack < 0:
			m.book.SetElastic(s.ID, true)
		}
	}
}

func (m *Machine) balanced(g *group) bool {
	for role, t := range m.book.Holding(g.decl.ID).Roles {
		if lack := m.lack(g, role); (lack > 0 && t.Elastic > 0) || (lack < 0 && t.Minimum > 0) {
			return false
		}
	}
	return true
}
