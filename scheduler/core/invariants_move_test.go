package core

import (
	"fmt"
	"slices"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/victims"
)

// Invariants of what is moved to let a gang start.

// moved are the units that this step begins to move.
func (s Seen) moved() []victims.Unit {
	if m := s.Machine; m.move != nil && m.move != s.Before.move {
		return m.move.units
	}
	return nil
}

// movesWhole says whether a gang is moved as a whole.
func (m *Machine) movesWhole(id gang.ID) bool {
	return m.move != nil && slices.ContainsFunc(m.move.units, func(u victims.Unit) bool { return u.Whole && u.Gang == id })
}

func evictsTheMovable(s Seen) error {
	m, budgets := s.Machine, map[string]int{}
	for _, u := range s.moved() {
		g := m.groups[u.Gang]
		if g.decl.Moves == gang.MovesNothing || (u.Whole && g.decl.Moves != gang.MovesWhole) {
			return fmt.Errorf("%s may not be moved so", u.Gang)
		}
		if !u.Whole && (g.phase != Started || !m.need(g).empty()) {
			return fmt.Errorf("%s is %s, or lacks members", u.Gang, g.phase)
		}
		for _, p := range u.Pods {
			mem, slot := m.members[p.ID], m.book.ClaimedBy(p.ID)
			switch {
			case mem == nil || !mem.runs():
				return fmt.Errorf("%s does not run", p.ID)
			case !u.Whole && (slot == nil || !slot.Elastic):
				return fmt.Errorf("%s is of the minimum", p.ID)
			case mem.since.Add(m.opts.Moves.Cooldown).After(m.now):
				return fmt.Errorf("%s runs since %s, and now it is %s", p.ID, mem.since, m.now)
			case len(mem.Budgets) > 1:
				return fmt.Errorf("%s has budgets %v", p.ID, mem.Budgets)
			}
			for _, name := range mem.Budgets {
				if budgets[name]++; budgets[name] > m.budgets[name] {
					return fmt.Errorf("%d of budget %s, of which %d may go", budgets[name], name, m.budgets[name])
				}
			}
		}
	}
	return nil
}

func movesAreNeeded(s Seen) error {
	m, units, pods := s.Machine, s.moved(), 0
	for _, d := range s.Out {
		if e, ok := d.(Evict); ok && m.groups[e.Gang].phase != Leaving && len(units) == 0 {
			return fmt.Errorf("%s is evicted for nobody", e.Pod)
		}
	}
	if units == nil {
		return nil
	}
	for _, u := range units {
		pods += len(u.Pods)
	}
	switch {
	case pods > m.opts.Moves.MaxPods:
		return fmt.Errorf("%d pods are moved", pods)
	case s.Before.gangs[m.move.group.decl.ID].movesAt.After(m.now):
		return fmt.Errorf("%v are moved though it was in vain a while ago", units)
	case !m.fitsWithout(units):
		return fmt.Errorf("without %v the gang has no room, or they have none", units)
	}
	for k := range units {
		if fewer := slices.Delete(slices.Clone(units), k, k+1); m.fitsWithout(fewer) {
			return fmt.Errorf("%v is moved and need not be", units[k])
		}
	}
	return nil
}

// fitsWithout says whether the gang of the move fits once some of the units have gone,
// and then these. The others are as they were before.
func (m *Machine) fitsWithout(units []victims.Unit) bool {
	txn := m.book.Begin()
	txn.Release(m.kept()...)
	for _, id := range m.vacating() {
		txn.Evict(id)
	}
	for _, u := range units {
		for _, p := range u.Pods {
			txn.Evict(p.ID)
		}
	}
	g := m.move.group
	if !enter(txn, m.request(g, m.need(g)).Request) {
		return false
	}
	for _, u := range units {
		if !enter(txn, u.Again) {
			return false
		}
	}
	return true
}

func enter(txn *ledger.Txn, r planner.Request) bool {
	shares, v := planner.Plan(txn.View(), r)
	for _, share := range shares {
		for range share.Count {
			txn.Hold(ledger.Slot{Node: share.Node, Shape: r.Wants[share.Want].Shape})
		}
	}
	return v.Code == ""
}

func movesEndForAReason(s Seen) error {
	m, v := s.Machine, s.Before.move
	if v == nil || v == m.move {
		return nil
	}
	id, spared := v.group.decl.ID, map[gang.PodID]bool{}
	for _, d := range s.Out {
		if e, ok := d.(Spare); ok {
			spared[e.Pod] = true
		}
	}
	_, answered := s.Event.(Evicted)
	for pod, ours := range v.leaving {
		mem := m.members[pod]
		if ours && mem != nil && (mem.evicting || mem.runs() && s.Before.evicting[pod] && !spared[pod] && !answered) {
			return fmt.Errorf("%s is still to go, for nobody", pod)
		}
	}
	g := m.groups[id]
	if g != v.group || g.epoch != s.Before.gangs[id].epoch || g.vain != "" {
		return nil
	}
	return fmt.Errorf("the move for %s ends", id)
}

func roomIsKeptForOneWhoWaits(s Seen) error {
	m := s.Machine
	switch v := m.move; {
	case v == nil && len(m.kept()) > 0:
		return fmt.Errorf("%d slots are kept for nobody", len(m.kept()))
	case v == nil:
	case m.groups[v.group.decl.ID] != v.group || v.group.phase != Waiting:
		return fmt.Errorf("room is made for %s, which does not wait", v.group.decl.ID)
	case !v.until.After(m.now):
		return fmt.Errorf("room is made for %s, which was to end at %s", v.group.decl.ID, v.until)
	}
	return nil
}
