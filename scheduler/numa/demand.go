package numa

import (
	"slices"
	"strings"

	"muster.sh/muster/scheduler/resource"
)

// Demand is all of a pod that alignment looks at.
type Demand struct {
	// Pinned says that the CPU and the memory manager look at the pod: its QoS
	// class is Guaranteed, and it has no pod-level resources (whose pods they
	// leave alone while PodLevelResourceManagers is off, as it is by default).
	Pinned bool `json:"pinned,omitempty"`
	// Containers are in the kubelet's order: init containers and sidecars as
	// the pod lists them, then the others.
	Containers []Claim `json:"containers,omitempty"`
}

// Role is how long a container runs.
type Role string

// A container's roles. The zero Role is App.
const (
	// App runs as long as the pod.
	App Role = ""
	// Init ends before the next container starts, and leaves it what it had.
	Init Role = "init"
	// Sidecar is an init container that is restarted always: it stays.
	Sidecar Role = "sidecar"
)

// Claim is what one container asks for: requests of CPU, memory and huge pages,
// and devices.
type Claim struct {
	Role Role            `json:"role,omitempty"`
	Asks resource.Vector `json:"asks"`
}

// wants is what one hint is given for: a container's claim or, in the pod's
// scope, the whole pod's.
type wants struct {
	// counted has CPUs (in thousandths) and devices: what is taken by the piece.
	counted []resource.Amount
	// memory has memory and huge pages, which the memory manager takes as one.
	memory []resource.Amount
}

// wants keeps of what is asked for what this kubelet aligns.
func (t *Topology) wants(d *Demand, asks resource.Vector) wants {
	var w wants
	asks.Each(func(name string, amount int64) {
		switch {
		case t.pinsMemory(d, name):
			w.memory = append(w.memory, resource.Amount{Name: name, Value: amount})
		case t.counts(d, name, amount):
			w.counted = append(w.counted, resource.Amount{Name: name, Value: amount})
		}
	})
	return w
}

func (t *Topology) pinsMemory(d *Demand, name string) bool {
	return d.Pinned && t.PinnedMemory && isMemory(name)
}

// counts says whether a resource is taken from zones by the piece. A CPU is
// exclusive only if whole CPUs are asked for.
func (t *Topology) counts(d *Demand, name string, amount int64) bool {
	switch {
	case name == resource.CPU:
		return d.Pinned && t.ExclusiveCPUs && amount%1000 == 0
	case name == resource.Storage, name == resource.Pods, isMemory(name):
		return false
	}
	return t.bearing(name) != 0
}

func isMemory(name string) bool {
	return name == resource.Memory || strings.HasPrefix(name, "hugepages-")
}

// total is what the pod's scope asks hints for: the most that runs at a time.
// As in the kubelet, memory of a kind that only init containers ask for does
// not count.
func (t *Topology) total(d *Demand) wants {
	var first, lasting, apps resource.Vector // most at a time so far; sidecars'; apps'
	for i := range d.Containers {
		c := &d.Containers[i]
		aligned := t.wants(d, c.Asks).vector()
		switch c.Role {
		case Init:
			first = most(first, lasting.Add(aligned))
		case Sidecar:
			lasting = lasting.Add(aligned)
		default:
			apps = apps.Add(aligned)
		}
	}
	w := t.wants(d, most(first, lasting.Add(apps)))
	kept := w.memory[:0]
	for _, m := range w.memory {
		if apps.Get(m.Name) > 0 {
			kept = append(kept, m)
		}
	}
	w.memory = kept
	return w
}

func (w wants) vector() resource.Vector {
	var v resource.Vector
	for _, list := range [...][]resource.Amount{w.counted, w.memory} {
		for _, a := range list {
			v = v.With(a.Name, a.Value)
		}
	}
	return v
}

// most is the larger amount of each resource.
func most(a, b resource.Vector) resource.Vector {
	b.Each(func(name string, value int64) {
		if value > a.Get(name) {
			a = a.With(name, value)
		}
	})
	return a
}

// Equal says whether two pods are the same to alignment.
func (d *Demand) Equal(e *Demand) bool {
	same := func(a, b Claim) bool { return a.Role == b.Role && a.Asks.Equal(b.Asks) }
	return d == e || d.Pinned == e.Pinned && slices.EqualFunc(d.Containers, e.Containers, same)
}
