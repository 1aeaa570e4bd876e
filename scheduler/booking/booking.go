// Package booking finds when a gang that waits can start: at the first time at which
// enough of those that run are expected to have ended, and on which nodes. It says as well
// whether others may run before it without making it start later. That is EASY
// backfilling (Lifka, The ANL/IBM SP Scheduling System, JSSPP 1995) on nodes instead of
// counts. It is a pure search on what-ifs of the ledger.
package booking

import (
	"slices"
	"sort"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
)

// Ending is a gang of which it is known when it is expected to have ended.
type Ending struct {
	Gang gang.ID
	At   time.Time
	// Pods that take room, and Slots that it holds.
	Pods  []gang.PodID
	Slots []ledger.SlotID
}

// Future is what is expected to become free.
type Future struct {
	Book *ledger.Book
	// Leaving pods are on their way out.
	Leaving []gang.PodID
	// Kept slots are held for the gang that is to be booked.
	Kept []ledger.SlotID
	// Endings in the order of their times.
	Endings []Ending
}

// Booking is the start of a gang to come.
type Booking struct {
	At time.Time
	// On are the nodes on which it will fit then, sorted.
	On []string
	// After are those of the gangs that will have ended which have room on these nodes.
	After []gang.ID
}

// Earliest finds the first time at which a request fits, if what is expected of others
// comes true. It reports false if it does not fit even when all of them have ended.
//
// For a request that the planner does not solve exactly it may be a later time than the
// first one, but never one at which the request does not fit.
func (f *Future) Earliest(r planner.Request) (Booking, bool) {
	var shares []planner.Share
	fits := func(ended int) bool {
		found, v := planner.Plan(f.after(ended).View(), r)
		if v.Code != "" {
			return false
		}
		shares = found
		return true
	}
	if len(f.Endings) == 0 || !fits(len(f.Endings)) {
		return Booking{}, false
	}
	// The last probe that fits is that of the least number found.
	ended := 1 + sort.Search(len(f.Endings)-1, func(k int) bool { return fits(k + 1) })
	b := Booking{At: f.Endings[ended-1].At}
	for _, s := range shares {
		b.On = append(b.On, s.Node)
	}
	slices.Sort(b.On)
	b.On = slices.Compact(b.On)
	for i := range f.Endings[:f.endedBy(b.At)] {
		if e := &f.Endings[i]; f.touches(e, &b) {
			b.After = append(b.After, e.Gang)
		}
	}
	return b, true
}

// IsOn says whether a node is one of those on which it will fit.
func (b *Booking) IsOn(node string) bool {
	_, found := slices.BinarySearch(b.On, node)
	return found
}

// Keeps says whether a request still fits at the time of a booking, on its nodes, if these
// slots are held until then and longer.
func (f *Future) Keeps(b *Booking, r planner.Request, held []ledger.Slot) bool {
	txn := f.after(f.endedBy(b.At))
	txn.Hold(held...)
	rows := make([]cluster.Row, 0, len(b.On))
	for _, node := range b.On {
		if row, ok := txn.Row(node); ok {
			rows = append(rows, row)
		}
	}
	_, v := planner.Plan(cluster.View{Rows: rows}, r)
	return v.Code == ""
}

// after supposes that so many of the endings have come.
func (f *Future) after(ended int) *ledger.Txn {
	txn := f.Book.Begin()
	txn.Evict(f.Leaving...)
	txn.Release(f.Kept...)
	for _, e := range f.Endings[:ended] {
		txn.Evict(e.Pods...)
		txn.Release(e.Slots...)
	}
	return txn
}

// endedBy is how many of the endings have come at a time.
func (f *Future) endedBy(at time.Time) int {
	return sort.Search(len(f.Endings), func(i int) bool { return f.Endings[i].At.After(at) })
}

// touches says whether a gang has room on the nodes of a booking.
func (f *Future) touches(e *Ending, b *Booking) bool {
	return slices.ContainsFunc(e.Pods, func(id gang.PodID) bool {
		p, ok := f.Book.Pod(id)
		return ok && b.IsOn(p.Node)
	}) || slices.ContainsFunc(e.Slots, func(id ledger.SlotID) bool {
		s := f.Book.Slot(id)
		return s != nil && b.IsOn(s.Node)
	})
}
