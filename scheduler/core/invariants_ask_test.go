package core

import (
	"fmt"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
)

// asksAreTrue holds that room is asked for exactly while a gang lacks it, for all
// that it lacks, but for the moment that it must have lasted.
func asksAreTrue(s Seen) error {
	if !s.Machine.synced {
		return nil
	}
	for _, id := range sortedKeys(s.Machine.groups) {
		g := s.Machine.groups[id]
		lacks, pending := s.Machine.lacks(g), !g.ask.due.IsZero()
		if err := s.Machine.lacksRightly(g, lacks); err != nil {
			return err
		}
		longest := max(s.Machine.opts.AskAfter, s.Machine.opts.CollectTimeout)
		switch known := g.ask.isFor(g.decl.Owner, lacks); {
		case len(lacks) == 0 && s.Machine.learns(g) && pending:
		case len(lacks) == 0 && (g.ask.stands || pending):
			return fmt.Errorf("%s lacks nothing; asked: %t, about to ask: %t", id, g.ask.stands, pending)
		case len(lacks) > 0 && known == pending:
			return fmt.Errorf("%s lacks %+v, asked for are %+v; about to ask: %t", id, lacks, g.ask.lacks, pending)
		case pending && (!g.ask.due.After(s.Machine.now) || g.ask.due.After(s.Machine.now.Add(longest))):
			return fmt.Errorf("it is %s, %s asks at %s", s.Machine.now, id, g.ask.due)
		}
	}
	return nil
}

// lacksRightly holds what is lacking against the verdict, and against the counts of
// members.
func (m *Machine) lacksRightly(g *group, lacks []Lack) error {
	asked, pods := 0, map[gang.PodID]bool{}
	for _, l := range lacks {
		asked += len(l.Pods) + l.Expected
		for _, pod := range l.Pods {
			if mem := m.members[pod]; mem == nil || mem.state == bound || mem.terminating || pods[pod] || m.book.ClaimedBy(pod) != nil {
				return fmt.Errorf("%s asks for room for %s, which is %+v", g.decl.ID, pod, mem)
			}
			pods[pod] = true
		}
	}
	want := 0
	switch code := m.code(g); code {
	case gang.NoRoom, gang.TooBig:
		want = g.size()
	case gang.OverQuota, gang.NeverInQueue:
		// Nodes would help where what there is is guaranteed to others.
		if g.quota.Queue == queue.Root && g.quota.Reserved {
			want = g.size()
		}
	case gang.Behind:
		// The queue waits for room that is to come, or for something else.
		if want = g.size(); !m.queueWaitsForRoom() {
			want = 0
		}
	case gang.Short, gang.Running, gang.Reserved:
		if want = m.unplaced(g); g.phase != Started {
			want = 0
		} else if n := m.need(g); g.bounded {
			want = len(n.members)
			for _, e := range n.expected {
				want += e.count
			}
		}
	}
	if asked != want {
		return fmt.Errorf("%s is %s and lacks %d members, %d are counted: %+v", g.decl.ID, m.code(g), want, asked, lacks)
	}
	return nil
}

func (m *Machine) queueWaitsForRoom() bool {
	for _, g := range m.groups {
		if g.phase == Waiting && g.blocks || m.short.Position(g.decl.ID) > 0 {
			return true
		}
	}
	return false
}

// unplaced counts members of a started gang without a slot: those of its minimum that
// are expected, and those in the hold that its roles' maxima leave room for.
func (m *Machine) unplaced(g *group) int {
	held, expected, slots := map[string]int{}, map[string]int{}, map[string]int{}
	for _, mem := range m.unslotted(g) {
		held[mem.Role]++
	}
	for _, e := range m.need(g).expected {
		expected[e.role.Name] = e.count
	}
	for _, s := range m.book.OfGang(g.decl.ID) {
		slots[s.Role]++
	}
	for _, r := range g.decl.Roles {
		if r.Max >= 0 {
			more := max(r.Max-slots[r.Name], m.lack(g, r.Name)) - expected[r.Name]
			held[r.Name] = min(held[r.Name], max(more, 0))
		}
	}
	return sum(held) + sum(expected)
}
