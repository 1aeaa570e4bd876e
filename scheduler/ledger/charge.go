package ledger

import (
	"slices"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// charges is what gangs have: the room that their pods take, until these are gone, and
// the slots that count beside them.
type charges struct {
	of      map[gang.ID]resource.Vector
	changed map[gang.ID]bool
	// nodes is what all nodes have together, and foreign what pods of no gang take of it.
	nodes, foreign resource.Vector
}

// Charge is what a gang has now.
func (b *Book) Charge(id gang.ID) resource.Vector { return b.charges.of[id] }

// ChargedInAll is what all gangs have together, but for one.
func (b *Book) ChargedInAll(but gang.ID) resource.Vector {
	var all resource.Vector
	for id, v := range b.charges.of {
		if id != but {
			all = all.Add(v)
		}
	}
	return all
}

// Recharged returns the gangs that have more or less than when it was last called,
// sorted.
func (b *Book) Recharged() []gang.ID {
	if len(b.charges.changed) == 0 {
		return nil
	}
	ids := make([]gang.ID, 0, len(b.charges.changed))
	for id := range b.charges.changed {
		ids = append(ids, id)
	}
	b.charges.changed = map[gang.ID]bool{} // as with stale rows
	slices.Sort(ids)
	return ids
}

// ForGangs is what there is for all gangs together: what nodes have, less what pods of
// no gang take.
func (b *Book) ForGangs() resource.Vector { return b.charges.forGangs() }

func (c *charges) forGangs() resource.Vector { return c.nodes.Sub(c.foreign) }

func (c *charges) add(id gang.ID, v resource.Vector) {
	if c.of[id] = c.of[id].Add(v); c.of[id].IsZero() {
		delete(c.of, id)
	}
	c.changed[id] = true
}

// countPod adds what a pod takes, or takes it off.
func (c *charges) countPod(p *cluster.Pod, sign int64) {
	if p.Gang == "" {
		c.foreign = c.foreign.Add(p.Request.Scale(sign))
		return
	}
	c.add(p.Gang, p.Request.Scale(sign))
}

// countSlot adds what a slot takes beside the pods, if it does, or takes it off.
func (b *Book) countSlot(s *Slot, sign int64) {
	if s != nil && b.Counts(s) {
		b.charges.add(s.Gang, s.Shape.Request.Scale(sign))
	}
}

// recount keeps the charges right over a change of a pod, and with it of whether the
// slot counts that it has claimed.
func (b *Book) recount(id gang.PodID, change func()) {
	s := b.claims[id]
	b.countSlot(s, -1)
	if p, ok := b.table.Pod(id); ok {
		b.charges.countPod(&p, -1)
	}
	change()
	if p, ok := b.table.Pod(id); ok {
		b.charges.countPod(&p, 1)
	}
	b.countSlot(s, 1)
}

// recountNode keeps what nodes have together right over a change of one.
func (b *Book) recountNode(name string, change func()) {
	if n := b.table.Node(name); n != nil {
		b.charges.nodes = b.charges.nodes.Sub(n.Allocatable)
	}
	change()
	if n := b.table.Node(name); n != nil {
		b.charges.nodes = b.charges.nodes.Add(n.Allocatable)
	}
}
