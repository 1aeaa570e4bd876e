package core

import (
	"fmt"
	"slices"
	"time"

	"muster.sh/muster/scheduler/gang"
)

// Room that is held for members who never come keeps others waiting for nothing. The
// tenant whose gang does that, which is a namespace, waits with its next gangs that expect
// members: for Options.BackOff, and twice as long each further time. It is forgiven once
// all have come who are expected of one of its gangs.

// maxBackOff is the longest that a tenant waits.
const maxBackOff = 30 * time.Minute

// backoff is how often in a row members of a tenant never came, and how long it waits for
// the last time.
type backoff struct {
	times int
	wait  time.Duration
	until time.Time
}

// backOff lets the tenant of a gang wait of which not all have come in time.
func (m *Machine) backOff(g *group) {
	if m.opts.BackOff == 0 || g.complete {
		return
	}
	b := m.backoffs[g.decl.Owner.Namespace]
	b.times++
	b.wait = max(m.opts.BackOff, min(2*b.wait, maxBackOff))
	b.until = m.now.Add(b.wait)
	m.backoffs[g.decl.Owner.Namespace] = b
	m.touchWaiting(g.decl.Owner.Namespace)
}

// noteComplete notes that all have come who are expected of a started gang.
func (m *Machine) noteComplete(g *group) {
	if g.phase != Started || g.complete || sum(g.lost) > 0 || !g.isWhole() {
		return
	}
	g.complete = true
	if _, waits := m.backoffs[g.decl.Owner.Namespace]; waits && g.expects() {
		delete(m.backoffs, g.decl.Owner.Namespace)
		m.touchWaiting(g.decl.Owner.Namespace)
	}
}

// touchWaiting looks again at all gangs of a tenant that wait.
func (m *Machine) touchWaiting(namespace string) {
	for _, id := range sortedKeys(m.groups) {
		if g := m.groups[id]; g.phase == Waiting && g.decl.Owner.Namespace == namespace {
			m.touch(g)
		}
	}
}

// expects says whether members of the gang's minimum may have no pod when it starts.
func (g *group) expects() bool {
	return slices.ContainsFunc(g.decl.Roles, func(r gang.Role) bool { return r.Expected && r.Min > 0 })
}

// backsOff says until when a gang waits because members of its tenant never came. It is
// zero if it does not.
func (m *Machine) backsOff(g *group) time.Time {
	b := m.backoffs[g.decl.Owner.Namespace]
	if !b.until.After(m.now) || !g.expects() {
		return time.Time{}
	}
	return b.until
}

// backsOffBecause says the same in words; nothing if the gang does not wait so.
func (m *Machine) backsOffBecause(g *group) string {
	until := m.backsOff(g)
	if until.IsZero() {
		return ""
	}
	return fmt.Sprintf("members of this namespace for whom room was held never came, %d times in a row, so its gangs that expect members wait until %s",
		m.backoffs[g.decl.Owner.Namespace].times, until.UTC().Format(time.RFC3339))
}
