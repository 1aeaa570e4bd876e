package fairness

import (
	"cmp"
	"time"
)

// entry is what is to happen at a time.
type entry struct {
	at time.Time
	// number orders what happens at the same moment.
	number int
	do     func()
}

// agenda is a heap of what is to happen, the next first.
type agenda struct {
	entries []entry
	count   int
}

func (a *agenda) Len() int      { return len(a.entries) }
func (a *agenda) Swap(i, j int) { a.entries[i], a.entries[j] = a.entries[j], a.entries[i] }
func (a *agenda) Less(i, j int) bool {
	x, y := a.entries[i], a.entries[j]
	return cmp.Or(x.at.Compare(y.at), cmp.Compare(x.number, y.number)) < 0
}

// Push implements heap.Interface.
func (a *agenda) Push(x any) { a.entries = append(a.entries, x.(entry)) }

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := a.entries[len(a.entries)-1]
	a.entries = a.entries[:len(a.entries)-1]
	return last
}
