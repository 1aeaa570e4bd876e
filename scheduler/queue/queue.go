// Package queue orders the gangs that wait for room.
package queue

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"muster.sh/muster/scheduler/gang"
)

// Entry is a gang that waits.
type Entry struct {
	Gang    gang.ID
	Created time.Time
}

// Queue is an order of waiting gangs. Room is offered to them in this order.
type Queue interface {
	// Add puts a gang in its place; one that waits already is not moved.
	Add(Entry)
	// Remove takes a gang out; it does nothing if the gang does not wait.
	Remove(gang.ID)
	// Position returns the place of a gang, counted from 1, or 0.
	Position(gang.ID) int
	// All yields the gangs in order. The queue may be changed meanwhile: the
	// walk goes on behind the entry that it yielded last.
	All() iter.Seq[Entry]
	// Len returns how many gangs wait.
	Len() int
}

// FIFO is a queue in which who came first goes first. Equal times are ordered
// by name, so the order does not depend on who saw what when.
type FIFO struct {
	entries []Entry
	created map[gang.ID]time.Time
}

// NewFIFO returns an empty FIFO.
func NewFIFO() *FIFO { return &FIFO{created: map[gang.ID]time.Time{}} }

// Add implements Queue.
func (q *FIFO) Add(e Entry) {
	if _, waits := q.created[e.Gang]; waits {
		return
	}
	q.created[e.Gang] = e.Created
	i, _ := slices.BinarySearchFunc(q.entries, e, compare)
	q.entries = slices.Insert(q.entries, i, e)
}

// Remove implements Queue.
func (q *FIFO) Remove(id gang.ID) {
	if i := q.Position(id); i > 0 {
		q.entries = slices.Delete(q.entries, i-1, i)
		delete(q.created, id)
	}
}

// Position implements Queue.
func (q *FIFO) Position(id gang.ID) int {
	created, waits := q.created[id]
	if !waits {
		return 0
	}
	i, _ := slices.BinarySearchFunc(q.entries, Entry{Gang: id, Created: created}, compare)
	return i + 1
}

// All implements Queue.
func (q *FIFO) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := 0; i < len(q.entries); {
			e := q.entries[i]
			if !yield(e) {
				return
			}
			at, still := slices.BinarySearchFunc(q.entries, e, compare)
			if i = at; still {
				i++
			}
		}
	}
}

// Len implements Queue.
func (q *FIFO) Len() int { return len(q.entries) }

func compare(a, b Entry) int {
	if c := a.Created.Compare(b.Created); c != 0 {
		return c
	}
	return cmp.Compare(a.Gang, b.Gang)
}
