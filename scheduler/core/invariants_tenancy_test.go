package core

import (
	"fmt"
	"slices"

	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// Invariants of tenants' queues.

// queuesAreChargedRightly holds what queues are charged for against what the book has
// of all gangs.
func queuesAreChargedRightly(s Seen) error {
	m := s.Machine
	want := map[string]resource.Vector{}
	for id, g := range m.groups {
		if g.declared {
			want[m.queueOf(g)] = want[m.queueOf(g)].Add(m.book.Charge(id))
		}
	}
	for _, r := range m.queues.Records() {
		// Gangs that are not declared, and pods of those that have ended, are charged to
		// where they were.
		if !want[r.Name].Fits(r.Used) {
			return fmt.Errorf("queue %s is charged for %s, its gangs have %s", r.Name, r.Used, want[r.Name])
		}
	}
	if have, all := m.book.ChargedInAll(keeper), m.queues.Used(queue.Root); !have.Equal(all) {
		return fmt.Errorf("all queues are charged for %s, all gangs have %s", all, have)
	}
	return nil
}

// quotasAreKept holds that no gang starts, and no member above a minimum gets room, that
// takes its queue, or one above, over what it may have.
func quotasAreKept(s Seen) error {
	for _, g := range s.started() {
		if why := s.Machine.bars(g); why != "" {
			return fmt.Errorf("%s starts, and %s", g.decl.ID, why)
		}
		if b := s.Machine.backoffs[g.decl.Owner.Namespace]; g.expects() && b.until.After(s.Machine.now) {
			return fmt.Errorf("%s starts, and expects members, who never came %d times in its namespace", g.decl.ID, b.times)
		}
		if err := s.Machine.isWithinQuota(g, s.Machine.book.Charge(g.decl.ID)); err != nil {
			return err
		}
	}
	for _, slot := range s.Machine.allSlots() {
		mem := s.Machine.members[slot.Claimant]
		if slot.Elastic && s.Before.slots[slot.ID] == nil && mem != nil && mem.state != bound && !mem.roams {
			if err := s.Machine.isWithinQuota(s.Machine.groups[slot.Gang], slot.Shape.Request); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Machine) isWithinQuota(g *group, more resource.Vector) error {
	for _, at := range m.chain(g) {
		for _, limit := range at.Capability {
			if used := at.Used.Get(limit.Name); more.Get(limit.Name) > 0 && used > limit.Value {
				return fmt.Errorf("%s gets room, and queue %s has %s of %s", g.decl.ID, at.Name, resource.Format(limit.Name, used), resource.Format(limit.Name, limit.Value))
			}
		}
	}
	return nil
}

// queuesAreInOrder holds that within a queue nobody starts before one ahead of him who
// has to wait for quota.
func queuesAreInOrder(s Seen) error {
	for _, late := range s.started() {
		e := s.Machine.entry(late)
		for early := range s.Machine.queues.All() {
			g := s.Machine.groups[early.Gang]
			if early.Queue == e.Queue && byTurn(early, e) < 0 && !s.Machine.backfills(e.Queue) && s.Machine.waitsForQuota(g) && s.takesOf(late, g) {
				return fmt.Errorf("%s starts, and %s is before it in queue %s: %s", late.decl.ID, early.Gang, e.Queue, g.quota)
			}
		}
	}
	return nil
}

// waitsForQuota says that nothing else keeps a gang from its turn: one that would fit
// into no cluster, or that has stepped back, may be passed.
func (m *Machine) waitsForQuota(g *group) bool {
	return g.quota != nil && !g.quota.Never && !m.keptOut(g) && !m.steppedBack(g) &&
		fits(m.book.WithoutOthers("", nil), m.request(g, m.need(g)).Request)
}

// isGuaranteed says whether something is guaranteed to the queue of a gang, or to one
// above it.
func (m *Machine) isGuaranteed(g *group) bool {
	return slices.ContainsFunc(m.chain(g), func(r queue.Record) bool { return !r.Guaranteed.IsZero() })
}

// chain is the queue of a gang and those above it.
func (m *Machine) chain(g *group) []queue.Record {
	records := map[string]queue.Record{}
	for _, r := range m.queues.Records() {
		records[r.Name] = r
	}
	var out []queue.Record
	for at := records[m.queueOf(g)]; at.Name != ""; at = records[at.Parent] {
		out = append(out, at)
	}
	return out
}

// backfills says whether others of a queue may pass one for which it has no quota.
func (m *Machine) backfills(name string) bool {
	return slices.ContainsFunc(m.queues.Records(), func(r queue.Record) bool { return r.Name == name && r.Backfill })
}
