package core

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster.sh/muster/scheduler/gang"
)

// review brings what is stored and shown of the gangs that the step has touched
// up to date: their Reservations, what autoscalers are asked for, and verdicts and
// statuses where they are of another kind than before.
func (m *Machine) review() {
	m.reviewBehind()
	for _, id := range sortedKeys(m.reviewed) {
		if g := m.groups[id]; g != nil {
			m.keepReservation(g)
			m.explain(g)
			g.noteWhole()
			m.report(g)
			m.keepAsking(g)
		}
	}
	if len(m.reviewed) > 0 {
		m.reviewed = map[gang.ID]bool{}
	}
}

// code is the kind of a gang's verdict.
func (m *Machine) code(g *group) gang.Code {
	switch {
	case !g.declared && g.refused.Code != "":
		return g.refused.Code
	case g.phase == Collecting:
		return gang.Collecting
	case g.keepsTrying():
		return g.explained
	case m.movesFor(g):
		return gang.MakingRoom
	case g.phase == Waiting && m.bars(g) != "":
		return gang.Barred
	case g.phase == Waiting && !m.backsOff(g).IsZero():
		return gang.BackedOff
	case g.phase == Waiting && g.quota != nil:
		return quotaCode(g.quota)
	case g.phase == Waiting && !g.tried:
		return gang.Behind
	case g.phase == Waiting:
		return g.judged.Code
	case g.phase == Leaving:
		return g.leaving().Code
	case g.phase != Started || m.isStarting(g):
		return gang.Reserved
	case m.isShort(g):
		return gang.Short
	default:
		return gang.Running
	}
}

// keepsTrying says that the gang makes one attempt after another. It is not
// told of each: what was said last stays until one succeeds, or too many have
// failed.
func (g *group) keepsTrying() bool {
	switch g.explained {
	case gang.Vetoed, gang.NotStored:
		return g.starting() || g.busy()
	case gang.Reserved:
		return g.phase == Waiting && !g.tried && g.attempts > 0
	}
	return false
}

// verdict is why a gang is where it is.
func (m *Machine) verdict(g *group) gang.Verdict {
	switch code := m.code(g); {
	case code == g.refused.Code:
		return g.refused
	case code == gang.Collecting:
		return m.collecting(g)
	case code == gang.Behind:
		return gang.Verdict{Code: code, Queue: m.queueOf(g), Position: m.queues.Position(g.decl.ID), WaitingFor: m.head(g)}
	case code == gang.Barred:
		return gang.Verdict{Code: code, Queue: m.queueOf(g), Detail: m.bars(g)}
	case code == gang.BackedOff:
		return gang.Verdict{Code: code, Queue: m.queueOf(g), Detail: m.backsOffBecause(g)}
	case code == gang.OverQuota, code == gang.NeverInQueue:
		return gang.Verdict{Code: code, Queue: m.queueOf(g), Detail: g.quota.String()}
	case code == gang.MakingRoom:
		return gang.Verdict{Code: code, Detail: m.move.told}
	case g.phase == Waiting && g.tried, code == gang.Vetoed, code == gang.NotStored:
		return g.judged.Because(g.vain)
	case g.phase == Started:
		return m.started(g, code)
	case g.phase == Leaving:
		return g.leaving()
	default:
		return gang.Verdict{Code: code}
	}
}

func (m *Machine) collecting(g *group) gang.Verdict {
	v := gang.Verdict{Code: gang.Collecting}
	if !g.declared {
		v.Detail = "the gang is not declared yet"
		return v
	}
	v.Detail = fmt.Sprintf("%d members are there, %d more are needed", len(g.members), g.missing())
	return v
}

// head is the owner of the first gang in the queue of a gang, if it is another gang of
// the same namespace.
func (m *Machine) head(g *group) gang.Object {
	e, ok := m.queues.Head(g.decl.ID)
	if !ok || e.Gang == g.decl.ID {
		return gang.Object{}
	}
	first := m.groups[e.Gang].decl.Owner
	if first.Namespace != g.decl.Owner.Namespace {
		return gang.Object{}
	}
	return first
}

// isShort says whether a started gang holds less than its minimum.
func (m *Machine) isShort(g *group) bool {
	have := 0
	for _, t := range m.book.Holding(g.decl.ID).Roles {
		have += t.Minimum
	}
	return have < g.size()
}

// isStarting says whether a started gang that is not short has room for its
// minimum in which no member runs yet. The youngest slots are looked at first:
// they are filled last.
func (m *Machine) isStarting(g *group) bool {
	slots := m.book.Holding(g.decl.ID).Slots
	if len(slots) == g.all[bound] || m.isShort(g) {
		return false
	}
	for _, s := range slices.Backward(slots) {
		if !s.Elastic && m.book.Counts(s) {
			return true
		}
	}
	return false
}

func (m *Machine) started(g *group, code gang.Code) gang.Verdict {
	v := gang.Verdict{Code: code}
	switch code {
	case gang.Short:
		n := m.need(g)
		v.Detail, v.Wanted = g.veto, n.absent
		for _, mem := range n.members {
			v.Role, v.Wanted = mem.Role, v.Wanted+1
		}
		for _, e := range n.expected {
			v.Role, v.Wanted = e.role.Name, v.Wanted+e.count
		}
	case gang.Reserved:
		waiting := 0
		for _, s := range m.book.Holding(g.decl.ID).Slots {
			if !s.Elastic && m.book.Counts(s) {
				waiting++
			}
		}
		v.Detail = fmt.Sprintf("%d members of the minimum are still to run", waiting)
	case gang.Running:
		var told []string
		if lost := sum(g.lost); lost > 0 {
			told = append(told, fmt.Sprintf("%d members never came, and their room was given back", lost))
		}
		if claim := m.tellGrant(g); claim != "" {
			told = append(told, claim)
		}
		v.Detail = strings.Join(told, "; ")
	}
	return v
}

// explain orders the verdict to be shown when its kind has changed.
func (m *Machine) explain(g *group) {
	code := m.code(g)
	if code != g.since.code {
		g.since.code, g.since.at = code, m.now
	}
	if code != gang.Collecting {
		g.collectingUntil = time.Time{}
	} else if m.collectsInTime(g) {
		return
	}
	if code == g.explained {
		return
	}
	inVain := g.decl.NonPreemptible && !g.isNonPreemptible()
	if g.decl.Alone && (code == gang.Reserved || code == gang.Running && !inVain) {
		return // of one pod kube-scheduler tells that itself
	}
	g.explained = code
	var waiting []gang.PodID
	for _, mem := range g.order {
		if mem.state != bound {
			waiting = append(waiting, mem.ID)
		}
	}
	m.decide(Explain{Gang: g.decl.ID, Owner: g.decl.Owner, Verdict: m.verdict(g), Waiting: waiting})
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

// report orders a status when it is of another kind than the last one; not for
// every member.
func (m *Machine) report(g *group) {
	if !g.declared {
		return
	}
	now := Status{Gang: g.decl.ID, Owner: g.decl.Owner, Phase: g.phase, Members: len(g.members), Bound: g.all[bound], Min: g.size()}
	old := g.reported
	if old.Phase == now.Phase && old.whole() == now.whole() && old.empty() == now.empty() {
		return
	}
	g.reported = now
	m.decide(now)
}

func (s Status) whole() bool { return s.Bound >= s.Min }

// empty says that the gang has no member yet. Its owner may wait for a word
// before it creates any.
func (s Status) empty() bool { return s.Gang != "" && s.Phase == Collecting && s.Members == 0 }
