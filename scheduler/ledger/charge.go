package ledger

import (
	"slices"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// charges is what gangs have: the room that their pods take, until these are gone, and
// the slots that count beside them.
type charges struct {
	of      map[gang.ID]resource.Vector
	changed map[gang.ID]bool
	// expected is what of it is held for members that have no pod.
	expected map[gang.ID]resource.Vector
	// nodes is what all nodes have together, and foreign what pods of no gang take of it.
	nodes, foreign resource.Vector
}

func newCharges() charges {
	return charges{of: map[gang.ID]resource.Vector{}, changed: map[gang.ID]bool{}, expected: map[gang.ID]resource.Vector{}}
}

// Charge is what a gang has now.
func (b *Book) Charge(id gang.ID) resource.Vector { return b.charges.of[id] }

// Expected is what of the charge of a gang is held for members that have no pod: slots
// that nobody has claimed.
func (b *Book) Expected(id gang.ID) resource.Vector { return b.charges.expected[id] }

// Recharged returns the gangs that have more or less than when it was last called, or for
// others of their members, sorted.
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

// count adds what a gang has more, or what pods of no gang take.
func (c *charges) count(id gang.ID, v resource.Vector) {
	if id == "" {
		c.foreign = c.foreign.Add(v)
		return
	}
	if c.of[id] = c.of[id].Add(v); c.of[id].IsZero() {
		delete(c.of, id)
	}
	c.changed[id] = true
}

// countSlot adds what a slot takes beside the pods, if it does, or takes it off.
func (b *Book) countSlot(s *Slot, sign int64) {
	if s != nil && b.Counts(s) {
		b.charges.count(s.Gang, s.Shape.Request.Scale(sign))
		b.charges.expect(s, sign)
	}
}

// expect adds a slot that waits for a pod to what is expected, or takes it off.
func (c *charges) expect(s *Slot, sign int64) {
	if s.Claimant != "" {
		return
	}
	if c.expected[s.Gang] = c.expected[s.Gang].Add(s.Shape.Request.Scale(sign)); c.expected[s.Gang].IsZero() {
		delete(c.expected, s.Gang)
	}
}

// recount keeps the charges right over a change of a pod, and with it of whether the
// slot counts that it has claimed. A member that is bound as planned takes what was held
// for it, and changes nothing.
func (b *Book) recount(id gang.PodID, change func()) {
	s := b.claims[id]
	was, took, held := b.stake(id, s)
	change()
	is, takes, holds := b.stake(id, s)
	if was == is && (s == nil || s.Gang == is) && took.Add(held).Equal(takes.Add(holds)) {
		return
	}
	b.charges.count(was, took.Scale(-1))
	b.charges.count(is, takes)
	if s != nil {
		b.charges.count(s.Gang, holds.Sub(held))
	}
}

// stake is whose a pod is, what it takes, and what the slot that it has claimed takes
// beside it. A pod that takes nothing yet is of the gang of its slot.
func (b *Book) stake(id gang.PodID, s *Slot) (of gang.ID, takes, held resource.Vector) {
	p, known := b.table.Pod(id)
	if s != nil && b.Counts(s) {
		held = s.Shape.Request
	}
	if s != nil && !known {
		return s.Gang, takes, held
	}
	return p.Gang, p.Request, held
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
