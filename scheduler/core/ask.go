package core

import (
	"reflect"
	"time"

	"muster.sh/muster/scheduler/gang"
)

// Lack is members of one role and shape for which there is no room.
type Lack struct {
	Role  string
	Shape gang.Shape
	// Pods are those that have a pod. Expected counts the others.
	Pods     []gang.PodID
	Expected int
}

// AskForRoom has cluster autoscalers told what a gang has no room for, in place
// of what they were told before. It is decided when that has lasted for a while,
// and again when it has changed for as long.
type AskForRoom struct {
	Gang  gang.ID
	Owner gang.Object
	Lacks []Lack
}

// AskNoMore takes AskForRoom back: more room would not help now.
type AskNoMore struct{ Gang gang.ID }

// AskFound tells that an earlier leader has asked for room for a gang.
type AskFound struct{ Gang gang.ID }

func (AskForRoom) isDecision() {}
func (AskNoMore) isDecision()  {}
func (AskFound) isEvent()      {}

// ask is what autoscalers were told of a gang.
type ask struct {
	stands bool
	// lacks is nil where it is not known what an earlier leader has asked for.
	lacks []Lack
	owner gang.Object
	// due is when what is lacked now, and is not asked for yet, will be, or when what
	// an earlier leader has asked for is taken back unless it is known to be lacking.
	due time.Time
}

func (a *ask) isFor(owner gang.Object, lacks []Lack) bool {
	return a.stands && a.owner == owner && reflect.DeepEqual(a.lacks, lacks)
}

func (m *Machine) askFound(id gang.ID) {
	g := m.group(id)
	g.ask.stands = true
	m.touch(g)
}

// keepAsking asks for the room that a gang lacks for as long as it does.
func (m *Machine) keepAsking(g *group) {
	if m.opts.AskAfter == 0 {
		return
	}
	lacks := m.lacks(g)
	switch {
	case len(lacks) == 0 && m.learns(g):
		if g.ask.due.IsZero() {
			g.ask.due = m.now.Add(m.opts.CollectTimeout)
			m.alarmAt(g, g.ask.due)
		}
	case len(lacks) == 0:
		m.askNoMore(g)
	case g.ask.isFor(g.decl.Owner, lacks):
		g.ask.due = time.Time{}
	case g.ask.due.IsZero():
		g.ask.due = m.now.Add(m.opts.AskAfter)
		m.alarmAt(g, g.ask.due)
	case !g.ask.due.After(m.now):
		g.ask = ask{stands: true, lacks: lacks, owner: g.decl.Owner}
		m.decide(AskForRoom{Gang: g.decl.ID, Owner: g.decl.Owner, Lacks: lacks})
	}
}

// learns says that it is not known yet whether a gang for which an earlier leader has
// asked lacks room: its members or its declaration may still be being read.
func (m *Machine) learns(g *group) bool {
	return g.ask.stands && g.ask.lacks == nil && m.code(g) == gang.Collecting && (g.ask.due.IsZero() || g.ask.due.After(m.now))
}

func (m *Machine) askNoMore(g *group) {
	if g.ask.stands {
		m.decide(AskNoMore{Gang: g.decl.ID})
	}
	g.ask = ask{}
}

// lacks is what a gang has no room for: to start, or, once it has started, for
// members of its minimum and those above it that have come.
func (m *Machine) lacks(g *group) []Lack {
	n := need{}
	switch {
	case g.phase == Waiting && m.blockedByRoom(g):
		n = m.need(g)
	case g.phase == Started && m.short.Position(g.decl.ID)+m.elastic.Position(g.decl.ID) > 0:
		if n = m.need(g); !g.bounded {
			n.members = m.admissible(g, n.expected)
		}
	}
	return n.lacks()
}

// blockedByRoom says whether more room would let a waiting gang start.
func (m *Machine) blockedByRoom(g *group) bool {
	switch m.code(g) {
	case gang.NoRoom, gang.TooBig:
		return true
	case gang.OverQuota, gang.NeverInQueue:
		return g.quota.OfRoom()
	case gang.Behind:
		return m.awaited
	}
	return false
}

// admissible are the members of a started gang that wait in the hold and are not
// more than may run beside those that are expected.
func (m *Machine) admissible(g *group, expected []expectation) []*member {
	left := map[string]int{}
	for _, r := range g.decl.Roles {
		left[r.Name] = max(m.allowed(g, r.Name, true), m.allowed(g, r.Name, false))
	}
	for _, e := range expected {
		left[e.role.Name] -= e.count
	}
	var out []*member
	for _, mem := range m.unslotted(g) {
		if n, limited := left[mem.Role]; limited && n <= 0 {
			continue
		} else if limited {
			left[mem.Role]--
		}
		out = append(out, mem)
	}
	return out
}

// lacks counts a need by role and shape.
func (n need) lacks() []Lack {
	var out []Lack
	at := map[string]int{}
	of := func(key, role string, s *gang.Shape) *Lack {
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			out = append(out, Lack{Role: role, Shape: *s})
		}
		return &out[i]
	}
	for _, mem := range n.members {
		l := of(mem.key, mem.Role, &mem.Shape)
		l.Pods = append(l.Pods, mem.ID)
	}
	for _, e := range n.expected {
		of(wantKey(e.role.Name, &e.role.Shape), e.role.Name, &e.role.Shape).Expected += e.count
	}
	return out
}

// reviewBehind has gangs looked at to which nothing has happened, when the queue
// begins or ceases to wait for room.
func (m *Machine) reviewBehind() {
	awaited := m.opts.AskAfter > 0 && m.roomIsAwaited()
	if awaited == m.awaited {
		return
	}
	m.awaited = awaited
	for e := range m.queues.All() {
		m.reviewed[e.Gang] = true
	}
}

// roomIsAwaited says whether a gang of which room keeps the turn from others is
// there: in the queue, or among those that have started and are short of members.
func (m *Machine) roomIsAwaited() bool {
	if m.short.Len() > 0 {
		return true
	}
	for e := range m.queues.All() {
		if m.groups[e.Gang].blocks {
			return true
		}
	}
	return false
}
