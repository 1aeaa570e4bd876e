package core

import (
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/queue"
)

// Foretold is what would become of a gang that came now.
type Foretold struct {
	// Queue is the one that would be charged, in which Ahead wait before it.
	Queue string
	Ahead int
	// Verdict is why it would wait. Of one that would start it is Reserved.
	Verdict gang.Verdict
	// Placings are where the members of one that would start would go.
	Placings []Placing
}

// Placing is a number of members of a role on a node.
type Placing struct {
	Role, Node string
	Count      int
}

// WhatIf foretells what would become of a gang with a priority, of which all members are
// expected. Nothing is changed by that, so it knows nothing of what would be evicted for
// it; and it may find room that the members' own cycles, which know of volumes and of pod
// affinity, would refuse.
func (m *Machine) WhatIf(decl gang.Gang, priority int64) Foretold {
	g := newGroup(decl.ID)
	g.decl, g.declared, g.phase = decl, true, Waiting
	f := Foretold{Queue: m.queueOf(g)}
	if why := m.bars(g); why != "" {
		f.Verdict = gang.Verdict{Code: gang.Barred, Queue: f.Queue, Detail: why}
		return f
	}
	if why := m.backsOffBecause(g); why != "" {
		f.Verdict = gang.Verdict{Code: gang.BackedOff, Queue: f.Queue, Detail: why}
		return f
	}
	e := queue.Entry{Gang: decl.ID, Queue: f.Queue, Created: decl.Created, Priority: m.queues.Priority(f.Queue, priority)}
	f.Ahead = m.queues.Ahead(e)
	n := m.need(g)
	if refusal := m.turn.Foresee(f.Queue, queue.Demand{All: n.sum()}); refusal != nil {
		f.Verdict = gang.Verdict{Code: quotaCode(refusal), Queue: f.Queue, Detail: refusal.String()}
		if refusal.Behind {
			f.Verdict.Code, f.Verdict.Position = gang.Behind, f.Ahead+1
		}
		return f
	}
	r := m.request(g, n)
	shares, v := m.plan(g, r.Request)
	switch {
	case v.Code != "":
		f.Verdict = m.judge(g, r.Request, v)
	case m.blockedBefore(e):
		f.Verdict = gang.Verdict{Code: gang.Behind, Queue: f.Queue, Position: f.Ahead + 1}
	default:
		f.Verdict, f.Placings = gang.Verdict{Code: gang.Reserved}, placings(r.Request, shares)
	}
	return f
}

// blockedBefore says that a gang waits for room that others will free, so that none
// behind it may start. Who would be behind is known within a queue only: of gangs in other
// queues it is supposed that they go first.
func (m *Machine) blockedBefore(e queue.Entry) bool {
	for _, g := range m.groups {
		if g.phase != Waiting || !g.blocks {
			continue
		}
		if other := m.entry(g); other.Queue != e.Queue || other.Before(e) {
			return true
		}
	}
	return false
}

func placings(r planner.Request, shares []planner.Share) []Placing {
	var out []Placing
	for _, s := range shares {
		out = append(out, Placing{Role: r.Wants[s.Want].Role, Node: s.Node, Count: s.Count})
	}
	return out
}
