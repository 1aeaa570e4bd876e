package ledger

import (
	"slices"

	"muster.sh/muster/scheduler/cluster"
)

// Txn is a set of changes that is made as a whole or not at all. Until it is
// committed the book is as it was, so it serves as a what-if too.
type Txn struct {
	book *Book
	hold []Slot
	on   map[string][]int // indices into hold, by node
	drop map[SlotID]bool
}

// Begin starts a transaction.
func (b *Book) Begin() *Txn {
	return &Txn{book: b, on: map[string][]int{}, drop: map[SlotID]bool{}}
}

// Hold adds slots; their IDs are given by Commit.
func (t *Txn) Hold(slots ...Slot) {
	for _, s := range slots {
		t.on[s.Node] = append(t.on[s.Node], len(t.hold))
		t.hold = append(t.hold, s)
	}
}

// Release frees slots that the book has.
func (t *Txn) Release(ids ...SlotID) {
	for _, id := range ids {
		t.drop[id] = true
	}
}

// View returns the free room of every node as it would be after Commit.
func (t *Txn) View() cluster.View {
	v := t.book.View()
	for i, row := range v.Rows {
		v.Rows[i] = t.apply(row)
	}
	return v
}

func (t *Txn) apply(row cluster.Row) cluster.Row {
	if len(t.drop) > 0 {
		for _, s := range t.book.byNode[row.Node.Name] {
			if t.drop[s.ID] && t.book.Counts(s) {
				row.Free = row.Free.Add(s.Shape.Request)
			}
		}
	}
	for _, i := range t.on[row.Node.Name] {
		if s := &t.hold[i]; t.book.Counts(s) {
			row.Free = row.Free.Sub(s.Shape.Request)
		}
	}
	return row
}

// Commit makes the changes and returns the new slots, or changes nothing and
// returns an OverdrawnError: an overdrawn node takes no new slot.
func (t *Txn) Commit() ([]*Slot, error) {
	for _, s := range t.hold {
		if t.book.claims[s.Claimant] != nil && !t.drop[t.book.claims[s.Claimant].ID] {
			panic("ledger: a pod would claim two slots")
		}
	}
	for node, indices := range t.on {
		if err := t.check(node, indices); err != nil {
			return nil, err
		}
	}
	ids := make([]SlotID, 0, len(t.drop))
	for id := range t.drop {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	t.book.Release(ids...)
	out := make([]*Slot, len(t.hold))
	for i, s := range t.hold {
		out[i] = t.book.insert(s)
	}
	return out, nil
}

func (t *Txn) check(node string, indices []int) error {
	row, ok := t.book.row(node)
	if ok {
		row = t.apply(row)
	}
	for _, i := range indices {
		s := &t.hold[i]
		// The slot is taken from the row already: nothing that it asks for may
		// be overdrawn.
		if !ok || (t.book.Counts(s) && !s.Shape.Request.Fits(row.Free.Add(s.Shape.Request))) {
			return &OverdrawnError{Node: node, Slot: *s}
		}
	}
	return nil
}
