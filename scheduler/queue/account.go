package queue

import (
	"cmp"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// Charge says what a gang has now of what its queue may use: room that its pods take,
// and room that is held for it.
func (t *Tree) Charge(id gang.ID, queue string, charge resource.Vector) {
	old, had := t.accounts[id]
	if (had && old.queue == queue && old.charge.Equal(charge)) || (!had && charge.IsZero()) {
		return
	}
	t.version++
	to := t.known(queue)
	if charge.IsZero() {
		delete(t.accounts, id)
	} else {
		t.accounts[id] = account{queue, charge}
	}
	to.add(charge)
	if had {
		from := t.nodes[old.queue]
		from.add(old.charge.Scale(-1))
		t.drop(from)
	}
	t.drop(to)
}

// Used is what a queue, and those below it, are charged for.
func (t *Tree) Used(queue string) resource.Vector {
	if n := t.nodes[queue]; n != nil {
		return n.used
	}
	return resource.Vector{}
}

// add charges a queue, and all above it.
func (n *node) add(v resource.Vector) {
	n.own = n.own.Add(v)
	for at := n; at != nil; at = at.parent {
		before := at.committed
		at.used = at.used.Add(v)
		at.committed = at.commits(at.own, at.promised)
		at.fresh = false
		at.version++
		if at.parent != nil {
			at.parent.promised = at.parent.promised.Add(at.committed).Sub(before)
		}
	}
}

// commits is what nobody else may have if a queue itself uses that much, and its children
// commit that much.
func (n *node) commits(own, promised resource.Vector) resource.Vector {
	return most(own.Add(promised), n.guarantee())
}

// ChargedTo is the queue that a gang is charged to, the default one if there is nothing
// yet.
func (t *Tree) ChargedTo(id gang.ID) string { return cmp.Or(t.accounts[id].queue, Default) }
