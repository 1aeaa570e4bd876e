package queue

import (
	"time"

	"muster.sh/muster/scheduler/resource"
)

// Record is all that is to be told of a queue.
type Record struct {
	Name   string `json:"name"`
	Parent string `json:"parent,omitempty"`
	// Declared says that there is a Queue of this name, and Created when it came. The
	// default queue needs none; others are here without one while something is charged
	// to them, or waits in them.
	Declared bool      `json:"declared,omitempty"`
	Created  time.Time `json:"created,omitzero"`
	// Problem is what is wrong with its declaration, and how to mend it.
	Problem  string `json:"problem,omitempty"`
	Closed   bool   `json:"closed,omitempty"`
	Weight   int64  `json:"weight"`
	Priority int64  `json:"priority,omitempty"`
	// Backfill says that others of it may pass one for which it has no quota.
	Backfill bool `json:"backfill,omitempty"`
	// Guaranteed is lent to nobody, Entitled what the share is measured by, and Capability
	// the most that it may use.
	Guaranteed resource.Vector `json:"guaranteed,omitzero"`
	Entitled   resource.Vector `json:"entitled,omitzero"`
	Capability Limits          `json:"capability,omitempty"`
	// Used is what it and those below it are charged for, and Borrowed what of that is
	// more than it is entitled to.
	Used     resource.Vector `json:"used,omitzero"`
	Borrowed resource.Vector `json:"borrowed,omitzero"`
	// Expected is what of it is held for members that have no pod yet, and MaxExpected the
	// most that it may be by the queue's own limit.
	Expected    resource.Vector `json:"expected,omitzero"`
	MaxExpected Limits          `json:"maxExpected,omitempty"`
	// NonPreemptible is what of it nobody may take, and MaxNonPreemptible the most that it may
	// be by the queue's own limit.
	NonPreemptible    resource.Vector `json:"nonPreemptible,omitzero"`
	MaxNonPreemptible Limits          `json:"maxNonPreemptible,omitempty"`
	// Share is the greatest part that it uses of anything that it is entitled to.
	Share float64 `json:"share"`
	// Waiting counts the gangs that wait in it, without those below it.
	Waiting int `json:"waiting"`
}

// Records returns the records of all queues by name, but for the root's.
func (t *Tree) Records() []Record {
	out := make([]Record, 0, len(t.list))
	for _, n := range t.list {
		if n != t.root {
			out = append(out, n.record())
		}
	}
	return out
}

func (n *node) record() Record {
	r := Record{
		Name: n.Name, Declared: n.declared, Created: n.Created, Problem: n.problem, Closed: n.Closed, Weight: n.Weight, Priority: n.Priority, Backfill: n.Backfill,
		Guaranteed: n.guarantee(), Entitled: n.entitled, Capability: n.Capability,
		Used: n.used.All, Borrowed: n.used.All.Short(n.entitled), Expected: n.used.Expected, MaxExpected: n.MaxExpected,
		NonPreemptible: n.used.NonPreemptible, MaxNonPreemptible: n.MaxNonPreemptible,
		Share: min(n.dominantShare(), maxShare), Waiting: n.waiting.Len(),
	}
	if n.parent.parent != nil {
		r.Parent = n.parent.Name
	}
	return r
}

// maxShare is told of a queue that uses what it is entitled to none of: JSON knows no
// infinity.
const maxShare = 1e6
