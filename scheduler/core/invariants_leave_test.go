package core

import (
	"fmt"
	"slices"
	"strings"

	"muster.sh/muster/scheduler/gang"
)

// Invariants of how a gang goes that has fallen below its minimum.

// evictionsAreInOrder says that only what runs of a gang that goes is evicted, once
// that is stored, the owner before those that it would replace, and nobody a second
// time while the first is under way.
func evictionsAreInOrder(s Seen) error {
	answered, _ := s.Event.(Evicted)
	for _, d := range s.Out {
		e, ok := d.(Evict)
		if !ok {
			continue
		}
		g := s.Machine.groups[e.Gang]
		switch mem := s.Machine.members[e.Pod]; {
		case g == nil || mem == nil || mem.Gang != e.Gang:
			return fmt.Errorf("%s is evicted, which is no member of %s", e.Pod, e.Gang)
		case s.Machine.move != nil && s.Machine.move.leaving[e.Pod], slices.Contains(s.Out, Decision(Spare{Gang: e.Gang, Pod: e.Pod})):
			// It is moved by itself, or spared at once.
		case g.phase != Leaving || !s.Leaving(e.Gang):
			return fmt.Errorf("%s is evicted of %s, which is %s; that it goes is stored: %t", e.Pod, e.Gang, g.phase, s.Leaving(e.Gang))
		case mem.state != bound || mem.terminating:
			return fmt.Errorf("%s is evicted, and does not run", e.Pod)
		case s.Before.evicting[e.Pod] && answered.ID != e.Pod:
			return fmt.Errorf("%s is evicted twice", e.Pod)
		}
		if owner := g.members[gang.PodID(g.decl.Owner.UID)]; g.phase == Leaving && owner != nil && owner.ID != e.Pod && owner.state == bound && !owner.terminating {
			return fmt.Errorf("%s is evicted before the owner of its gang, %s", e.Pod, owner.ID)
		}
	}
	return nil
}

// departuresGoOn says that nothing is held for a gang that goes but by what is bound
// of it, and that what runs of it is being evicted, or it is known why not.
func departuresGoOn(s Seen) error {
	m := s.Machine
	for id, g := range m.groups {
		if g.phase != Leaving {
			continue
		}
		for _, slot := range m.book.Holding(id).Slots {
			if mem := m.members[slot.Claimant]; mem == nil || mem.state != bound {
				return fmt.Errorf("%s goes, and holds room for a %s on %s", id, slot.Role, slot.Node)
			}
		}
		if g.all[bound] == 0 {
			return fmt.Errorf("%s goes, and nothing is left of it", id)
		}
		if g.departure.asked != g.departure.stored || !g.retryAt.IsZero() {
			continue // that it goes is being stored, or a write waits
		}
		if !g.departure.stored {
			return fmt.Errorf("%s goes, and nobody stores that", id)
		}
		if evicting := countMembers(g, func(mem *member) bool { return mem.evicting }); g.runs() && evicting == 0 {
			return fmt.Errorf("%s goes, and nobody is evicted", id)
		}
		kept := countMembers(g, func(mem *member) bool { return mem.kept != "" && mem.runs() })
		if said := m.code(g) == gang.Kept; said != (kept > 0) {
			return fmt.Errorf("%s goes, %d of it can't; that is said: %t", id, kept, said)
		}
	}
	return nil
}

func countMembers(g *group, test func(*member) bool) int {
	n := 0
	for _, mem := range g.order {
		if test(mem) {
			n++
		}
	}
	return n
}

// minimumIsMinded says that a gang goes for a reason only, and in time: it has less than
// its minimum, and has had for as long as its policy allows.
func minimumIsMinded(s Seen) error {
	m := s.Machine
	for id, g := range m.groups {
		policy, before := g.decl.BelowMinimum.Policy, s.Before.gangs[id]
		if g.phase == Leaving && before.phase == Started && !m.movesWhole(id) && !s.gaveWay(g) {
			early := before.wholeBy.After(m.now) || (before.wholeBy.IsZero() && policy == gang.Wait)
			if policy == gang.Continue || early || hasMinimum(g) {
				return fmt.Errorf("%s goes under policy %s, its time is up at %s, it has its minimum: %t", id, policy, before.wholeBy, hasMinimum(g))
			}
		}
		if g.phase != Started || policy == gang.Continue {
			continue
		}
		whole := hasMinimum(g)
		if late := !g.wholeBy.After(m.now); whole != g.wholeBy.IsZero() || (!whole && late) {
			return fmt.Errorf("%s has its minimum: %t, its time is up at %s, under policy %s", id, whole, g.wholeBy, policy)
		}
	}
	return nil
}

// gaveWay says that what was held for a gang has let another start in the same step.
func (s Seen) gaveWay(g *group) bool {
	return !strings.HasPrefix(g.departure.why, "the gang fell below") && len(s.started()) > 0
}

// hasMinimum counts what is bound of a gang against its minimum.
func hasMinimum(g *group) bool {
	isBound := func(mem *member) bool { return mem.state == bound }
	for _, r := range g.decl.Roles {
		if countMembers(g, func(mem *member) bool { return isBound(mem) && mem.Role == r.Name }) < g.minimum(r) {
			return false
		}
	}
	return countMembers(g, isBound) >= g.size()
}
