package core

import (
	"cmp"
	"fmt"
	"slices"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// A gang may claim to be non-preemptible: nobody takes what its minimum has, neither other
// queues, nor a higher priority, nor whom it holds up, nor who would have it moved. Where its
// queue grants that at all it starts when that grants it to this one, and keeps it until it
// ends, for as much as it has started with. If it grows it needs the queue's leave anew.
// Where no queue grants it the gang starts, and is as preemptible as any other.

// grant is what a queue has granted to a gang.
type grant struct {
	queue string
	of    resource.Vector
}

// stands says whether there is any.
func (gr *grant) stands() bool { return gr.queue != "" }

func (g *group) isNonPreemptible() bool { return g.grant.stands() }

// claims says whether a gang claims to be non-preemptible, of a queue that lets some be.
func (m *Machine) claims(g *group) bool {
	return g.decl.NonPreemptible && m.queues.Grants(m.queueOf(g))
}

// grantAtStart notes what a gang was granted that starts: all that it has asked for.
func (m *Machine) grantAtStart(g *group) {
	if g.grant = (grant{}); m.claims(g) {
		g.grant = grant{m.queueOf(g), m.roomOfMinimum(g)}
	}
}

// roomOfMinimum is what the minimum of a gang has, and what it lacks.
func (m *Machine) roomOfMinimum(g *group) resource.Vector {
	sum := m.need(g).sum()
	for _, s := range m.book.Holding(g.decl.ID).Slots {
		if s.Elastic {
			continue
		}
		if p, known := m.book.Pod(s.Claimant); known {
			sum = sum.Add(p.Request)
		} else {
			sum = sum.Add(s.Shape.Request)
		}
	}
	return sum
}

// keepGrants looks after what started gangs were granted to which something has happened:
// those that run longest first, which matters after a restart.
func (m *Machine) keepGrants() {
	if len(m.claimants) == 0 {
		return
	}
	var list []*group
	for _, id := range sortedKeys(m.claimants) {
		if g := m.groups[id]; g != nil && g.phase == Started {
			list = append(list, g)
		}
	}
	m.claimants = map[gang.ID]bool{}
	slices.SortStableFunc(list, func(a, b *group) int { return a.launched.Compare(b.launched) })
	m.recharge()
	for _, g := range list {
		m.keepGrant(g)
	}
}

// keepGrant grants a started gang what it has more than it was granted, or takes the grant
// back if that can't be: it starts with what it may have, and does not grow from there.
func (m *Machine) keepGrant(g *group) {
	granted, more := grant{}, m.roomOfMinimum(g).Short(g.grant.of)
	switch {
	case !g.decl.NonPreemptible:
	case more.IsZero():
		return
	case m.refusesGrant(g, more) == "":
		granted = grant{m.queueOf(g), g.grant.of.Add(more)}
	}
	if !granted.stands() && !g.isNonPreemptible() {
		return
	}
	g.grant = granted
	m.charge(g.decl.ID)
	m.reviewed[g.decl.ID] = true
}

// refusesGrant says why a started gang is not granted more than it was; nothing if it is.
func (m *Machine) refusesGrant(g *group, more resource.Vector) string {
	name := m.queueOf(g)
	if !m.queues.Grants(name) {
		return fmt.Sprintf("neither queue %s nor one above it lets gangs be non-preemptible", name)
	}
	if r := m.queues.Refuses(name, queue.Demand{NonPreemptible: more}); r != nil {
		return r.String()
	}
	return ""
}

// tellGrant says what has become of the claim of a started gang; nothing if it makes none.
func (m *Machine) tellGrant(g *group) string {
	switch {
	case g.isNonPreemptible():
		return "it is non-preemptible"
	case g.decl.NonPreemptible:
		return "it is preemptible like any other: " + cmp.Or(m.refusesGrant(g, m.roomOfMinimum(g)), "it was not granted what it has")
	}
	return ""
}
