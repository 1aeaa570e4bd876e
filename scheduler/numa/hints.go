package numa

import "muster.sh/muster/scheduler/resource"

// widest is how many zones may matter to a resource where a hint may have
// several: hints are as many as sets of zones. The kubelet starts with no more
// unless it is told to (max-allowable-numa-nodes).
const widest = 8

// hints are the sets of zones from which one resource could be taken now.
type hints struct {
	resource string
	masks    []Mask
	// least is how few zones could ever give so much. Hints of so many zones
	// are preferred.
	least int
}

func (h *hints) prefers(m Mask) bool { return m.count() == h.least }

// narrowest is how many zones the narrowest hint has.
func (h *hints) narrowest() int {
	n := 0
	for _, m := range h.masks {
		if n == 0 || m.count() < n {
			n = m.count()
		}
	}
	return n
}

// hint is what the policy makes of all hints: where to take from. An empty mask
// is "anywhere".
type hint struct {
	mask      Mask
	preferred bool
}

// hints asks as the Topology Manager does, resource by resource.
func (a *admission) hints(w wants) ([]hints, *Refusal) {
	var out []hints
	for _, want := range w.counted {
		zones := a.t.bearing(want.Name)
		if zones.count() > widest && a.t.Policy != SingleNUMANode {
			return nil, a.t.doubt(want)
		}
		out = append(out, a.countedHints(zones, want))
	}
	if len(w.memory) > 0 && len(a.t.Zones) > widest {
		return nil, a.t.doubt(w.memory[0])
	}
	if masks, least := a.memoryHints(w.memory); len(masks) > 0 {
		// One hint for each kind, and all alike. Without any, the memory manager
		// gives no opinion here, and fails when it allocates.
		for _, want := range w.memory {
			out = append(out, hints{resource: want.Name, masks: masks, least: least})
		}
	}
	return out, nil
}

// countedHints are those for CPUs and devices. Whatever can be reused has to be
// within a hint.
func (a *admission) countedHints(zones Mask, want resource.Amount) hints {
	h := hints{resource: want.Name, least: zones.count()}
	reused := a.pool(want.Name)
	for m := zones & -zones; m != 0; m = a.t.next(m, zones) {
		var capacity, left int64
		for z := range a.left {
			if m.has(z) {
				capacity += a.t.Zones[z].Capacity.Get(want.Name)
				left += a.left[z].Left.Get(want.Name)
			}
		}
		if capacity >= want.Value {
			h.least = min(h.least, m.count())
		}
		if reused.zones().in(m) && left+reused.sum() >= want.Value {
			h.masks = append(h.masks, m)
		}
	}
	return h
}

// next is the next set of zones for which to give a hint, or none: the policy
// single-numa-node looks at single zones only.
func (t *Topology) next(m, zones Mask) Mask {
	if t.Policy == SingleNUMANode {
		zones &^= m<<1 - 1
		return zones & -zones
	}
	return (m - zones) & zones
}

// memoryHints are those for memory and huge pages, and how few zones could ever
// give so much.
func (a *admission) memoryHints(want []resource.Amount) ([]Mask, int) {
	least := len(a.t.Zones)
	if len(want) == 0 {
		return nil, least
	}
	var masks []Mask
	for m := Mask(1); m <= a.t.all(); m++ {
		if !a.t.allocates(m, want) {
			continue
		}
		least = min(least, m.count())
		if a.joins(m) && a.holds(m, want) {
			masks = append(masks, m)
		}
	}
	return masks, least
}

// allocates says whether the zones could ever give so much memory.
func (t *Topology) allocates(m Mask, want []resource.Amount) bool {
	for _, w := range want {
		var sum int64
		for z := range t.Zones {
			if m.has(z) {
				sum += t.Zones[z].Allocatable.Get(w.Name)
			}
		}
		if sum < w.Value {
			return false
		}
	}
	return true
}

// joins says whether a block may be of these zones: no zone is used both alone
// and in a group, or in two groups.
func (a *admission) joins(m Mask) bool {
	for z := range a.left {
		f := &a.left[z]
		switch {
		case !m.has(z):
		case m.count() == 1 && f.Group != 0, m.count() > 1 && f.Blocks > 0 && f.Group != m:
			return false
		}
	}
	return true
}

// holds says whether the zones have so much memory left, with what init
// containers leave.
func (a *admission) holds(m Mask, want []resource.Amount) bool {
	for _, w := range want {
		if a.left.sum(m, w.Name)+a.reusable(m, w.Name) < w.Value {
			return false
		}
	}
	return true
}

// sum is what zones have left of one resource.
func (s State) sum(m Mask, name string) int64 {
	var sum int64
	for z := range s {
		if m.has(z) {
			sum += s[z].Left.Get(name)
		}
	}
	return sum
}
