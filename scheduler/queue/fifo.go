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
	Gang gang.ID
	// Queue is the one that is charged.
	Queue string
	// Priority goes before age.
	Priority int64
	Created  time.Time
}

// FIFO is a list of gangs that wait, the one with the highest priority first, and of
// these who came first. Equal times are ordered by name, so the order does not depend
// on who saw what when.
type FIFO struct {
	entries []Entry
	known   map[gang.ID]Entry
}

// NewFIFO returns an empty FIFO.
func NewFIFO() *FIFO { return &FIFO{known: map[gang.ID]Entry{}} }

// Add puts a gang in its place.
func (q *FIFO) Add(e Entry) {
	if old, waits := q.known[e.Gang]; waits {
		if old == e {
			return
		}
		q.Remove(e.Gang)
	}
	q.known[e.Gang] = e
	i, _ := slices.BinarySearchFunc(q.entries, e, compare)
	q.entries = slices.Insert(q.entries, i, e)
}

// Remove takes a gang out; it does nothing if the gang does not wait.
func (q *FIFO) Remove(id gang.ID) {
	if i := q.Position(id); i > 0 {
		q.entries = slices.Delete(q.entries, i-1, i)
		delete(q.known, id)
	}
}

// Position returns the place of a gang, counted from 1, or 0.
func (q *FIFO) Position(id gang.ID) int {
	e, waits := q.known[id]
	if !waits {
		return 0
	}
	i, _ := slices.BinarySearchFunc(q.entries, e, compare)
	return i + 1
}

// All yields the gangs in order. The list may be changed meanwhile: the walk goes on
// behind the entry that it yielded last.
func (q *FIFO) All() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for e, ok := q.After(nil); ok && yield(e); {
			e, ok = q.After(&e)
		}
	}
}

// After returns the entry behind another one, which need not be there any more, or the
// first one.
func (q *FIFO) After(last *Entry) (Entry, bool) {
	i := 0
	if last != nil {
		at, still := slices.BinarySearchFunc(q.entries, *last, compare)
		if i = at; still {
			i++
		}
	}
	if i == len(q.entries) {
		return Entry{}, false
	}
	return q.entries[i], true
}

// Len returns how many gangs wait.
func (q *FIFO) Len() int { return len(q.entries) }

func compare(a, b Entry) int {
	return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.Created.Compare(b.Created), cmp.Compare(a.Gang, b.Gang))
}
