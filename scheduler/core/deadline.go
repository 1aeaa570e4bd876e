package core

import (
	"slices"
	"time"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
)

// NextDeadline returns when a Tick is due if nothing happens before.
func (m *Machine) NextDeadline() (time.Time, bool) {
	var next time.Time
	for id := range m.timed {
		if t := m.groups[id].nextDeadline(); !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next, !next.IsZero()
}

func (g *group) nextDeadline() time.Time {
	next := g.retryAt
	if t := g.collectingUntil; !t.IsZero() && (next.IsZero() || t.Before(next)) {
		next = t
	}
	for _, t := range g.deadlines {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	return next
}

// await gives an unclaimed slot the time in which its member must come.
func (m *Machine) await(g *group, id ledger.SlotID) {
	g.deadlines[id] = m.now.Add(m.opts.ExpectedTimeout)
	m.timed[g.decl.ID] = true
}

// retryLater keeps a gang from being planned for a while.
func (m *Machine) retryLater(g *group, after time.Duration) {
	g.retryAt = m.now.Add(after)
	m.timed[g.decl.ID] = true
}

func (m *Machine) retryAfterVeto(g *group) {
	g.attempts = m.opts.MaxAttempts
	m.retryLater(g, m.opts.VetoTimeout)
}

// expire gives back the room of members that never came: the owner has asked
// for more than it uses, and others wait.
func (m *Machine) expire() {
	if !m.synced {
		return
	}
	for _, id := range sortedKeys(m.timed) {
		g := m.groups[id]
		if !g.retryAt.IsZero() && !g.retryAt.After(m.now) {
			g.retryAt, g.attempts, g.tried = time.Time{}, 0, false
			m.touch(g)
		}
		if !g.collectingUntil.IsZero() {
			m.reviewed[id] = true
		}
		for _, slot := range g.overdue(m.now) {
			g.done[m.book.Slot(slot).Role]++
			g.lost++
			m.release(g, slot)
			m.touch(g)
		}
		if g.nextDeadline().IsZero() {
			delete(m.timed, id)
		}
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

// release frees slots of a gang.
func (m *Machine) release(g *group, ids ...ledger.SlotID) {
	for _, id := range ids {
		delete(g.deadlines, id)
	}
	m.book.Release(ids...)
}

func (m *Machine) releaseAll(g *group) {
	var ids []ledger.SlotID
	for _, s := range m.book.OfGang(g.decl.ID) {
		ids = append(ids, s.ID)
	}
	m.release(g, ids...)
}

// forget removes a gang of which nothing is left.
func (m *Machine) forget(id gang.ID) {
	delete(m.groups, id)
	delete(m.timed, id)
	delete(m.short, id)
	delete(m.elastic, id)
	m.queue.Remove(id)
}
