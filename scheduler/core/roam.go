package core

import (
	"slices"
	"time"

	"muster.sh/muster/scheduler/ledger"
)

// A member with constraints that the planner does not know (volumes, affinity
// between pods, spread, resource claims) is first sent to where it was planned,
// which costs least. Once one of them has refused that node, members of its kind
// roam: each chooses among all nodes in its own cycle, in which those of its gang
// that went before are seen. If one finds none, all of its gang roam the next time,
// those first that choose among few: where it could go room was held for others.
// The latch is shut until all have a node, so a choice that leaves none for another
// is undone with the whole start.

// mayRoam says whether a member may choose its node itself. One that is tied to
// others, or to NUMA zones, may not: kube-scheduler's cycle knows of neither.
func (g *group) mayRoam(mem *member) bool {
	r, _ := g.decl.Role(mem.Role)
	return mem.Shape.Aligned == nil && !g.decl.Topology.Required && !r.Topology.Required
}

// lets says whether a member roams when it is sent out now.
func (g *group) lets(mem *member) bool {
	return g.roaming[mem.key] || (g.allRoam && g.mayRoam(mem))
}

// choosyFirst puts the slots of members first that have constraints which the planner
// does not know.
func (m *Machine) choosyFirst(slots []*ledger.Slot) {
	choosy := func(s *ledger.Slot) int {
		if mem := m.members[s.Claimant]; mem != nil && mem.Shape.Opaque {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(slots, func(a, b *ledger.Slot) int { return choosy(a) - choosy(b) })
}

// follow moves the slot of a member to the node that it has chosen. Where the
// room there is held for another that roams, the two change places.
func (m *Machine) follow(g *group, mem *member, node string) {
	s := m.book.ClaimedBy(mem.ID)
	if s == nil || node == "" || node == s.Node {
		return
	}
	if other := m.inItsPlace(g, mem, node); other != nil {
		m.exchange(s, other)
		m.showAgain(g, m.members[s.Claimant])
	} else {
		moved := *s
		moved.Node = node
		m.book.Adopt(moved)
	}
	m.showAgain(g, mem)
	m.checkSlots(node)
}

// showAgain shows the placement of a member whose slot is elsewhere now.
func (m *Machine) showAgain(g *group, mem *member) {
	var check []string
	if g.phase == Starting {
		check = m.nodesToCheck(g)
	}
	m.show(mem, m.book.ClaimedBy(mem.ID), check)
}

// except lists the nodes that are vetoed for a member.
func (m *Machine) except(mem *member) []string {
	vetoed := m.groups[mem.Gang].vetoes[mem.Shape.Signature()]
	var names []string
	for _, name := range sortedKeys(vetoed) {
		if name != everywhere && m.excludes(vetoed, name) {
			names = append(names, name)
		}
	}
	return names
}

// inItsPlace returns the slot of another member that a member has taken the room
// of, or nil if there is room beside it.
func (m *Machine) inItsPlace(g *group, mem *member, node string) *ledger.Slot {
	if free, ok := m.book.Free(node); !ok || mem.Shape.Request.Fits(free) {
		return nil
	}
	for _, s := range m.book.Holding(g.decl.ID).Slots {
		if o := m.members[s.Claimant]; s.Node == node && o != nil && o.key == mem.key && o.roams && o.state == released {
			return s
		}
	}
	return nil
}

// exchange lets the claimants of two slots change places.
func (m *Machine) exchange(a, b *ledger.Slot) {
	first, second := a.Claimant, b.Claimant
	m.book.Unclaim(a.ID)
	m.book.Unclaim(b.ID)
	m.book.Claim(a.ID, second)
	m.book.Claim(b.ID, first)
}

// everywhere is the node of a veto that is one of all nodes.
const everywhere = ""

// vetoEverywhere keeps members from being sent out again for a while: each time
// twice as long, as every try asks all nodes.
func (m *Machine) vetoEverywhere(g *group, mem *member) {
	pause := m.opts.VetoTimeout
	if g.futile < 16 {
		pause = min(m.opts.RetryAfter<<g.futile, pause)
	}
	g.futile++
	m.veto(g, &mem.Shape, everywhere, max(pause, time.Millisecond))
	mem.retries = 0
}

// excludes says whether a veto stands against a node.
func (m *Machine) excludes(nodes map[string]veto, node string) bool {
	if _, all := nodes[everywhere]; all {
		return true
	}
	v, was := nodes[node]
	return was && v.change == m.nodes[node]
}
