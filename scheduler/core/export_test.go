package core

import (
	"fmt"
	"reflect"
	"slices"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/victims"
)

// LostReservations looks, right after a start, for room that was reserved for
// a gang that runs, and is neither held again nor claimed, though it could be.
func (m *Machine) LostReservations(found map[gang.ID][]ReservedSlot) error {
	for id, stored := range found {
		g := m.groups[id]
		if g == nil || g.phase != Started {
			continue
		}
		left, elsewhere := slices.Clone(stored), 0
		for _, s := range m.book.OfGang(id) {
			if i := slices.Index(left, ReservedSlot{Role: s.Role, Node: s.Node}); i >= 0 {
				left = slices.Delete(left, i, i+1)
			} else if s.Claimant == "" {
				elsewhere++
			}
		}
		for _, r := range left {
			role, ok := g.decl.Role(r.Role)
			if ok && role.Expected && (elsewhere > 0 || m.lack(g, r.Role) > 0) && m.hasRoom(r.Node, role.Shape) {
				return fmt.Errorf("the room for a %s of %s on %s is not held", r.Role, id, r.Node)
			}
		}
	}
	return nil
}

// hasRoom says that a node certainly has room for a member: what its zones have left is
// not looked at, and nothing is certain where the member is aligned to them.
func (m *Machine) hasRoom(name string, s gang.Shape) bool {
	node := m.book.Node(name)
	if node != nil && node.NUMA != nil && s.Aligned != nil {
		return false
	}
	free, _ := m.book.Free(name)
	return node != nil && len(cluster.Suits(node, &s)) == 0 && s.Request.Fits(free)
}

// Differs compares what is known of the cluster with the truth.
func (m *Machine) Differs(nodes map[string]cluster.Node, pods []cluster.Pod) error {
	view := m.book.View()
	if len(view.Rows) != len(nodes) {
		return fmt.Errorf("%d nodes are known, there are %d", len(view.Rows), len(nodes))
	}
	free := map[string]cluster.Node{}
	for name, n := range nodes {
		if known := m.book.Node(name); known == nil || !reflect.DeepEqual(*known, n) {
			return fmt.Errorf("node %s is known as %+v, it is %+v", name, known, n)
		}
		free[name] = n
	}
	for _, p := range pods {
		if known, ok := m.book.Pod(p.ID); !ok || known.Node != p.Node || !known.Request.Equal(p.Request) {
			return fmt.Errorf("pod %s is known as %+v, it is %+v", p.ID, known, p)
		}
		n := free[p.Node]
		n.Allocatable = n.Allocatable.Sub(p.Request)
		free[p.Node] = n
	}
	for _, s := range m.allSlots() {
		if n := free[s.Node]; m.book.Counts(s) {
			n.Allocatable = n.Allocatable.Sub(s.Shape.Request)
			free[s.Node] = n
		}
	}
	for _, row := range view.Rows {
		if want := free[row.Node.Name].Allocatable; !row.Free.Equal(want) {
			return fmt.Errorf("on node %s %s is known to be free, it is %s", row.Node.Name, row.Free, want)
		}
	}
	return nil
}

// Asked is what gangs have no room for, of those that lack some.
func (m *Machine) Asked() map[gang.ID][]Lack {
	out := map[gang.ID][]Lack{}
	for id, g := range m.groups {
		if lacks := m.lacks(g); len(lacks) > 0 {
			out[id] = lacks
		}
	}
	return out
}

// Kept counts the slots that are kept for the gang of a move.
func (m *Machine) Kept() int { return len(m.kept()) }

// MovesFor returns the gang for which others are being moved, if there is one, and whether
// another is moved as a whole for it.
func (m *Machine) MovesFor() (id gang.ID, whole bool) {
	if m.move == nil {
		return "", false
	}
	return m.move.group.decl.ID, slices.ContainsFunc(m.move.units, func(u victims.Unit) bool { return u.Whole })
}

// UnderWay returns the first order that is not answered yet.
func (m *Machine) UnderWay() string {
	for _, id := range sortedKeys(m.groups) {
		g := m.groups[id]
		if g.phase == Storing || g.phase == Starting {
			return fmt.Sprintf("%s is %s", id, g.phase)
		}
		if g.inFlight() {
			return fmt.Sprintf("members of %s are released", id)
		}
	}
	return ""
}

// Lacks is how many members a role has too few.
func (m *Machine) Lacks(id gang.ID, role string) int { return m.lack(m.groups[id], role) }

// Startable says whether a gang is whole and would fit into the empty cluster.
func (m *Machine) Startable(id gang.ID) bool {
	g := m.groups[id]
	if g == nil || g.phase != Waiting || m.bars(g) != "" {
		return false
	}
	if r := m.queues.ThoroughTurn().Ask(m.entry(g), m.demand(g, m.need(g))); r != nil && r.Never {
		return false
	}
	_, v := planner.Plan(m.book.Empty(), m.request(g, m.need(g)).Request)
	return v.Code == ""
}

// Left says what is still kept though everything has ended.
func (m *Machine) Left() string {
	for what, n := range map[string]int{
		"gangs": len(m.groups), "members": len(m.members), "slots": len(m.allSlots()), "waiting": m.queues.Len(),
		"short": m.short.Len(), "elastic": m.elastic.Len(), "cores charged": int(m.queues.Used(queue.Root).MilliCPU),
	} {
		if n > 0 {
			return fmt.Sprintf("%d %s", n, what)
		}
	}
	return ""
}

// Left says what is still shown though everything has ended.
func (b *Board) Left() string {
	left := ""
	b.nodes.Range(func(k, v any) bool { left = fmt.Sprintf("on %v: %v", k, v); return false })
	b.places.Range(func(k, v any) bool { left = fmt.Sprintf("for %v: %v", k, v); return false })
	return left
}
