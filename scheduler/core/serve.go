package core

import (
	"math"
	"slices"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
)

// settleGroup brings one gang in order after something happened to it.
func (m *Machine) settleGroup(g *group) {
	if g.phase == Started {
		m.serve(g)
		if m.over(g) {
			m.startOver(g)
		}
	}
	if g.phase == Collecting || g.phase == Waiting {
		m.enroll(g)
	}
	if g.phase == Started {
		m.keepReservation(g)
	}
	m.reviewed[g.decl.ID] = true
	if len(g.members) == 0 && !g.declared && g.refused.Code == "" {
		m.dropReservation(g)
		m.forget(g.decl.ID)
	}
}

// over says that of a started gang nothing runs, and that no room waits for any
// of it.
func (m *Machine) over(g *group) bool {
	return g.count(bound) == 0 && len(m.book.OfGang(g.decl.ID)) == 0
}

// startOver makes a gang that is over wait for its next start as a whole.
func (m *Machine) startOver(g *group) {
	if g.inFlight() {
		m.decide(ShutLatch{Gang: g.decl.ID, Epoch: g.epoch, Reason: "nothing of the gang runs any more"})
	}
	m.dropReservation(g)
	clear(g.lost)
	delete(m.short, g.decl.ID)
	delete(m.elastic, g.decl.ID)
	g.phase, g.tried = Collecting, false
	m.moot = false
}

// enroll puts a gang into the queue as soon as it is whole, and takes it out
// when it is not any more. One that is bound in part is completed instead.
func (m *Machine) enroll(g *group) {
	if !g.declared {
		g.phase = Collecting
		m.queue.Remove(g.decl.ID)
		return
	}
	if g.runs() && !g.busy() {
		m.resume(g)
		return
	}
	if g.size() == 0 {
		clear(g.ended) // all of it has run: its owner runs it once more
	}
	if n := m.need(g); !n.whole || len(g.members) == 0 {
		g.phase = Collecting
		m.queue.Remove(g.decl.ID)
		return
	}
	g.phase = Waiting
	m.queue.Add(queueEntry(g))
}

// serve looks after a started gang: members claim the slots that wait for
// them; what is lacking of the minimum, and other members in the hold, wait for
// room.
func (m *Machine) serve(g *group) {
	m.adopt(g)
	m.claim(g)
	m.balance(g)
	n := m.need(g)
	setOrDelete(m.short, g.decl.ID, !n.empty())
	setOrDelete(m.elastic, g.decl.ID, len(m.unslotted(g)) > 0)
}

func setOrDelete(set map[gang.ID]bool, id gang.ID, in bool) {
	if in {
		set[id] = true
		return
	}
	delete(set, id)
}

// unslotted are the members that wait in the hold without a slot.
func (m *Machine) unslotted(g *group) []*member {
	return g.sorted(func(mem *member) bool {
		return mem.state == held && !mem.terminating && m.book.ClaimedBy(mem.ID) == nil
	})
}

// adopt enters slots for members that are bound without one: they came from an
// earlier leader, or from somebody else.
func (m *Machine) adopt(g *group) {
	for _, mem := range g.sorted(func(mem *member) bool { return mem.state == bound }) {
		if m.book.ClaimedBy(mem.ID) != nil {
			continue
		}
		m.book.Adopt(ledger.Slot{Gang: g.decl.ID, Role: mem.Role, Node: mem.node, Shape: mem.Shape, Claimant: mem.ID, Elastic: m.lack(g, mem.Role) <= 0})
	}
}

// claim gives slots that wait to members that have come.
func (m *Machine) claim(g *group) {
	var free []*ledger.Slot
	for _, s := range m.book.OfGang(g.decl.ID) {
		if s.Claimant == "" {
			free = append(free, s)
		}
	}
	if len(free) == 0 {
		return
	}
	for _, mem := range m.unslotted(g) {
		i := slices.IndexFunc(free, func(s *ledger.Slot) bool { return m.mayClaim(g, mem, s) })
		if i < 0 {
			continue
		}
		s := free[i]
		free = slices.Delete(free, i, i+1)
		delete(g.deadlines, s.ID)
		m.book.Claim(s.ID, mem.ID)
		m.place(mem, s, g.epoch, nil)
	}
}

