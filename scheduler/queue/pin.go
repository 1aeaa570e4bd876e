package queue

import "muster.sh/muster/scheduler/gang"

// Pin has a gang go first that is booked: others have started because they would not make
// it wait for longer, so it would lose what it waits for if its queue came later now. An
// empty ID takes it back.
//
// It does not hold against gangs that go before it in its own queue, against queues of a
// higher priority, nor, where it would borrow, against those that have less than they
// deserve.
func (t *Tree) Pin(id gang.ID) {
	if t.pinned != id {
		t.pinned = id
		t.version++
	}
}

// pinned is the entry that goes first; nil if it is the turn of who is first anyway.
func (t *Turn) pinned() *Entry {
	n := t.tree.waits[t.tree.pinned]
	if n == nil {
		return nil
	}
	e, ok := n.going.After(nil)
	if first := t.first(t.tree.root); !ok || e.Gang != t.tree.pinned || first == nil || first.leaf == n || yields(n, first.leaf) {
		return nil
	}
	return &e
}

// yields says whether one queue has to let another one go first, by their ways to where
// these meet.
func yields(n, other *node) bool {
	if n.isAbove(other) || other.isAbove(n) {
		return true
	}
	own, its := n.below(other), other.below(n)
	return its.Priority > own.Priority || (own.dominantShare() >= 1 && its.dominantShare() < 1)
}
