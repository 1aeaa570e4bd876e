package core

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
)

// alarm is when a gang has to be looked at if nothing happens to it before.
type alarm struct {
	at   time.Time
	gang gang.ID
}

// alarms is a heap, the next one first. One that its gang does not know of any
// more is stale, and means nothing.
type alarms []alarm

func (a alarms) Len() int      { return len(a) }
func (a alarms) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a alarms) Less(i, j int) bool {
	return cmp.Or(a[i].at.Compare(a[j].at), cmp.Compare(a[i].gang, a[j].gang)) < 0
}

// Push implements heap.Interface.
func (a *alarms) Push(x any) { *a = append(*a, x.(alarm)) }

// Pop implements heap.Interface.
func (a *alarms) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// alarmAt has a gang looked at at a time, at the latest.
func (m *Machine) alarmAt(g *group, at time.Time) {
	if g.alarm.IsZero() || at.Before(g.alarm) {
		g.alarm = at
		heap.Push(&m.alarms, alarm{at, g.decl.ID})
	}
}

// nextAlarm returns the gang whose alarm is next, or nil.
func (m *Machine) nextAlarm() *group {
	for len(m.alarms) > 0 {
		next := m.alarms[0]
		if g := m.groups[next.gang]; g != nil && g.alarm.Equal(next.at) {
			return g
		}
		heap.Pop(&m.alarms)
	}
	return nil
}

// NextDeadline returns when a Tick is due if nothing happens before.
func (m *Machine) NextDeadline() (time.Time, bool) {
	g := m.nextAlarm()
	if g == nil {
		return time.Time{}, false
	}
	return g.alarm, true
}

// expire looks at the gangs whose time has come.
func (m *Machine) expire() {
	if !m.synced {
		return
	}
	for g := m.nextAlarm(); g != nil && !g.alarm.After(m.now); g = m.nextAlarm() {
		heap.Pop(&m.alarms)
		g.alarm = time.Time{}
		m.ring(g)
		if next := g.nextDeadline(m.now); !next.IsZero() {
			m.alarmAt(g, next)
		}
	}
}

// ring does what is due for a gang. The room of members that never came is
// given back: the owner has asked for more than it uses, and others wait.
func (m *Machine) ring(g *group) {
	m.touch(g)
	if !g.retryAt.After(m.now) && !g.retryAt.IsZero() {
		g.retryAt, g.tried = time.Time{}, false
		if g.attempts >= m.opts.MaxAttempts {
			g.attempts = 0
		}
	}
	if g.dropVetoes(m.now) {
		g.tried = false
	}
	if g.decl.BelowMinimum.Policy != gang.Continue {
		return // it goes as a whole, or not at all
	}
	overdue := g.overdue(m.now)
	if len(overdue) > 0 {
		m.backOff(g)
	}
	for _, slot := range overdue {
		g.lost[m.book.Slot(slot).Role]++
		m.release(g, slot)
	}
}

func (g *group) overdue(now time.Time) []ledger.SlotID {
	var out []ledger.SlotID
	for id, t := range g.deadlines {
		if !t.After(now) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// nextDeadline is the first time after now at which something is due.
func (g *group) nextDeadline(now time.Time) time.Time {
	var next time.Time
	consider := func(t time.Time) {
		if t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	consider(g.retryAt)
	consider(g.collectingUntil)
	consider(g.startsAt)
	for _, at := range g.clearsAt {
		consider(at)
	}
	if g.decl.BelowMinimum.Policy != gang.Continue {
		consider(g.wholeBy)
	}
	consider(g.ask.due)
	for _, t := range g.deadlines {
		consider(t)
	}
	for _, nodes := range g.vetoes {
		for _, v := range nodes {
			consider(v.until)
		}
	}
	return next
}

// await gives an unclaimed slot the time in which its member must come.
func (m *Machine) await(g *group, id ledger.SlotID, within time.Duration) {
	g.deadlines[id] = m.now.Add(within)
	m.alarmAt(g, g.deadlines[id])
}

// retryLater keeps a gang from being planned for a while.
func (m *Machine) retryLater(g *group, after time.Duration) {
	g.retryAt = m.now.Add(after)
	m.alarmAt(g, g.retryAt)
}

// failed counts a start that came to nothing. A gang of which too many did, one
// after the other, steps back for a while and lets others pass.
func (m *Machine) failed(g *group, code gang.Code) {
	if g.attempts++; g.attempts < m.opts.MaxAttempts {
		return
	}
	m.retryLater(g, m.opts.VetoTimeout)
	g.tried, g.triedAt, g.blocks = true, m.book.Changes(), false
	g.judged = gang.Verdict{Code: code, Detail: g.veto}
}

// release frees slots of a gang.
func (m *Machine) release(g *group, ids ...ledger.SlotID) {
	for _, id := range ids {
		delete(g.deadlines, id)
	}
	m.book.Release(ids...)
}

func (m *Machine) releaseAll(g *group) {
	for _, s := range m.book.OfGang(g.decl.ID) {
		m.release(g, s.ID)
	}
}

// forget removes a gang of which nothing is left.
func (m *Machine) forget(id gang.ID) {
	m.askNoMore(m.groups[id])
	delete(m.groups, id)
	delete(m.aside, id)
	m.short.Remove(id)
	m.elastic.Remove(id)
	m.queues.Remove(id)
}
