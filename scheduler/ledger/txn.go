package ledger

import (
	"slices"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
)

// Txn is a set of changes that is made as a whole or not at all. Until it is
// committed the book is as it was, so it serves as a what-if too.
type Txn struct {
	book *Book
	hold []Slot
	on   map[string][]int // indices into hold, by node
	drop map[SlotID]bool
	gone map[string]map[gang.PodID]bool // by node
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

// Evict supposes that pods have gone, and frees the slots that they have claimed.
// Pods go in their own time, so a transaction that supposes it is a what-if only.
func (t *Txn) Evict(pods ...gang.PodID) {
	for _, id := range pods {
		p, ok := t.book.table.Pod(id)
		if !ok {
			continue
		}
		if t.gone == nil {
			t.gone = map[string]map[gang.PodID]bool{}
		}
		if t.gone[p.Node] == nil {
			t.gone[p.Node] = map[gang.PodID]bool{}
		}
		t.gone[p.Node][id] = true
		if s := t.book.claims[id]; s != nil {
			t.drop[s.ID] = true
		}
	}
}

// View returns the free room of every node as it would be after Commit.
func (t *Txn) View() cluster.View {
	v := t.book.View()
	touched := map[string]bool{}
	for node := range t.on {
		touched[node] = true
	}
	for node := range t.gone {
		touched[node] = true
	}
	for id := range t.drop {
		if s := t.book.slots[id]; s != nil {
			touched[s.Node] = true
		}
	}
	if len(touched) > 0 {
		v.Rows = slices.Clone(v.Rows)
	}
	for node := range touched {
		if i, ok := find(v.Rows, node); ok {
			v.Rows[i], _ = t.Row(node)
		}
	}
	return v
}

// Row returns what would be free on one node after Commit.
func (t *Txn) Row(node string) (cluster.Row, bool) {
	row, ok := t.book.table.Row(node)
	if gone := t.gone[node]; ok && len(gone) > 0 {
		row, ok = t.book.table.RowWithout(node, gone)
	}
	if !ok {
		return row, false
	}
	for _, s := range t.book.byNode[node] {
		if !t.drop[s.ID] && t.book.Counts(s) {
			row = less(row, s)
		}
	}
	for _, i := range t.on[node] {
		if s := &t.hold[i]; t.book.Counts(s) {
			row = less(row, s)
		}
	}
	return row, true
}

// Commit makes the changes and returns the new slots, or changes nothing and
// returns an OverdrawnError: an overdrawn node takes no new slot.
func (t *Txn) Commit() ([]*Slot, error) {
	if len(t.gone) > 0 {
		panic("ledger: a what-if in which pods have gone can't be committed")
	}
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
	row, ok := t.Row(node)
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
