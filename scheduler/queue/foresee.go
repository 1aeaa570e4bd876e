package queue

import "slices"

// Ahead is how many of those that wait in a queue would go before one.
func (t *Tree) Ahead(e Entry) int {
	n := t.nodes[e.Queue]
	if n == nil {
		return 0
	}
	i, _ := slices.BinarySearchFunc(n.waiting.entries, e, compare)
	return i
}

// Before says that an entry goes before another one of its queue.
func (e Entry) Before(other Entry) bool { return compare(e, other) < 0 }

// Leaves says whether a queue would still have the quota for more if another one had it
// for something else.
func (t *Tree) Leaves(queue string, more Demand, other string, taken Demand) bool {
	n, taker := t.known(queue), t.known(other)
	taker.add(taken)
	defer taker.add(taken.scale(-1))
	return n.refusal(more, t.total) == nil
}

// Foresee says what Ask would to one who came now, behind all that have asked. Nothing is
// kept for him.
func (t *Turn) Foresee(queue string, more Demand) *Refusal {
	n := t.tree.nodes[queue]
	if n == nil {
		return nil
	}
	r := n.refusal(more, t.tree.total)
	if r != nil && r.Never {
		return r
	}
	if behind := t.behind(n, more); behind != nil {
		return behind
	}
	return r
}
