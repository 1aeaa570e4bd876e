package ledger

import (
	"cmp"
	"slices"

	"muster.sh/muster/scheduler/gang"
)

// Tally counts the slots of one role.
type Tally struct{ Minimum, Elastic int }

// Holding is what a gang holds. It is the book's own: it must not be changed,
// and is good until the book is.
type Holding struct {
	// Slots in the order of their IDs.
	Slots []*Slot
	// Roles counts the slots by role.
	Roles map[string]Tally
	// Claimed counts the slots that a pod has claimed.
	Claimed int
	// Version changes whenever a slot comes, goes, or moves between the minimum
	// and the elastic part; it is 0 while there is none.
	Version uint64
}

// Unclaimed counts the slots that wait for a pod.
func (h *Holding) Unclaimed() int { return len(h.Slots) - h.Claimed }

var nothing = &Holding{}

// Holding returns what a gang holds now.
func (b *Book) Holding(id gang.ID) *Holding {
	if h := b.byGang[id]; h != nil {
		return h
	}
	return nothing
}

// file enters a slot into the indices.
func (b *Book) file(s *Slot) {
	b.slots[s.ID] = s
	b.byNode[s.Node] = append(b.byNode[s.Node], s)
	h := b.byGang[s.Gang]
	if h == nil {
		h = &Holding{Roles: map[string]Tally{}}
		b.byGang[s.Gang] = h
	}
	h.Slots = append(h.Slots, s)
	b.tally(h, s, 1)
	if s.Claimant != "" {
		b.claims[s.Claimant] = s
		h.Claimed++
	}
}

// unfile takes a slot out of the indices.
func (b *Book) unfile(s *Slot) {
	delete(b.slots, s.ID)
	if b.byNode[s.Node] = without(b.byNode[s.Node], s); len(b.byNode[s.Node]) == 0 {
		delete(b.byNode, s.Node)
	}
	h := b.byGang[s.Gang]
	h.Slots = without(h.Slots, s)
	b.tally(h, s, -1)
	if s.Claimant != "" {
		delete(b.claims, s.Claimant)
		h.Claimed--
	}
	if len(h.Slots) == 0 {
		delete(b.byGang, s.Gang)
	}
}

func (b *Book) tally(h *Holding, s *Slot, by int) {
	t := h.Roles[s.Role]
	if s.Elastic {
		t.Elastic += by
	} else {
		t.Minimum += by
	}
	if h.Roles[s.Role] = t; t == (Tally{}) {
		delete(h.Roles, s.Role)
	}
	b.lastVersion++
	h.Version = b.lastVersion
}

// without takes a slot out of a list that is in the order of IDs.
func without(list []*Slot, s *Slot) []*Slot {
	i, _ := slices.BinarySearchFunc(list, s.ID, func(o *Slot, id SlotID) int { return cmp.Compare(o.ID, id) })
	return slices.Delete(list, i, i+1)
}
