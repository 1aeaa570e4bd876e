package core

import (
	"math"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
)

// fills is what came of offering room to a started gang. It holds until the
// gang changes, or the room does.
type fills struct {
	minimum, elastic attempt
	// helped says that the gang gets what it lacks once others have gone, as it
	// was when it was asked.
	helped, known bool
	asked         ledger.Changes
}

// attempt is one at giving members room, after which there was none for any
// more of them.
type attempt struct {
	made  bool
	freed uint64
}

// repair gives room to started gangs that lack members of their minimum, the
// oldest first, as far as there is room. It reports whether none of them waits
// for room to come: until then no other gang starts.
func (m *Machine) repair() bool {
	free := true
	for e := range m.short.All() {
		g := m.groups[e.Gang]
		m.fillUp(g, m.need(g).expected, false)
		if m.stuck(g) {
			m.releaseAll(g)
			m.startOver(g)
			m.enroll(g)
		}
		free = free && (m.short.Position(e.Gang) == 0 || !m.helpedByRoom(g))
	}
	return free
}

// stuck says that nothing of a started gang runs or is on its way, and that
// there is no room for a member that is there: its bind has failed after the
// latch had opened. What is held for the others is of no use without it.
func (m *Machine) stuck(g *group) bool {
	return g.all[bound] == 0 && !g.inFlight() && len(m.need(g).members) > 0 && m.book.Holding(g.decl.ID).Claimed == 0
}

// extend gives room to members above their gang's minimum.
func (m *Machine) extend() {
	for e := range m.elastic.All() {
		m.fillUp(m.groups[e.Gang], nil, true)
	}
}

// helpedByRoom says whether a started gang that lacks members will get all of
// them once other gangs have gone.
func (m *Machine) helpedByRoom(g *group) bool {
	if f := &g.fills; !f.known || f.asked != m.book.Changes() {
		_, v := planner.Plan(m.book.WithoutOthers(g.decl.ID, nil), m.request(g, m.need(g)).Request)
		f.helped, f.known, f.asked = v.Code == "", true, m.book.Changes()
	}
	return g.fills.helped
}

// fillUp is fill, unless that was tried and no room was freed since.
func (m *Machine) fillUp(g *group, expected []expectation, elastic bool) {
	last := &g.fills.minimum
	if elastic {
		last = &g.fills.elastic
	}
	if last.made && last.freed == m.book.Changes().Freed {
		return
	}
	some, bounded := m.fill(g, expected, elastic)
	if some {
		m.settleGroup(g)
	}
	if bounded || g.bounded {
		m.reviewed[g.decl.ID] = true // what it lacks may have changed
	}
	g.bounded = bounded
	*last = attempt{!bounded, m.book.Changes().Freed}
}

// fill holds room for members that wait in the hold, and for expected ones, as
// far as there is room and the gang may have it, and releases the members that
// got some. Of a gang that lacks members any will do, so that one for which
// there is no room does not keep the others from making the gang whole. It
// reports whether anybody got room, and whether the queue has no quota for some of them.
func (m *Machine) fill(g *group, expected []expectation, elastic bool) (some, bounded bool) {
	n := need{members: m.unslotted(g), expected: expected}
	r := m.request(g, n)
	for w := range r.Wants {
		want := r.Wants[w]
		want.Count = min(want.Count, m.allowed(g, want.Role, elastic))
		if elastic && want.Count > 0 {
			within := m.quotaFor(g, &want)
			bounded = bounded || within < want.Count
			want.Count = within
		}
		if want.Count <= 0 || m.isFull(r.keys[w]) {
			continue
		}
		one := r.Request
		one.Wants = []planner.Want{want}
		var shares []planner.Share
		m.book.Read(func(v cluster.View) { shares = planner.Fill(v, one) })
		for i := range shares {
			shares[i].Want = w
		}
		slots := r.slots(g, n, shares)
		for i := range slots {
			slots[i].Elastic = elastic
		}
		if len(slots) < want.Count && r.Anywhere() {
			m.full[r.keys[w]] = true
		}
		txn := m.book.Begin()
		txn.Hold(slots...)
		if held, err := txn.Commit(); err == nil && len(held) > 0 {
			m.send(g, held)
			some = true
		}
	}
	return some, bounded
}

// isFull says that there is no room for one more member of this kind, as was
// found for another gang since room was freed last.
func (m *Machine) isFull(key string) bool {
	if freed := m.book.Changes().Freed; m.fullAt != freed {
		m.fullAt = freed
		clear(m.full)
	}
	return m.full[key]
}

// allowed is how many slots more a role may have: as many as the minimum
// lacks, or above it as many as its maximum leaves.
func (m *Machine) allowed(g *group, role string, elastic bool) int {
	r, declared := g.decl.Role(role)
	switch t := m.book.Holding(g.decl.ID).Roles[role]; {
	case !elastic:
		return m.lack(g, role)
	case !declared || r.Max < 0:
		return math.MaxInt
	default:
		return r.Max - t.Minimum - t.Elastic
	}
}

func (m *Machine) send(g *group, slots []*ledger.Slot) {
	for _, s := range slots {
		if mem := m.members[s.Claimant]; mem != nil {
			m.place(mem, s, g.epoch, nil)
		} else {
			m.await(g, s.ID, m.opts.ExpectedTimeout)
		}
	}
}
