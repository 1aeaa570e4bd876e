package numa

import (
	"slices"

	"muster.sh/muster/scheduler/resource"
)

// State is what each zone has left, in the order of Topology.Zones. It is a
// value: no method changes its receiver.
type State []Free

// Free is what one zone has left.
type Free struct {
	// Left is what is not taken: whole CPUs that nobody has exclusively, memory,
	// huge pages, devices.
	Left resource.Vector `json:"left"`
	// Blocks is how many blocks of memory the memory manager holds here: one a
	// container and kind of memory.
	Blocks int `json:"blocks,omitempty"`
	// Group has this zone and those with which it holds blocks in common. It is
	// empty where all blocks are of this zone alone. The memory manager never
	// mixes the two, nor two groups.
	Group Mask `json:"group,omitempty"`
}

// Allocation is what a pod takes, by zone.
type Allocation struct {
	Blocks []Block `json:"blocks,omitempty"`
	// Uncertain says that the kubelet admits the pod but may take it from other
	// zones than Blocks say. What the node then has left is not known before
	// it reports again.
	Uncertain bool `json:"uncertain,omitempty"`
}

// Block is an amount of one resource that is taken from some zones. What is not
// memory is of one zone. A block of memory that reuses what an init container
// had may be of no bytes: it counts nevertheless.
type Block struct {
	Zones    Mask   `json:"zones"`
	Resource string `json:"resource"`
	Amount   int64  `json:"amount"`
}

// Empty is the state of a node without pods.
func (t *Topology) Empty() State {
	s := make(State, len(t.Zones))
	for z := range s {
		s[z].Left = t.Zones[z].Allocatable
	}
	return s
}

// Take returns the state after an allocation that was foretold from s.
func (s State) Take(a Allocation) State {
	out := slices.Clone(s)
	for _, b := range a.Blocks {
		out.take(b)
	}
	return out
}

// take changes s. Several zones are drained from the lowest, as by the memory
// manager.
func (s State) take(b Block) {
	rest := b.Amount
	for z := range s {
		if !b.Zones.has(z) {
			continue
		}
		part := min(rest, max(s[z].Left.Get(b.Resource), 0))
		s[z].add(b.Resource, -part)
		rest -= part
		if isMemory(b.Resource) {
			s[z].Blocks++
			s[z].Group = b.group()
		}
	}
}

// Give returns the state after a pod has gone. The memory manager refills
// several zones from the lowest, whichever of them the pod had drained: only
// what a group has in all is sure then, and only that ever matters.
func (t *Topology) Give(s State, a Allocation) State {
	out := slices.Clone(s)
	for _, b := range a.Blocks {
		rest := b.Amount
		for z := range out {
			if !b.Zones.has(z) {
				continue
			}
			part := rest
			if isMemory(b.Resource) {
				taken := t.Zones[z].Allocatable.Get(b.Resource) - out[z].Left.Get(b.Resource)
				part = min(rest, max(taken, 0))
				out[z].release()
			}
			out[z].add(b.Resource, part)
			rest -= part
		}
	}
	return out
}

func (f *Free) release() {
	if f.Blocks--; f.Blocks == 0 {
		f.Group = 0
	}
}

func (f *Free) add(name string, amount int64) {
	if amount != 0 {
		f.Left = f.Left.With(name, f.Left.Get(name)+amount)
	}
}

// group is what the block makes of its zones: a group only if there are several.
func (b Block) group() Mask {
	if b.Zones.count() == 1 {
		return 0
	}
	return b.Zones
}
