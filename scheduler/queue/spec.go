// Package queue holds the queues of tenants: what each may use, who of those that
// wait for room goes next, and whether the queue that is to be charged has the
// quota for it.
package queue

import (
	"slices"
	"strings"
	"time"

	"muster.sh/muster/scheduler/resource"
)

// Default is the queue of gangs that name none. It is always there.
const Default = "default"

// Root is the queue above all others. It is always there, and no gang's.
const Root = "root"

// Spec is a queue as it was declared.
type Spec struct {
	Name string `json:"name"`
	// Parent is the queue that it is a part of; without one it is at the top.
	Parent string `json:"parent,omitempty"`
	// Created says who was first of queues that can't all have what they declare.
	Created time.Time `json:"created"`
	// Weight is its part, among the queues of one parent, of what these share and
	// none of them deserves by name. It is at least 1.
	Weight int64 `json:"weight"`
	// Priority goes before any share: the queue with the highest is served first.
	Priority int64 `json:"priority,omitempty"`
	// Guarantee is lent to nobody. It is there for the queue whether it uses it or not.
	Guarantee resource.Vector `json:"guarantee,omitzero"`
	// Deserved is what its share is measured by. Of resources that it does not name the
	// queue deserves a part by its weight.
	Deserved Limits `json:"deserved,omitempty"`
	// Capability is the most that it may use. Resources that it does not name have no limit.
	Capability Limits `json:"capability,omitempty"`
	// Backfill lets others of the queue pass one for which there is no quota left, or that
	// waits for room which they do not take.
	Backfill bool `json:"backfill,omitempty"`
	// Keeps says that nobody takes back what it has borrowed.
	Keeps bool `json:"keeps,omitempty"`
	// MaxPriority is the highest priority that counts; nil for no limit but that of the
	// queue above.
	MaxPriority *int64 `json:"maxPriority,omitempty"`
	// MaxExpected is the most that it and those below it may hold for members that have no
	// pod yet. Resources that it does not name have no limit.
	MaxExpected Limits `json:"maxExpected,omitempty"`
	// MaxNonPreemptible is the most that gangs of it and those below it may have that are not
	// preemptible. Without one here or above none is.
	MaxNonPreemptible Limits `json:"maxNonPreemptible,omitempty"`
	// Closed queues start nothing.
	Closed bool `json:"closed,omitempty"`
	// Namespaces are those that may charge it. Without any it has those of its parent,
	// and at the top all.
	Namespaces []string `json:"namespaces,omitempty"`
	// Refused says what of the declaration can't be understood.
	Refused string `json:"refused,omitempty"`
}

// Limits are amounts of some resources, sorted by name. Unlike in a Vector, an amount
// of zero differs from none.
type Limits []resource.Amount

// LimitsOf builds limits from amounts by name, CPU in thousandths of a core.
func LimitsOf(amounts map[string]int64) Limits {
	var l Limits
	for name, value := range amounts {
		l = append(l, resource.Amount{Name: name, Value: value})
	}
	slices.SortFunc(l, func(a, b resource.Amount) int { return strings.Compare(a.Name, b.Name) })
	return l
}

// Get returns the limit of a resource, if it has one.
func (l Limits) Get(name string) (int64, bool) {
	for _, a := range l {
		if a.Name == name {
			return a.Value, true
		}
	}
	return 0, false
}
