package numa

import "muster.sh/muster/scheduler/resource"

// Observed is the state that a node reports: what each zone has left, in the order
// of Zones. Which zones share blocks of memory is not reported; each is taken to
// have its own.
func (t *Topology) Observed(free []resource.Vector) State {
	s := t.Empty()
	for z := range s {
		s[z].Left = free[z]
		if t.PinnedMemory && free[z].Memory < t.Zones[z].Allocatable.Memory {
			s[z].Blocks = 1
		}
	}
	return s
}

// Agrees says whether a report says of every resource that this kubelet aligns what
// a state says.
func (t *Topology) Agrees(s State, free []resource.Vector) bool {
	for z := range s {
		same := true
		t.Zones[z].Allocatable.Each(func(name string, _ int64) {
			if t.aligns(name) && s[z].Left.Get(name) != free[z].Get(name) {
				same = false
			}
		})
		if !same {
			return false
		}
	}
	return true
}

// aligns says whether pods can take a resource from a zone at all.
func (t *Topology) aligns(name string) bool {
	switch {
	case name == resource.CPU:
		return t.ExclusiveCPUs
	case isMemory(name):
		return t.PinnedMemory
	}
	return name != resource.Storage && name != resource.Pods
}

// Holds is what a pod has of all zones together while it runs, of what is taken from
// zones by the piece.
func (t *Topology) Holds(d *Demand) resource.Vector {
	var sum resource.Vector
	for i := range d.Containers {
		if d.Containers[i].Role == Init {
			continue
		}
		for _, a := range t.wants(d, d.Containers[i].Asks).counted {
			sum = sum.With(a.Name, sum.Get(a.Name)+a.Value)
		}
	}
	return sum
}

// Taken is how much a report says is taken of all zones together, of what is taken by
// the piece.
func (t *Topology) Taken(free []resource.Vector) resource.Vector {
	var sum resource.Vector
	for z := range t.Zones {
		t.Zones[z].Allocatable.Each(func(name string, all int64) {
			if t.aligns(name) && !isMemory(name) {
				sum = sum.With(name, sum.Get(name)+all-free[z].Get(name))
			}
		})
	}
	return sum
}
