package core

import (
	"slices"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
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
	return g.roaming[mem.key] || ((g.allRoam || g.decl.Alone) && g.mayRoam(mem))
}

// roamNoMore has the next start tried as it is planned: by then what stood in its way
// may be gone, and a plan finds room where choices one after the other do not.
func (g *group) roamNoMore() {
	clear(g.roaming)
	g.allRoam = false
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

// follow moves the slot of a member to the node that it has chosen. Others that roam,
// and have not chosen yet, give way there.
func (m *Machine) follow(g *group, mem *member, node string) {
	s := m.book.ClaimedBy(mem.ID)
	if s == nil || node == s.Node {
		return
	}
	moved := *s
	moved.Node = node
	s = m.book.Adopt(moved)
	m.showAgain(g, mem)
	for !m.serves(node, s) && m.giveWay(g, node) {
	}
	if m.checkSlots(node); g.phase == Waiting {
		g.veto = "members that go where they must leave no room for others"
		g.roamNoMore()
		m.failed(g, gang.Vetoed)
	}
}

// giveWay moves the room of a member that roams off a node, and reports whether it
// could: there is none, or no room elsewhere.
func (m *Machine) giveWay(g *group, node string) bool {
	for _, s := range m.book.Holding(g.decl.ID).Slots {
		o := m.members[s.Claimant]
		if s.Node != node || o == nil || !o.roams || o.state != released {
			continue
		}
		var shares []planner.Share
		r := m.request(g, need{members: []*member{o}})
		m.book.Read(func(v cluster.View) { shares = planner.Fill(v, r.Request) })
		if len(shares) == 0 || shares[0].Node == node {
			continue
		}
		moved := *s
		moved.Node = shares[0].Node
		m.book.Adopt(moved)
		m.showAgain(g, o)
		return true
	}
	return false
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

// everywhere is the node of a veto that is one of all nodes.
const everywhere = ""

// vetoEverywhere keeps members from being sent out again for a while: each time
// twice as long, as every try asks all nodes.
func (m *Machine) vetoEverywhere(g *group, mem *member) {
	g.pause = min(max(2*g.pause, m.opts.RetryAfter), m.opts.VetoTimeout)
	if g.phase == Starting {
		g.roamNoMore()
	}
	m.veto(g, &mem.Shape, everywhere, max(g.pause, time.Millisecond))
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
