package coretest

import "muster.sh/muster/scheduler/core"

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
