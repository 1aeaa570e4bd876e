package queue

import "muster.sh/muster/scheduler/gang"

// SetAside has turns leave a gang out that could not start whatever its queue has, until
// it is recalled or added anew. It keeps its place.
func (t *Tree) SetAside(id gang.ID) {
	if n := t.waits[id]; n != nil {
		n.list++
		n.going.Remove(id)
	}
}

// Recall has turns come to a gang again that was set aside. It does nothing if the gang
// does not wait.
func (t *Tree) Recall(id gang.ID) {
	if n := t.waits[id]; n != nil {
		t.Add(n.waiting.known[id])
	}
}
