package ledger

import (
	"fmt"
	"maps"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// Assert derives every index of the book again and compares. It returns the
// first difference. Tests call it after each step; it is too slow for more.
func (b *Book) Assert() error {
	perNode, perGang := 0, 0
	for _, list := range b.byNode {
		perNode += len(list)
	}
	for id, h := range b.byGang {
		perGang += len(h.Slots)
		if err := b.assertHolding(id, h); err != nil {
			return err
		}
	}
	if perNode != len(b.slots) || perGang != len(b.slots) {
		return fmt.Errorf("ledger: %d slots, but %d by node and %d by gang", len(b.slots), perNode, perGang)
	}
	if err := b.assertClaims(); err != nil {
		return err
	}
	if err := b.assertCharges(); err != nil {
		return err
	}
	return b.assertRows()
}

func (b *Book) assertHolding(id gang.ID, h *Holding) error {
	claimed, roles := 0, map[string]Tally{}
	for _, s := range h.Slots {
		t := roles[s.Role]
		if s.Elastic {
			t.Elastic++
		} else {
			t.Minimum++
		}
		roles[s.Role] = t
		if s.Claimant != "" {
			claimed++
		}
	}
	if claimed != h.Claimed || !maps.Equal(roles, h.Roles) {
		return fmt.Errorf("ledger: %s has %d claimed slots and %v, counted are %d and %v", id, claimed, roles, h.Claimed, h.Roles)
	}
	return nil
}

func (b *Book) assertClaims() error {
	claims := map[gang.PodID]SlotID{}
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
	return nil
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

func (b *Book) assertCharges() error {
	fresh := newCharges()
	for _, name := range b.table.Names() {
		fresh.nodes = fresh.nodes.Add(b.table.Node(name).Allocatable)
	}
	for p := range b.table.Pods() {
		fresh.count(p.Gang, p.Request)
	}
	for _, s := range b.slots {
		if b.Counts(s) {
			fresh.count(s.Gang, s.Shape.Request)
			fresh.expect(s, 1)
		}
	}
	same := maps.EqualFunc(fresh.of, b.charges.of, resource.Vector.Equal)
	if !same || !fresh.forGangs().Equal(b.ForGangs()) {
		return fmt.Errorf("ledger: gangs have %v of %s, charged are %v of %s", fresh.of, fresh.forGangs(), b.charges.of, b.ForGangs())
	}
	if !maps.EqualFunc(fresh.expected, b.charges.expected, resource.Vector.Equal) {
		return fmt.Errorf("ledger: %v is held for members without a pod, counted is %v", fresh.expected, b.charges.expected)
	}
	return nil
}

// ChargedInAll is what all gangs have together, but for one, for tests of who is
// charged for it.
func (b *Book) ChargedInAll(but gang.ID) resource.Vector {
	var all resource.Vector
	for id, v := range b.charges.of {
		if id != but {
			all = all.Add(v)
		}
	}
	return all
}
