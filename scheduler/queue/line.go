package queue

import (
	"container/heap"
	"slices"
)

// candidate is a queue with who is next of it and those below it.
type candidate struct {
	child, leaf *node
	next        Entry
}

// line is the children of a queue as a heap: who goes before all others is first.
type line []*candidate

func (l line) Len() int           { return len(l) }
func (l line) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l line) Less(i, j int) bool { return before(l[i].child, l[j].child, l[i].next, l[j].next) < 0 }

// Push implements heap.Interface.
func (l *line) Push(x any) { *l = append(*l, x.(*candidate)) }

// Pop implements heap.Interface.
func (l *line) Pop() any {
	last := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return last
}

// line is who is next of each child of a queue.
func (t *Turn) line(n *node) *line {
	l := t.lines[n]
	if l == nil {
		l = &line{}
		for _, c := range n.children {
			if next := t.first(c); next != nil {
				*l = append(*l, next)
			}
		}
		heap.Init(l)
		t.lines[n] = l
	}
	return l
}

// refresh finds out anew who is next of a queue and of those above it. It is mostly one of
// those in front.
func (t *Turn) refresh(n *node) {
	for ; n.parent != nil; n = n.parent {
		l := t.lines[n.parent]
		if l == nil {
			return // nobody has looked yet
		}
		i := slices.IndexFunc(*l, func(c *candidate) bool { return c.child == n })
		switch next := t.first(n); {
		case i < 0:
		case next == nil:
			heap.Remove(l, i)
		default:
			(*l)[i] = next
			heap.Fix(l, i)
		}
	}
}
