package core

import (
	"slices"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
	"muster.sh/muster/scheduler/victims"
)

// A gang may take from others what it has the better right to: see queue.Claim. Members
// above their gang's minimum go by themselves, all others with their whole gang.

// claimFor adds to a query what a gang may take from others.
func (m *Machine) claimFor(g *group, q *victims.Query) {
	c := &claim{losses: map[*victims.Unit]queue.Loss{}, leaving: map[gang.ID]resource.Vector{}, late: m.lateFor(g)}
	var leaving []queue.Loss
	for _, id := range q.Leaving {
		p, _ := m.book.Pod(id)
		c.leaving[p.Gang] = c.leaving[p.Gang].Add(p.Request)
		leaving = append(leaving, queue.Loss{Queue: m.queues.ChargedTo(p.Gang), Of: p.Request})
	}
	c.Claim = m.queues.Claim(m.entry(g), m.need(g).sum(), g.first() != nil && g.first().Meek, leaving)
	for _, id := range sortedKeys(m.groups) {
		if v := m.groups[id]; v != g && m.isStable(v) {
			q.Units = append(q.Units, m.takeable(v, c)...)
		}
	}
	for i := range q.Units {
		c.losses[&q.Units[i]] = m.loss(&q.Units[i], c)
	}
	q.Rights = c
}

// isStable says whether it is known what a gang has: none of it is about to be bound.
func (m *Machine) isStable(g *group) bool {
	return g.declared && g.phase == Started && g.all[bound] > 0 && g.all[released]+g.all[latched] == 0
}

// takeable is what of a gang may be taken. While it lacks members of its minimum, those
// above make up for them, and go with all others only. Of a non-preemptible gang nobody
// takes the minimum.
func (m *Machine) takeable(g *group, c *claim) []victims.Unit {
	var units []victims.Unit
	if m.isSettled(g) {
		units = m.elasticUnits(g, reclaiming)
	}
	if !g.isNonPreemptible() && !slices.ContainsFunc(g.order, func(mem *member) bool { return mem.state == bound && !m.mayGo(mem, reclaiming) }) {
		units = append(units, m.wholeUnit(g))
	}
	return slices.DeleteFunc(units, func(u victims.Unit) bool { return !c.Allows([]queue.Loss{m.loss(&u, c)}) })
}

// loss is what the queue of a unit loses with it, beside the pods that leave anyway.
func (m *Machine) loss(u *victims.Unit, c *claim) queue.Loss {
	e := m.entry(m.groups[u.Gang])
	l := queue.Loss{Queue: m.queues.ChargedTo(u.Gang), Priority: e.Priority, Elastic: !u.Whole, Late: c.late[u.Gang] && m.overruns(m.groups[u.Gang])}
	if u.Whole {
		l.Of = m.book.Charge(u.Gang).Sub(c.leaving[u.Gang])
		return l
	}
	for _, p := range u.Pods {
		pod, _ := m.book.Pod(p.ID)
		l.Of = l.Of.Add(pod.Request)
	}
	return l
}

// claim is what a gang may take, in the words of a search.
type claim struct {
	*queue.Claim
	losses map[*victims.Unit]queue.Loss
	// leaving is what gangs have that leaves anyway.
	leaving map[gang.ID]resource.Vector
	// late gangs hold up the booking of the one that claims.
	late map[gang.ID]bool
}

func (c *claim) of(units []*victims.Unit) []queue.Loss {
	out := make([]queue.Loss, len(units))
	for i, u := range units {
		out[i] = c.losses[u]
	}
	return out
}

// Allow implements victims.Rights.
func (c *claim) Allow(units []*victims.Unit) bool { return c.Allows(c.of(units)) }

// Lack implements victims.Rights.
func (c *claim) Lack(units []*victims.Unit) float64 { return c.Claim.Lack(c.of(units)) }