func (m *Machine) mayClaim(g *group, mem *member, s *ledger.Slot) bool {
	node := m.book.Node(s.Node)
	excluded := m.vetoed(g)
	return s.Role == mem.Role && mem.Shape.Covers(&s.Shape) && node != nil &&
		len(cluster.Suits(node, &mem.Shape)) == 0 && (excluded == nil || !excluded(&mem.Shape, s.Node))
}

// lack is how many slots of the minimum a role may take; below zero, how many
// it has too many. It makes up for what any role may.
func (m *Machine) lack(g *group, role string) int {
	have := minimumSlots(m.book.OfGang(g.decl.ID))
	r, _ := g.decl.Role(role)
	own, others := g.minimum(r)-have[role], g.lackOfAnyRole(have)
	if own > 0 || others > 0 {
		return max(own, 0) + max(others, 0)
	}
	return max(own, others)
}

// balance moves slots between the minimum and the elastic part: a member above
// the minimum makes up for a lost one, and what the minimum has too many is
// given back.
func (m *Machine) balance(g *group) {
	for _, s := range m.book.OfGang(g.decl.ID) {
		lack := m.lack(g, s.Role)
		switch {
		case s.Elastic && lack > 0:
			m.book.SetElastic(s.ID, false)
		case !s.Elastic && lack < 0 && s.Claimant == "":
			m.release(g, s.ID)
		case !s.Elastic && lack < 0:
			m.book.SetElastic(s.ID, true)
		}
	}
}

// repair gives room to started gangs that lack members of their minimum, the
// oldest first, as far as there is room. It reports whether none of them waits
// for room to come: until then no other gang starts.
func (m *Machine) repair() bool {
	free := true
	for _, g := range m.byAge(m.short) {
		m.fill(g, m.need(g).expected, false)
		m.settleGroup(g)
		free = free && !(m.short[g.decl.ID] && m.helpedByRoom(g))
	}
	return free
}

// helpedByRoom says whether a started gang that lacks members will get all of
// them once other gangs have gone.
func (m *Machine) helpedByRoom(g *group) bool {
	_, v := planner.Plan(m.book.WithoutOthers(g.decl.ID, nil), m.request(g, m.need(g)))
	return v.Code == ""
}

// extend gives room to members above their gang's minimum.
func (m *Machine) extend() {
	for _, g := range m.byAge(m.elastic) {
		m.fill(g, nil, true)
		m.settleGroup(g)
	}
}

// fill holds room for members that wait in the hold, and for expected ones, as
// far as there is room and the gang may have it, and releases the members that
// got some. Of a gang that lacks members any will do, so that one for which
// there is no room does not keep the others from making the gang whole.
func (m *Machine) fill(g *group, expected []expectation, elastic bool) {
	n := need{members: m.unslotted(g), expected: expected}
	r := m.request(g, n)
	for w := range r.Wants {
		want := &r.Wants[w]
		if want.Count = min(want.Count, m.allowed(g, want.Role, elastic)); want.Count <= 0 {
			continue
		}
		shares := planner.Fill(m.book.View(), *want, r.Excluded)
		for i := range shares {
			shares[i].Want = w
		}
		slots := m.slots(g, n, r, shares)
		for i := range slots {
			slots[i].Elastic = elastic
		}
		txn := m.book.Begin()
		txn.Hold(slots...)
		held, err := txn.Commit()
		if err != nil {
			continue
		}
		m.send(g, held)
	}
}

// allowed is how many slots more a role may have: as many as the minimum
// lacks, or above it as many as its maximum leaves.
func (m *Machine) allowed(g *group, role string, elastic bool) int {
	r, declared := g.decl.Role(role)
	switch {
	case !elastic:
		return m.lack(g, role)
	case !declared || r.Max < 0:
		return math.MaxInt
	}
	have := 0
	for _, s := range m.book.OfGang(g.decl.ID) {
		if s.Role == role {
			have++
		}
	}
	return r.Max - have
}

func (m *Machine) send(g *group, slots []*ledger.Slot) {
	for _, s := range slots {
		if mem := m.members[s.Claimant]; mem != nil {
			m.place(mem, s, g.epoch, nil)
		} else {
			m.await(g, s.ID)
		}
	}
}

// byAge returns gangs of a set, the oldest first.
func (m *Machine) byAge(set map[gang.ID]bool) []*group {
	out := make([]*group, 0, len(set))
	for _, id := range sortedKeys(set) {
		out = append(out, m.groups[id])
	}
	slices.SortStableFunc(out, func(a, b *group) int { return a.decl.Created.Compare(b.decl.Created) })
	return out
}
