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

// evictsTheMovable holds that only those are evicted to make room who may be.
func evictsTheMovable(s Seen) error {
	m, budgets := s.Machine, map[string]int{}
	for _, u := range s.moved() {
		if err := m.isEvictable(&u); err != nil {
			return err
		}
		for _, p := range u.Pods {
			mem := m.members[p.ID]
			if mem == nil || mem.state != bound {
				return fmt.Errorf("%s does not run", p.ID)
			}
			if least := m.clearing(m.move.by).MinRuntime; mem.since.Add(least).After(m.now) {
				return fmt.Errorf("%s runs since %s, and now it is %s", p.ID, mem.since, m.now)
			}
			if len(mem.Budgets) > 1 {
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

func (m *Machine) isEvictable(u *victims.Unit) error {
	g := m.groups[u.Gang]
	if m.move.by == moving && (g.decl.Moves == gang.MovesNothing || (u.Whole && g.decl.Moves != gang.MovesWhole)) {
		return fmt.Errorf("%s may not be moved so", u.Gang)
	}
	if u.Whole {
		return nil
	}
	if g.phase != Started || !m.need(g).empty() {
		return fmt.Errorf("%s is %s, or lacks members", u.Gang, g.phase)
	}
	for _, p := range u.Pods {
		if slot := m.book.ClaimedBy(p.ID); slot == nil || !slot.Elastic || !m.members[p.ID].runs() {
			return fmt.Errorf("%s is of the minimum, or being deleted", p.ID)
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
	if units == nil || !s.knew(units) {
		return nil
	}
	for _, u := range units {
		pods += len(u.Pods)
	}
	switch {
	case pods > m.clearing(m.move.by).MaxPods:
		return fmt.Errorf("%d pods are moved", pods)
	case s.Before.gangs[m.move.group.decl.ID].clearsAt[m.move.by].After(m.now):
		return fmt.Errorf("%v are moved though it was in vain a while ago", units)
	case !s.fitsWithout(units):
		return fmt.Errorf("without %v the gang has no room, or they have none", units)
	}
	for k := range units {
		if fewer := slices.Delete(slices.Clone(units), k, k+1); s.fitsWithout(fewer) {
			return fmt.Errorf("%v is moved and need not be", units[k])
		}
	}
	return nil
}

// fitsWithout says whether the gang of the move has the quota and fits once some of the
// units have gone, and then these. The others are as they were before.
func (s Seen) fitsWithout(units []victims.Unit) bool {
	m := s.Machine
	if m.move.by == reclaiming && s.lackWithout(units) > 0 {
		return false
	}
	txn := m.book.Begin()
	txn.Release(m.kept()...)
	for _, id := range m.vacating() {
		if !s.goes(id) {
			txn.Evict(id)
		}
	}
	for _, u := range units {
		for _, p := range u.Pods {
			txn.Evict(p.ID)
		}
	}
	for _, u := range s.staying(units) {
		for _, id := range u.Slots { // these were given back
			txn.Hold(*s.Before.slots[id])
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

// knew says that all that units hold was held before this step already: it is given back,
// and what it was would not be known.
func (s Seen) knew(units []victims.Unit) bool {
	for _, u := range units {
		for _, id := range u.Slots {
			if s.Before.slots[id] == nil {
				return false
			}
		}
	}
	return true
}

// goes says whether a pod is of a unit of the move.
func (s Seen) goes(id gang.PodID) bool {
	return slices.ContainsFunc(s.Machine.move.units, func(u victims.Unit) bool {
		return slices.ContainsFunc(u.Pods, func(p victims.Pod) bool { return p.ID == id })
	})
}

// staying are the units of the move but for some.
func (s Seen) staying(units []victims.Unit) []victims.Unit {
	return slices.DeleteFunc(slices.Clone(s.Machine.move.units), func(u victims.Unit) bool {
		return slices.ContainsFunc(units, func(v victims.Unit) bool { return u.Pods[0] == v.Pods[0] })
	})
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
		if m.move != nil && m.move.leaving[pod] {
			continue // it goes for another
		}
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
