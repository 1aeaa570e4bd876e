package core

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
)

func (m *Machine) nodeSet(n cluster.Node) {
	if known := m.book.Node(n.Name); known != nil && reflect.DeepEqual(*known, n) {
		return
	}
	m.book.SetNode(n)
	m.nodeChanged(n.Name)
}

func (m *Machine) nodeGone(name string) {
	m.book.RemoveNode(name)
	m.nodeChanged(name)
}

func (m *Machine) nodeChanged(name string) {
	m.nodes[name]++
	m.checkSlots(name)
}

// takeRoom records that a pod takes room on a node, and sees whether what is
// held there still fits: another scheduler may have been faster.
func (m *Machine) takeRoom(p cluster.Pod) {
	m.book.SetPod(p)
	m.checkSlots(p.Node)
}

// assume records a pod of no gang that is about to be bound.
func (m *Machine) assume(p cluster.Pod) {
	m.assumed[p.ID] = true
	m.takeRoom(p)
}

// unassume takes an assumed pod back, unless it was bound after all: the answer
// to a bind may be lost.
func (m *Machine) unassume(id gang.PodID) {
	if m.assumed[id] {
		delete(m.assumed, id)
		m.book.RemovePod(id)
	}
}

// checkSlots takes back slots that a node can't serve any more: it is gone,
// or does not take such members now, or is overdrawn. The last to be held go
// first.
func (m *Machine) checkSlots(name string) {
	slots := m.book.OnNode(name)
	slices.Reverse(slots)
	for _, s := range slots {
		if m.book.Slot(s.ID) == nil {
			continue // went with one before it
		}
		if m.book.Counts(s) && !m.serves(name, s) {
			m.loseSlot(s)
		}
	}
}

func (m *Machine) serves(name string, s *ledger.Slot) bool {
	node := m.book.Node(name)
	if node == nil || !cluster.Takes(node, &s.Shape) {
		return false
	}
	free, _ := m.book.Free(name)
	return s.Shape.Request.Fits(free.Add(s.Shape.Request)) && (s.Shape.Aligned == nil || m.book.Aligned(name))
}

// loseSlot takes back one slot. A gang that has not started is planned anew; a
// started one gets the slot again elsewhere.
func (m *Machine) loseSlot(s *ledger.Slot) {
	if s.Gang == keeper {
		m.book.Release(s.ID)
		return
	}
	g := m.groups[s.Gang]
	if g.starting() {
		m.abort(g, "room on node "+s.Node+" was lost")
		return
	}
	if mem := m.members[s.Claimant]; mem != nil {
		m.unplace(mem)
	}
	m.release(g, s.ID)
	m.touch(g)
}

// veto is a refusal by a check that is not modelled here. It holds for members
// of that shape in that gang, until the node changes, or for a while: what it
// hung on may be no part of the node.
type veto struct {
	change uint64
	until  time.Time
}

func (m *Machine) veto(g *group, s *gang.Shape, node string, lasts time.Duration) {
	sig := s.Signature()
	if g.vetoes[sig] == nil {
		g.vetoes[sig] = map[string]veto{}
	}
	v := veto{m.nodes[node], m.now.Add(lasts)}
	g.vetoes[sig][node] = v
	m.alarmAt(g, v.until)
}

// dropVetoes forgets what was refused long ago, and reports whether there was
// anything.
func (g *group) dropVetoes(now time.Time) bool {
	dropped := false
	for sig, nodes := range g.vetoes {
		maps.DeleteFunc(nodes, func(_ string, v veto) bool {
			old := !v.until.After(now)
			dropped = dropped || old
			return old
		})
		if len(nodes) == 0 {
			delete(g.vetoes, sig)
		}
	}
	return dropped
}

// vetoed returns the test that plans of a gang use; nil if nothing is vetoed.
// It works out the signature of each shape once.
func (m *Machine) vetoed(g *group) func(*gang.Shape, string) bool {
	if len(g.vetoes) == 0 {
		return nil
	}
	known := map[*gang.Shape]map[string]veto{}
	return func(s *gang.Shape, node string) bool {
		nodes, ok := known[s]
		if !ok {
			nodes = g.vetoes[s.Signature()]
			known[s] = nodes
		}
		return m.excludes(nodes, node)
	}
}
