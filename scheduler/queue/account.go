package queue

import (
	"cmp"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// Charge says what a gang has now of what its queue may use: room that its pods take,
// and room that is held for it.
func (t *Tree) Charge(id gang.ID, queue string, charge Demand) {
	if charge.All.IsZero() {
		charge = Demand{}
	}
	old, had := t.accounts[id]
	if (had && old.queue == queue && old.charge.equal(charge)) || (!had && charge.All.IsZero()) {
		return
	}
	to := t.known(queue)
	if charge.All.IsZero() {
		delete(t.accounts, id)
	} else {
		t.accounts[id] = account{queue, charge}
	}
	if had && old.queue == queue {
		t.add(to, charge.plus(old.charge.scale(-1)))
	} else {
		t.add(to, charge)
	}
	if had && old.queue != queue {
		from := t.nodes[old.queue]
		t.add(from, old.charge.scale(-1))
		t.drop(from)
	}
	t.drop(to)
}

// Used is what a queue, and those below it, are charged for.
func (t *Tree) Used(queue string) resource.Vector {
	if n := t.nodes[queue]; n != nil {
		return n.used.All
	}
	return resource.Vector{}
}

func (t *Tree) add(n *node, d Demand) {
	if n.add(d) {
		t.version++
		if d.hasParts() {
			t.parts++
		}
	}
}

// add charges a queue, and all above it. It reports whether that matters to anybody who
// asks one of them.
func (n *node) add(d Demand) (matters bool) {
	n.own = n.own.Add(d.All)
	for at := n; at != nil; at = at.parent {
		before := at.committed
		at.used = at.used.plus(d)
		at.committed = at.commits(at.own, at.promised)
		if at.minds(&d) {
			at.fresh = false
			at.version++
			matters = true
		}
		if at.parent != nil {
			at.parent.promised = at.parent.promised.Add(at.committed).Sub(before)
		}
	}
	return matters
}

// commits is what nobody else may have if a queue itself uses that much, and its children
// commit that much.
func (n *node) commits(own, promised resource.Vector) resource.Vector {
	return most(own.Add(promised), n.guarantee())
}

// ChargedTo is the queue that a gang is charged to, the default one if there is nothing
// yet.
func (t *Tree) ChargedTo(id gang.ID) string { return cmp.Or(t.accounts[id].queue, Default) }
