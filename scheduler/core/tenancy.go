package core

import (
	"cmp"
	"slices"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

func (m *Machine) queueSet(s queue.Spec) {
	m.queues.Set(s)
	m.quotasChanged()
}

func (m *Machine) queueGone(name string) {
	m.queues.Unset(name)
	m.quotasChanged()
}

func (m *Machine) namespaceSet(e NamespaceSet) {
	m.queues.SetHome(e.Name, e.Queue)
	m.quotasChanged()
}

// quotasChanged looks at all gangs again, and charges each to the queue that is its
// own now. Queues change rarely.
func (m *Machine) quotasChanged() {
	for _, id := range sortedKeys(m.groups) {
		m.charge(id)
		m.touch(m.groups[id])
	}
}

// queueOf is the queue that a gang is charged to.
func (m *Machine) queueOf(g *group) string {
	return m.queues.Of(g.decl.Queue, g.decl.Owner.Namespace)
}

func (m *Machine) entry(g *group) queue.Entry {
	e := queue.Entry{Gang: g.decl.ID, Queue: m.queueOf(g), Created: g.decl.Created}
	if first := g.first(); first != nil {
		e.Priority = m.queues.Priority(e.Queue, first.Priority)
	}
	return e
}

// first is the member with the highest priority; nil if there is none.
func (g *group) first() *member {
	if len(g.order) == 0 {
		return nil
	}
	return slices.MaxFunc(g.order, func(a, b *member) int { return cmp.Compare(a.Priority, b.Priority) })
}

// bars says why a gang can't be charged to its queue; nothing if it can.
func (m *Machine) bars(g *group) string {
	return m.queues.Bars(m.queueOf(g), g.decl.Owner.Namespace)
}

// keptOut says that a gang may not start, whatever room and quota there is.
func (m *Machine) keptOut(g *group) bool { return !m.backsOff(g).IsZero() || m.bars(g) != "" }

// recharge brings what queues are charged for up to date.
func (m *Machine) recharge() {
	for _, id := range m.book.Recharged() {
		m.charge(id)
	}
	if now := m.book.Changes(); now != m.totalAt {
		m.totalAt = now
		m.queues.SetTotal(m.book.ForGangs())
	}
}

// charge charges a gang for what it has. One that has ended, or is not declared yet, is
// charged where it was, for as long as pods of it are left.
func (m *Machine) charge(id gang.ID) {
	if id == keeper {
		return
	}
	name, has := m.queues.ChargedTo(id), queue.Demand{All: m.book.Charge(id), Expected: m.book.Expected(id)}
	if g := m.groups[id]; g != nil && g.declared {
		if name = m.queueOf(g); g.grant.queue != name {
			g.grant = grant{} // another queue has granted nothing
		}
		has.NonPreemptible = g.grant.of
	}
	m.queues.Charge(id, name, has)
}

// lacksQuota says whether a gang must wait because its queue has no quota for it.
func (m *Machine) lacksQuota(g *group, e queue.Entry) bool {
	m.recharge()
	if g.asked && m.standsAsBefore(g, e) {
		g.quotaAt = m.queues.Version()
		return g.quota != nil
	}
	before := g.quota
	g.quota = m.turn.Ask(e, m.demand(g, m.need(g)))
	g.quotaAt, g.asked = m.queues.Version(), true
	if !isAlike(before, g.quota) {
		m.reviewed[g.decl.ID] = true
	}
	return g.quota != nil
}

// standsAsBefore says that a gang to which nothing has happened would be told what it was
// told when it was its turn last.
func (m *Machine) standsAsBefore(g *group, e queue.Entry) bool {
	if g.quota != nil {
		return m.turn.Stands(e, g.quota)
	}
	return g.quotaAt == m.queues.Version() && m.turn.AwaitsNothing()
}

// isAlike says that one refusal means the same as another, whatever the amounts.
func isAlike(a, b *queue.Refusal) bool {
	if a == nil || b == nil {
		return a == b
	}
	return quotaCode(a) == quotaCode(b) && a.OfRoom() == b.OfRoom()
}

func quotaCode(r *queue.Refusal) gang.Code {
	if r.Never {
		return gang.NeverInQueue
	}
	return gang.OverQuota
}

// quotaFor is for how many of some equal members above the minimum the queue of a gang
// has the quota.
func (m *Machine) quotaFor(g *group, w *planner.Want) int {
	m.recharge()
	return m.turn.Room(m.queueOf(g), w.Shape.Request, w.Count)
}

// demand is what a gang that waits asks its queue for.
func (m *Machine) demand(g *group, n need) queue.Demand {
	d := queue.Demand{All: n.sum(), Expected: need{expected: n.expected}.sum()}
	if m.claims(g) {
		d.NonPreemptible = d.All
	}
	return d
}

// sum is all that is needed.
func (n need) sum() resource.Vector {
	var v resource.Vector
	for _, mem := range n.members {
		v = v.Add(mem.Shape.Request)
	}
	for _, e := range n.expected {
		v = v.Add(e.role.Shape.Request.Scale(int64(e.count)))
	}
	return v
}
