package numa

import (
	"slices"

	"muster.sh/muster/scheduler/resource"
)

// allocateMemory takes what the memory manager takes. It decides by hints of its
// own where the Topology Manager's is none or too narrow for it.
func (a *admission) allocateMemory(role Role, want []resource.Amount, h hint) *Refusal {
	if len(a.t.Zones) > widest {
		return a.t.doubt(want[0])
	}
	masks, least := a.memoryHints(want)
	switch {
	case a.straddles(h.mask) && (len(masks) > 0 || a.left.torn()):
		return a.t.doubt(want[0])
	case len(masks) == 0:
		return a.t.refusal(want[0].Name)
	}
	if h.mask == 0 || !a.covers(h.mask, want) {
		wider := best(masks, h.mask)
		if wider == 0 || h.preferred && wider.count() != least {
			return a.t.refusal(want[0].Name)
		}
		h.mask = wider
	}
	if !a.joins(h.mask) {
		return a.t.refusal(want[0].Name)
	}
	for _, w := range want {
		a.takeMemory(role, h.mask, w)
	}
	return nil
}

// straddles says whether zones are some of a group, or of several. What becomes
// of a hint like that depends on which zone of the group has how much left, and
// that changes with the order in which pods end.
func (a *admission) straddles(m Mask) bool {
	for z := range a.left {
		if group := a.left[z].Group; m.has(z) && group != 0 && group != m {
			return true
		}
	}
	return false
}

// torn says whether a zone of a group is used alone or in another group. The
// kubelet does that when it takes from a zone of a group for a narrower hint.
func (s State) torn() bool {
	for z := range s {
		for other := range s {
			if s[z].Group.has(other) && s[other].Group != s[z].Group {
				return true
			}
		}
	}
	return false
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

// best is the memory manager's best hint that includes the zones: the narrowest,
// which is preferred if any is.
func best(masks []Mask, zones Mask) Mask {
	var best Mask
	for _, m := range masks {
		if zones.in(m) && (best == 0 || m.narrower(best)) {
			best = m
		}
	}
	return best
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
