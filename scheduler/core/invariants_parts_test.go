package core

import (
	"fmt"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// Invariants of what queues limit by itself: room for members that have no pod yet, and what
// is not preemptible.

// expectedRoomIsLimited holds that by no start a queue, or one above it, comes to hold more
// for members without a pod than it may.
func expectedRoomIsLimited(s Seen) error {
	fresh := map[gang.ID]bool{}
	for _, g := range s.started() {
		fresh[g.decl.ID] = true
	}
	for _, g := range s.started() {
		own := s.Machine.unclaimedOf(g)
		for _, at := range s.Machine.chain(g) {
			for _, limit := range at.MaxExpected {
				held := s.expectedIn(at.Name, fresh).Get(limit.Name)
				if own.Get(limit.Name) > 0 && held > limit.Value {
					return fmt.Errorf("%s starts, and queue %s holds %s of %s for members without a pod", g.decl.ID, at.Name, resource.Format(limit.Name, held), resource.Format(limit.Name, limit.Value))
				}
			}
		}
	}
	return nil
}

func (m *Machine) unclaimedOf(g *group) resource.Vector {
	var sum resource.Vector
	for _, slot := range m.book.OfGang(g.decl.ID) {
		if slot.Claimant == "" {
			sum = sum.Add(slot.Shape.Request)
		}
	}
	return sum
}

// expectedIn is what is held in a queue, and those below it, for members without a pod: by
// gangs that start in this step, and by others since before. What a started gang has lost
// comes back whatever others hold.
func (s Seen) expectedIn(name string, fresh map[gang.ID]bool) resource.Vector {
	var sum resource.Vector
	for id, g := range s.Machine.groups {
		if !s.Machine.isIn(g, name) {
			continue
		}
		for _, slot := range s.Machine.book.OfGang(id) {
			if slot.Claimant == "" && (fresh[id] || s.Before.slots[slot.ID] != nil) {
				sum = sum.Add(slot.Shape.Request)
			}
		}
	}
	return sum
}

func (m *Machine) isIn(g *group, name string) bool {
	for _, at := range m.chain(g) {
		if at.Name == name {
			return true
		}
	}
	return false
}

// grantsAreLimited holds that no queue grants gangs more as non-preemptible than it may, and
// that who starts with such a claim has what it claims.
func grantsAreLimited(s Seen) error {
	m := s.Machine
	for _, g := range s.started() {
		if m.claims(g) && !m.roomOfMinimum(g).Fits(g.grant.of) {
			return fmt.Errorf("%s starts, and is granted %s of %s", g.decl.ID, g.grant.of, m.roomOfMinimum(g))
		}
	}
	for id, g := range m.groups {
		if !g.isNonPreemptible() {
			continue
		}
		before := s.Before.gangs[id].grant
		if g.phase == Waiting || g.phase == Collecting || g.phase == Started && (!g.decl.NonPreemptible || g.grant.queue != m.queueOf(g)) {
			return fmt.Errorf("%s is %s, and is granted %s", id, g.phase, g.grant.of)
		}
		if before.queue != g.grant.queue || s.Before.gangs[id].epoch != g.epoch && g.phase != Leaving {
			before = grant{}
		}
		if err := m.isWithinGrants(g, g.grant.of.Short(before.of)); err != nil {
			return err
		}
	}
	return nil
}

// isWithinGrants compares what the queues of a gang have granted with what they may, of what
// the gang is granted anew.
func (m *Machine) isWithinGrants(g *group, more resource.Vector) (err error) {
	for _, at := range m.chain(g) {
		var granted resource.Vector
		for _, other := range m.groups {
			if m.isIn(other, at.Name) {
				granted = granted.Add(other.grant.of)
			}
		}
		more.Each(func(name string, _ int64) {
			limit := at.Entitled.Get(name)
			if own, named := at.MaxNonPreemptible.Get(name); named {
				limit = min(limit, own)
			}
			if has := granted.Get(name); has > limit && err == nil {
				err = fmt.Errorf("%s is granted more, and queue %s has granted %s of %s", g.decl.ID, at.Name, resource.Format(name, has), resource.Format(name, limit))
			}
		})
	}
	if !more.IsZero() && !m.queues.Grants(m.queueOf(g)) {
		return fmt.Errorf("%s is granted %s, and no queue grants any", g.decl.ID, more)
	}
	return err
}

// nonPreemptibleIsSpared holds that nobody is evicted to make room who is not preemptible,
// but for members above a minimum.
func nonPreemptibleIsSpared(s Seen) error {
	for _, u := range s.moved() {
		if g := s.Machine.groups[u.Gang]; u.Whole && g.isNonPreemptible() {
			return fmt.Errorf("%s is evicted, and queue %s has granted that it is not", u.Gang, g.grant.queue)
		}
	}
	return nil
}

// takesOf says whether a gang that has started took something for which an earlier one waits,
// where that is quota. Where it is a part, it is any part that the earlier one asks for, as
// long as it has waited for one.
func (s Seen) takesOf(late, early *group) bool {
	if !early.quota.OfPart() {
		return true
	}
	if before := s.Before.gangs[early.decl.ID].quota; before == nil || !before.OfPart() {
		return false
	}
	asks, takes := s.Machine.demand(early, s.Machine.need(early)), false
	asks.Expected.Each(func(name string, _ int64) { takes = takes || s.Machine.unclaimedOf(late).Get(name) > 0 })
	asks.NonPreemptible.Each(func(name string, _ int64) { takes = takes || late.grant.of.Get(name) > 0 })
	return takes
}

// Parts says, for tests of whether it occurs, whether a gang waits because of each part that
// is limited by itself, and how many are granted to be non-preemptible.
func (m *Machine) Parts() (waits map[queue.Part]bool, granted int) {
	waits = map[queue.Part]bool{}
	for _, g := range m.groups {
		if g.phase == Waiting && g.quota != nil && !g.quota.Never {
			waits[g.quota.Part] = true
		}
		if g.isNonPreemptible() {
			granted++
		}
	}
	return waits, granted
}
