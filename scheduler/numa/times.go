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
	case len(d.Containers) == 1 && d.Containers[0].Role == App && t.oneZone(d):
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

// oneZone says whether a pod of one container is admitted to one zone or not at
// all. Each zone then takes as many as fit into it, whatever the order.
func (t *Topology) oneZone(d *Demand) bool {
	switch {
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

func (t *Topology) timesByZone(s State, d *Demand, limit int) int {
	cpu := d.Containers[0].Asks.MilliCPU
	exclusive := cpu > 0 && t.counts(d, resource.CPU, cpu)
	if exclusive && !t.wholeCores(cpu, cpu) {
		return 0
	}
	rest := max(int64(limit), 0)
	for z := range s {
		rest -= t.timesInZone(&s[z], d, exclusive, rest)
	}
	return max(limit, 0) - int(rest)
}

// timesInZone says how many pods of one container fit into one zone. It looks at
// what is asked for in place: it runs for every node of each plan.
func (t *Topology) timesInZone(f *Free, d *Demand, exclusive bool, limit int64) int64 {
	asks := &d.Containers[0].Asks
	if exclusive {
		limit = atMost(limit, asks.MilliCPU, f.Left.MilliCPU)
	}
	memory := asks.Memory > 0 && t.pinsMemory(d, resource.Memory)
	if memory {
		limit = atMost(limit, asks.Memory, f.Left.Memory)
	}
	for i := range asks.Extra {
		extra := &asks.Extra[i]
		pages := t.pinsMemory(d, extra.Name)
		memory = memory || pages
		if pages || t.counts(d, extra.Name, extra.Value) {
			limit = atMost(limit, extra.Value, f.Left.Get(extra.Name))
		}
	}
	if memory && f.Group != 0 {
		return 0
	}
	return limit
}

func atMost(limit, ask, left int64) int64 {
	if left < ask {
		return 0
	}
	return min(limit, left/ask)
}
