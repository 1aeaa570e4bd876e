package numa

import (
	"slices"

	"muster.sh/muster/scheduler/resource"
)

// Times says how many pods of a kind the kubelet admits one after the other, at
// most limit. It counts up to the first that leaves the node in an uncertain
// state. A kubelet that cannot refuse admits as many as the node as a whole has
// room for, which is not counted here: Times is the limit then.
func (t *Topology) Times(s State, d *Demand, limit int) int {
	switch {
	case !t.Refuses():
		return max(limit, 0)
	case t.oneZone(d):
		return t.timesByZone(s, d, limit)
	}
	n := 0
	for n < limit {
		a, refusal := t.Admit(s, d)
		if refusal != nil {
			break
		}
		n++
		if a.Uncertain {
			break
		}
		s = s.Take(a)
	}
	return n
}

// oneZone says whether a pod is of one container, and admitted to one zone or not at
// all. Each zone then takes as many as fit into it, whatever the order.
func (t *Topology) oneZone(d *Demand) bool {
	switch {
	case len(d.Containers) != 1 || d.Containers[0].Role != App:
		return false
	case len(t.Zones) > widest:
		return false
	case t.Policy == SingleNUMANode:
		return true
	}
	return t.Policy == Restricted && t.prefersOneZone(t.wants(d, d.Containers[0].Asks))
}

// prefersOneZone says whether each resource could ever be had from one zone: the
// restricted policy takes no more then.
func (t *Topology) prefersOneZone(w wants) bool {
	memory := false
	for z := range t.Zones {
		memory = memory || t.allocates(1<<z, w.memory)
	}
	for _, want := range w.counted {
		fits := func(z Zone) bool { return z.Capacity.Get(want.Name) >= want.Value }
		if !slices.ContainsFunc(t.Zones, fits) {
			return false
		}
	}
	return memory
}

// timesByZone looks at what is asked for in place: it runs for every node of
// each plan.
func (t *Topology) timesByZone(s State, d *Demand, limit int) int {
	asks := &d.Containers[0].Asks
	var room [widest]int64
	for z := range s {
		room[z] = max(int64(limit), 0)
	}
	if cpu := asks.MilliCPU; cpu > 0 && t.counts(d, resource.CPU, cpu) {
		if !t.wholeCores(cpu) {
			return 0
		}
		for z := range s {
			room[z] = atMost(room[z], cpu, s[z].Left.MilliCPU)
		}
	}
	if asks.Memory > 0 && t.pinsMemory(d, resource.Memory) {
		for z := range s {
			room[z] = atMost(s[z].alone(room[z]), asks.Memory, s[z].Left.Memory)
		}
	}
	for i := range asks.Extra {
		t.timesExtra(s, d, asks.Extra[i], &room)
	}
	total := int64(0)
	for z := range s {
		total += room[z]
	}
	return int(min(total, max(int64(limit), 0)))
}

func (t *Topology) timesExtra(s State, d *Demand, ask resource.Amount, room *[widest]int64) {
	switch {
	case t.pinsMemory(d, ask.Name):
		for z := range s {
			room[z] = atMost(s[z].alone(room[z]), ask.Value, s[z].Left.Get(ask.Name))
		}
	case t.counts(d, ask.Name, ask.Value):
		for z := range s {
			room[z] = atMost(room[z], ask.Value, s[z].Left.Get(ask.Name))
		}
	}
}

// alone is how many pods have memory of this zone alone, of so many.
func (f *Free) alone(n int64) int64 {
	if f.Group != 0 {
		return 0
	}
	return n
}

func atMost(limit, ask, left int64) int64 {
	if left < ask {
		return 0
	}
	return min(limit, left/ask)
}
