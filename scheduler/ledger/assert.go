package ledger

import (
	"fmt"

	"muster.sh/muster/scheduler/gang"
)

// Assert derives every index of the book again and compares. It returns the
// first difference. Tests call it after each step; it is too slow for more.
func (b *Book) Assert() error {
	claims := map[gang.PodID]SlotID{}
	perNode, perGang := 0, 0
	for _, list := range b.byNode {
		perNode += len(list)
	}
	for _, list := range b.byGang {
		perGang += len(list)
	}
	if perNode != len(b.slots) || perGang != len(b.slots) {
		return fmt.Errorf("ledger: %d slots, but %d by node and %d by gang", len(b.slots), perNode, perGang)
	}
	for id, s := range b.slots {
		if s.ID != id {
			return fmt.Errorf("ledger: slot %d is filed as %d", s.ID, id)
		}
		if s.Claimant == "" {
			continue
		}
		if other, twice := claims[s.Claimant]; twice {
			return fmt.Errorf("ledger: pod %s claims slots %d and %d", s.Claimant, other, id)
		}
		claims[s.Claimant] = id
		if b.claims[s.Claimant] != s {
			return fmt.Errorf("ledger: the claim of %s on slot %d is not indexed", s.Claimant, id)
		}
	}
	if len(claims) != len(b.claims) {
		return fmt.Errorf("ledger: %d claims indexed, %d exist", len(b.claims), len(claims))
	}
	return b.assertRows()
}

func (b *Book) assertRows() error {
	names := b.table.Names()
	view := b.View()
	if len(names) != len(view.Rows) {
		return fmt.Errorf("ledger: %d nodes, but %d in the view", len(names), len(view.Rows))
	}
	for i, name := range names {
		fresh, _ := b.row(name)
		if cached := view.Rows[i]; cached.Node.Name != name || !cached.Free.Equal(fresh.Free) {
			return fmt.Errorf("ledger: the view shows %s free on %s, in truth it is %s", cached.Free, name, fresh.Free)
		}
	}
	return nil
}
