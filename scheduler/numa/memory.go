package numa

import (
	"slices"

	"muster.sh/muster/scheduler/resource"
)

// allocateMemory takes what the memory manager takes. It decides by hints of its
// own where the Topology Manager's is none or too narrow for it.
func (a *admission) allocateMemory(role Role, want []resource.Amount, h hint) *Refusal {
	refused := a.t.refusal(want[0].Name)
	if len(a.t.Zones) > widest {
		return a.t.doubt(want[0])
	}
	if h.mask == 0 || !a.covers(h.mask, want) {
		wider, found := a.widen(h.mask, want)
		if !found || h.preferred && !wider.preferred {
			return refused
		}
		h = wider
	}
	if h.mask.count() > 1 && !a.joins(h.mask) {
		return refused
	}
	if h.mask.count() == 1 && !a.joins(h.mask) {
		// A hint narrower than the group of its zone: the kubelet then lets the
		// zone be in a group and alone, and what is refilled depends on order.
		a.uncertain = true
	}
	for _, w := range want {
		a.takeMemory(role, h.mask, w)
	}
	return nil
}

// covers says whether zones have so much left, without what can be reused.
func (a *admission) covers(m Mask, want []resource.Amount) bool {
	for _, w := range want {
		if a.left.sum(m, w.Name) < w.Value {
			return false
		}
	}
	return true
}

// widen is the memory manager's best hint that includes the zones.
func (a *admission) widen(m Mask, want []resource.Amount) (hint, bool) {
	masks, least := a.memoryHints(want)
	var best Mask
	for _, wide := range masks {
		if m.in(wide) && (best == 0 || wide.narrower(best)) {
			best = wide
		}
	}
	return hint{mask: best, preferred: best.count() == least}, best != 0
}

// takeMemory takes from exactly these zones what init containers did not leave
// there, and books a block even if they left all.
func (a *admission) takeMemory(role Role, m Mask, want resource.Amount) {
	again := min(a.reusable(m, want.Name), want.Value)
	a.block(Block{Zones: m, Resource: want.Name, Amount: want.Value - again})
	leftover := a.leftover(m, want.Name)
	if role == Init {
		leftover.Amount = max(leftover.Amount, want.Value)
	} else {
		leftover.Amount -= again
	}
}

// reusable is what init containers leave in exactly these zones.
func (a *admission) reusable(m Mask, name string) int64 {
	for i := range a.leftovers {
		if b := &a.leftovers[i]; b.Zones == m && b.Resource == name {
			return b.Amount
		}
	}
	return 0
}

func (a *admission) leftover(m Mask, name string) *Block {
	i := slices.IndexFunc(a.leftovers, func(b Block) bool { return b.Zones == m && b.Resource == name })
	if i < 0 {
		i = len(a.leftovers)
		a.leftovers = append(a.leftovers, Block{Zones: m, Resource: name})
	}
	return &a.leftovers[i]
}
