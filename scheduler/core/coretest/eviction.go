package coretest

import (
	"maps"
	"slices"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// eviction is one that was ordered and not taken back. It is kept until the member
// is gone, so that a second order is noticed.
type eviction struct{ refused bool }

func (w *World) evict(d core.Evict) {
	if w.evictions[d.Pod] != nil {
		w.fault("%s is evicted twice", d.Pod)
	}
	e := &eviction{}
	w.evictions[d.Pod] = e
	w.send("evict/"+string(d.Pod), func() { w.tryEviction(d.Pod, e) })
}

func (w *World) tryEviction(id gang.PodID, e *eviction) {
	if w.evictions[id] != e {
		return // it was taken back, or the scheduler is another
	}
	why, again := "", false
	if w.Members[id] != nil && !w.Dying[id] && w.Budget != nil {
		why, again = w.Budget(id)
	}
	told := e.refused
	switch e.refused = why != "" && again; {
	case why == "":
		w.evictLate(id)
	case !again:
		delete(w.evictions, id)
	case told:
		return
	}
	w.send("evict/"+string(id), func() { w.Step(core.Evicted{ID: id, Err: why, Again: again}) })
}

// evictLate begins to delete a member, whoever had asked for it.
func (w *World) evictLate(id gang.PodID) {
	if w.Members[id] != nil && !w.Dying[id] {
		w.Terminate(string(id))
	}
}

// IsEvicting says whether an eviction of a member is under way.
func (w *World) IsEvicting(id gang.PodID) bool { return w.evictions[id] != nil }

// RetryEvictions tries those again that were refused.
func (w *World) RetryEvictions() {
	for _, id := range slices.Sorted(maps.Keys(w.evictions)) {
		if e := w.evictions[id]; e.refused {
			w.send("evict/"+string(id), func() { w.tryEviction(id, e) })
		}
	}
	if !w.Async {
		w.DeliverAll()
	}
}
