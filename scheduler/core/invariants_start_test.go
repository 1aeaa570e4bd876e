package core

import (
	"fmt"
	"slices"

	"muster.sh/muster/scheduler/gang"
)

// Invariants of how a gang starts: the whole minimum, reserved first, through
// the latch.

func latchOpensForTheWhole(s Seen) error {
	for i, d := range s.Out {
		open, ok := d.(OpenLatch)
		if !ok {
			continue
		}
		g := s.Machine.groups[open.Gang]
		if g == nil || g.epoch != open.Epoch {
			return fmt.Errorf("the latch of %s opens for epoch %d", open.Gang, open.Epoch)
		}
		before := s.Before.gangs[open.Gang]
		planned := (before.phase == Storing || before.phase == Starting) && before.epoch == open.Epoch
		if !planned && g.all[bound] > 0 {
			continue // bound in part already: it is completed
		}
		if err := s.whole(g, s.Out[i:]); err != nil {
			return fmt.Errorf("the latch of %s opens: %w", open.Gang, err)
		}
	}
	return nil
}

// whole says that every member of the minimum has a slot, and stands at the
// latch or is expected and stored. A member that was released after the latch
// had opened, in the same step, was expected before.
func (s Seen) whole(g *group, after []Decision) error {
	perRole, sum, expected := map[string]int{}, 0, false
	for _, slot := range s.Machine.book.OfGang(g.decl.ID) {
		if slot.Elastic {
			continue
		}
		perRole[slot.Role]++
		sum++
		late := slices.ContainsFunc(after, func(d Decision) bool { r, ok := d.(Release); return ok && r.Pod == slot.Claimant })
		if slot.Claimant == "" {
			expected = true
		} else if mem := s.Machine.members[slot.Claimant]; mem.state < latched && !late {
			return fmt.Errorf("%s has not come to it", mem.ID)
		}
	}
	for _, r := range g.decl.Roles {
		if perRole[r.Name] < g.minimum(r) {
			return fmt.Errorf("%d of %d %s are held", perRole[r.Name], g.minimum(r), r.Name)
		}
	}
	if sum < g.size() {
		return fmt.Errorf("%d of %d members are held", sum, g.size())
	}
	if expected {
		return s.stored(g)
	}
	return nil
}

// stored says that the room for members to come is in the Reservation. Members
// that are there speak for themselves.
func (s Seen) stored(g *group) error {
	left := slices.Clone(s.Stored(g.decl.ID))
	for _, slot := range s.Machine.book.OfGang(g.decl.ID) {
		if slot.Claimant != "" {
			continue
		}
		i := slices.Index(left, ReservedSlot{Role: slot.Role, Node: slot.Node})
		if i < 0 {
			return fmt.Errorf("a %s is held on %s, stored is %v", slot.Role, slot.Node, s.Stored(g.decl.ID))
		}
		left = slices.Delete(left, i, i+1)
	}
	return nil
}

// startsTogether says that members that must be near to each other are, when their
// gang is planned.
func startsTogether(s Seen) error {
	for id, g := range s.Machine.groups {
		if before := s.Before.gangs[id]; before.epoch == g.epoch || !g.starting() {
			continue
		}
		if err := s.inOneDomain(g, g.decl.Topology, nil); err != nil {
			return err
		}
		for i := range g.decl.Roles {
			if err := s.inOneDomain(g, g.decl.Roles[i].Topology, &g.decl.Roles[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s Seen) inOneDomain(g *group, t gang.Topology, role *gang.Role) error {
	nodes := s.Machine.nodesOf(g, role)
	if !t.Required || len(nodes) == 0 {
		return nil
	}
	for _, level := range t.Levels {
		first := s.Machine.book.Node(nodes[0]).Domain(level)
		if first != "" && !slices.ContainsFunc(nodes, func(n string) bool { return s.Machine.book.Node(n).Domain(level) != first }) {
			return nil
		}
	}
	return fmt.Errorf("%s starts on %v, which are in no one domain of %v", g.decl.ID, nodes, t.Levels)
}

func storedBeforeRelease(s Seen) error {
	for _, d := range s.Out {
		r, ok := d.(Release)
		if !ok {
			continue
		}
		g := s.Machine.groups[r.Gang]
		if g != nil && g.phase == Starting && s.Machine.book.Holding(g.decl.ID).Unclaimed() > 0 {
			if err := s.stored(g); err != nil {
				return fmt.Errorf("%s is released: %w", r.Pod, err)
			}
		}
	}
	return nil
}

func releasesAreInOrder(s Seen) error {
	out := map[gang.PodID]Epoch{}
	for _, d := range s.Out {
		r, ok := d.(Release)
		if !ok {
			continue
		}
		if _, twice := out[r.Pod]; twice {
			return fmt.Errorf("%s is released twice in one step", r.Pod)
		}
		out[r.Pod] = r.Epoch
		if g := s.Machine.groups[r.Gang]; g == nil || g.members[r.Pod] == nil || g.members[r.Pod].epoch != r.Epoch {
			return fmt.Errorf("%s is released with epoch %d", r.Pod, r.Epoch)
		}
	}
	return nil
}
