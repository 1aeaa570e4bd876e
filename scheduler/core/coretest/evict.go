package coretest

import (
	"maps"
	"slices"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// evict sends an eviction to the apiserver.
func (w *World) evict(d core.Evict) {
	w.evicting[d.Pod] = d
	w.send("api/evict/"+string(d.Pod), func() { w.evictNow(d.Pod) })
}

// evictNow lets the apiserver answer an eviction: a pod that may go is deleted, and its
// kubelet stops it some time later. What is refused for now is asked again by
// RetryEvictions.
func (w *World) evictNow(id gang.PodID) {
	if _, ordered := w.evicting[id]; !ordered {
		return // spared meanwhile
	}
	answer := core.Evicted{ID: id}
	if w.Refuses != nil {
		answer.Err, answer.Again = w.Refuses(id)
	}
	if answer.Err == "" || !answer.Again {
		delete(w.evicting, id)
	}
	if answer.Err == "" && w.Members[id] != nil && !w.Dying[id] {
		w.Terminate(string(id))
		w.send("kubelet/"+string(id), func() {
			if w.Members[id] != nil {
				w.End(string(id), core.Failed)
			}
		})
	}
	w.send("ack/"+string(id), func() { w.Step(answer) })
	if !w.Async {
		w.DeliverAll()
	}
}

// RetryEvictions asks again for all that were refused for now.
func (w *World) RetryEvictions() {
	for _, id := range slices.Sorted(maps.Keys(w.evicting)) {
		w.evict(w.evicting[id])
	}
}

// SetBudget sets how many more pods of a disruption budget may be evicted.
func (w *World) SetBudget(name string, allowed int) {
	w.Budgets[name] = allowed
	w.tell("budget/"+name, core.BudgetSet{Name: name, Allowed: allowed})
}

// RemoveBudget removes a disruption budget.
func (w *World) RemoveBudget(name string) {
	delete(w.Budgets, name)
	w.tell("budget/"+name, core.BudgetGone{Name: name})
}
