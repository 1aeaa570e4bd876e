// Package numa foretells what a node's kubelet does with a pod: whether its
// Topology Manager admits it, and from which NUMA zones the pod's CPUs, memory
// and devices come. It follows the kubelet's own algorithms (Kubernetes 1.37,
// default feature gates) on counts by zone, and knows no single CPU or device.
//
// Where counts do not tell what the kubelet will do, the room says so: an
// Allocation is uncertain when it is admitted but its split over zones is not
// known, and a pod is refused in doubt when its admission is not known.
package numa

import (
	"math/bits"

	"muster.sh/muster/scheduler/resource"
)

// Policy is how strictly a kubelet aligns, by the names of its
// topologyManagerPolicy.
type Policy string

// The kubelet's policies. The zero Policy is None.
const (
	None           Policy = "none"
	BestEffort     Policy = "best-effort"
	Restricted     Policy = "restricted"
	SingleNUMANode Policy = "single-numa-node"
)

// Scope is what is aligned as one, by the names of topologyManagerScope.
type Scope string

// The kubelet's scopes. The zero Scope is Container, as in the kubelet.
const (
	Container Scope = "container"
	Pod       Scope = "pod"
)

// Topology is how a node's kubelet aligns, and what its zones have. It is a
// plain value that is never changed in place.
type Topology struct {
	Policy Policy `json:"policy,omitempty"`
	Scope  Scope  `json:"scope,omitempty"`
	// PreferClosest is the policy option prefer-closest-numa-nodes.
	PreferClosest bool `json:"preferClosest,omitempty"`
	// ExclusiveCPUs says that the CPU manager's policy is static.
	ExclusiveCPUs bool `json:"exclusiveCPUs,omitempty"`
	// FullCores is how many CPUs a core has where the CPU manager gives whole
	// cores only (full-pcpus-only), otherwise zero. Reserved CPUs must be whole
	// cores then.
	FullCores int64 `json:"fullCores,omitempty"`
	// PinnedMemory says that the memory manager's policy is Static.
	PinnedMemory bool `json:"pinnedMemory,omitempty"`
	// Zones ascend by ID.
	Zones []Zone `json:"zones,omitempty"`
}

// Zone is one NUMA node of a machine. A device that belongs to no zone is
// counted in none; one resource has either all its devices in zones or none.
type Zone struct {
	ID int `json:"id"`
	// Capacity is all that the zone has: reserved CPUs and unhealthy devices too.
	Capacity resource.Vector `json:"capacity"`
	// Allocatable is what pods can get of it: whole CPUs, bytes of memory and of
	// each size of huge pages, healthy devices.
	Allocatable resource.Vector `json:"allocatable"`
	// Costs are the distances to each zone, in the order of Zones.
	Costs []int64 `json:"costs,omitempty"`
}

// Refuses says whether the kubelet can refuse a pod for which the node as a
// whole has room. One that cannot (it only prefers, pins no memory, gives
// single CPUs) needs no second book by zone.
func (t *Topology) Refuses() bool {
	return t.Policy == Restricted || t.Policy == SingleNUMANode || t.PinnedMemory || t.FullCores > 0
}

// none says whether hints are not even asked for.
func (t *Topology) none() bool { return t.Policy == None || t.Policy == "" }

// bearing are the zones that have any of a resource.
func (t *Topology) bearing(name string) Mask {
	var m Mask
	for z := range t.Zones {
		if t.Zones[z].Capacity.Get(name) > 0 {
			m |= 1 << z
		}
	}
	return m
}

// all are the zones of the machine.
func (t *Topology) all() Mask { return 1<<len(t.Zones) - 1 }

// Mask is a set of zones: bit i stands for Zones[i].
type Mask uint64

func (m Mask) has(zone int) bool  { return m>>zone&1 == 1 }
func (m Mask) in(other Mask) bool { return m&^other == 0 }
func (m Mask) count() int         { return bits.OnesCount64(uint64(m)) }
func (m Mask) narrower(o Mask) bool {
	if m.count() != o.count() {
		return m.count() < o.count()
	}
	return m < o
}

// fitter says whether the kubelet prefers m to o when both hints are equally
// preferred: the narrower, then (if told so) the closer, then the lower one.
func (t *Topology) fitter(m, o Mask) bool {
	if t.PreferClosest && t.Policy != SingleNUMANode && m.count() == o.count() {
		if dm, do := t.distance(m), t.distance(o); dm != do {
			return dm < do
		}
	}
	return m.narrower(o)
}

// distance is the sum over all pairs of zones. Sums of as many pairs compare as
// the kubelet's averages do.
func (t *Topology) distance(m Mask) int64 {
	var sum int64
	for i := range t.Zones {
		for j, cost := range t.Zones[i].Costs {
			if m.has(i) && m.has(j) {
				sum += cost
			}
		}
	}
	return sum
}
