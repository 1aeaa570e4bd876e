package core

import (
	"fmt"
	"slices"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
)

// Invariants of what is moved to let a gang start.

func (s Seen) evicts() []gang.PodID {
	var out []gang.PodID
	for _, d := range s.Out {
		if e, ok := d.(Evict); ok {
			out = append(out, e.Pod)
		}
	}
	return out
}

func evictsTheMovable(s Seen) error {
	m, budgets := s.Machine, map[string]int{}
	for _, id := range s.evicts() {
		mem, slot := m.members[id], m.book.ClaimedBy(id)
		switch {
		case mem == nil || mem.state != bound || mem.terminating:
			return fmt.Errorf("%s does not run", id)
		case slot == nil || !slot.Elastic:
			return fmt.Errorf("%s is of the minimum", id)
		case m.groups[mem.Gang].decl.Moves == gang.MovesNothing:
			return fmt.Errorf("%s may not be moved", id)
		case !m.need(m.groups[mem.Gang]).empty():
			return fmt.Errorf("%s is of a gang that lacks members", id)
		case mem.since.Add(m.opts.Moves.Cooldown).After(m.now):
			return fmt.Errorf("%s runs since %s, and now it is %s", id, mem.since, m.now)
		case len(mem.Budgets) > 1:
			return fmt.Errorf("%s has budgets %v", id, mem.Budgets)
		}
		for _, name := range mem.Budgets {
			if budgets[name]++; budgets[name] > m.budgets[name] {
				return fmt.Errorf("%d of budget %s, of which %d may go", budgets[name], name, m.budgets[name])
			}
		}
	}
	return nil
}

func movesAreNeeded(s Seen) error {
	m, evicted := s.Machine, s.evicts()
	if len(evicted) == 0 {
		return nil
	}
	switch {
	case m.move == nil || m.move == s.Before.move:
		return fmt.Errorf("%v are evicted for nobody", evicted)
	case len(evicted) > m.opts.Moves.MaxPods:
		return fmt.Errorf("%d pods are evicted", len(evicted))
	case s.Before.gangs[m.move.group.decl.ID].movesAt.After(m.now):
		return fmt.Errorf("%v are evicted though it was in vain a while ago", evicted)
	case !m.fitsWithout(evicted):
		return fmt.Errorf("without %v the gang has no room, or they have none", evicted)
	}
	for k := range evicted {
		if fewer := slices.Delete(slices.Clone(evicted), k, k+1); m.fitsWithout(fewer) {
			return fmt.Errorf("%s is evicted and need not be", evicted[k])
		}
	}
	return nil
}

// fitsWithout says whether the gang of the move fits once pods have gone, and then these.
func (m *Machine) fitsWithout(pods []gang.PodID) bool {
	txn := m.book.Begin()
	txn.Release(m.kept()...)
	txn.Evict(m.vacating()...)
	txn.Evict(pods...)
	g := m.move.group
	if !enter(txn, m.request(g, m.need(g)).Request) {
		return false
	}
	for _, id := range pods {
		mem := m.members[id]
		if !enter(txn, m.again(m.groups[mem.Gang], mem)) {
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
	for pod, ours := range v.leaving {
		if mem := m.members[pod]; ours && mem != nil && !mem.terminating && !spared[pod] {
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
