package core

import (
	"fmt"
	"time"

	"muster.sh/muster/scheduler/gang"
)

// review works out the verdicts and statuses of the gangs that the step has
// touched, and orders those to be shown that are of another kind than before.
func (m *Machine) review() {
	for _, id := range sortedKeys(m.reviewed) {
		if g := m.groups[id]; g != nil {
			g.verdict = m.verdict(g)
			m.explain(g)
			m.report(g)
		}
	}
	clear(m.reviewed)
}

func (m *Machine) verdict(g *group) gang.Verdict {
	switch {
	case !g.declared && g.refused.Code != "":
		return g.refused
	case g.phase == Collecting:
		return m.collecting(g)
	case g.phase == Waiting && !g.tried:
		return gang.Verdict{Code: gang.Behind, Position: m.queue.Position(g.decl.ID), WaitingFor: m.head(g)}
	case g.phase == Waiting:
		return g.verdict
	case g.phase == Started:
		return m.started(g)
	default:
		return gang.Verdict{Code: gang.Reserved}
	}
}

func (m *Machine) collecting(g *group) gang.Verdict {
	v := gang.Verdict{Code: gang.Collecting}
	if !g.declared {
		v.Detail = "the gang is not declared yet"
		return v
	}
	v.Detail = fmt.Sprintf("%d members are there, %d more are needed", len(g.members), m.need(g).lack)
	return v
}

// head is the first gang in the queue, if it is another.
func (m *Machine) head(g *group) gang.ID {
	for e := range m.queue.All() {
		if e.Gang != g.decl.ID {
			return e.Gang
		}
		break
	}
	return ""
}

func (m *Machine) started(g *group) gang.Verdict {
	if m.short[g.decl.ID] {
		n := m.need(g)
		v := gang.Verdict{Code: gang.Short, Detail: g.veto}
		for _, mem := range n.members {
			v.Role, v.Wanted = mem.Role, v.Wanted+1
		}
		for _, e := range n.expected {
			v.Role, v.Wanted = e.role.Name, v.Wanted+e.count
		}
		return v
	}
	waiting := 0
	for _, s := range m.book.OfGang(g.decl.ID) {
		if !s.Elastic && m.book.Counts(s) {
			waiting++
		}
	}
	if waiting > 0 {
		return gang.Verdict{Code: gang.Reserved, Detail: fmt.Sprintf("%d members of the minimum are still to run", waiting)}
	}
	v := gang.Verdict{Code: gang.Running}
	if lost := sum(g.lost); lost > 0 {
		v.Detail = fmt.Sprintf("%d members never came, and their room was given back", lost)
	}
	return v
}

// explain orders the verdict to be shown when its kind has changed.
func (m *Machine) explain(g *group) {
	if g.verdict.Code != gang.Collecting {
		g.collectingUntil = time.Time{}
	} else if m.collectsInTime(g) {
		return
	}
	if g.verdict.Code == g.explained {
		return
	}
	g.explained = g.verdict.Code
	var waiting []gang.PodID
	for _, mem := range g.sorted(func(mem *member) bool { return mem.state != bound }) {
		waiting = append(waiting, mem.ID)
	}
	m.decide(Explain{Gang: g.decl.ID, Owner: g.decl.Owner, Verdict: g.verdict, Waiting: waiting})
}

// collectsInTime says that it is too early to complain of missing members.
func (m *Machine) collectsInTime(g *group) bool {
	switch {
	case g.explained == gang.Collecting:
		return false
	case g.collectingUntil.IsZero():
		g.collectingUntil = m.now.Add(m.opts.CollectTimeout)
		m.alarmAt(g, g.collectingUntil)
		return true
	default:
		return g.collectingUntil.After(m.now)
	}
}

// report orders a status when the phase changes, or the minimum becomes whole
// or broken; not for every member.
func (m *Machine) report(g *group) {
	if !g.declared {
		return
	}
	now := Status{Gang: g.decl.ID, Owner: g.decl.Owner, Phase: g.phase, Bound: g.count(bound), Min: g.size()}
	old := g.reported
	if old.Phase == now.Phase && (old.Bound >= old.Min) == (now.Bound >= now.Min) {
		return
	}
	g.reported = now
	m.decide(now)
}
