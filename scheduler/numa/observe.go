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

// Tells says whether a report shows as taken what pods have for as long as they run. A
// kubelet tells of a pod before it has found the resources for it, so a report may be
// of a pod and not yet of what it has.
func (t *Topology) Tells(free []resource.Vector, demands []*Demand) bool {
	tells := true
	t.have(demands).Each(func(name string, amount int64) {
		tells = tells && t.taken(free, name) >= amount
	})
	return tells
}

// AddsUp says whether a report shows as taken exactly what pods have for as long as they
// run, of all that is taken from zones by the piece.
func (t *Topology) AddsUp(free []resource.Vector, demands []*Demand) bool {
	have, adds := t.have(demands), true
	for z := range t.Zones {
		t.Zones[z].Allocatable.Each(func(name string, _ int64) {
			if t.aligns(name) && !isMemory(name) {
				adds = adds && t.taken(free, name) == have.Get(name)
			}
		})
	}
	return adds
}

// have is what pods have of all zones together for as long as they run.
func (t *Topology) have(demands []*Demand) resource.Vector {
	var have resource.Vector
	for _, d := range demands {
		for i := range d.Containers {
			if c := &d.Containers[i]; c.Role != Init {
				have = have.Add(t.wants(d, c.Asks).vector())
			}
		}
	}
	return have
}

// taken is how much of a resource a report shows as taken, in all zones.
func (t *Topology) taken(free []resource.Vector, name string) int64 {
	var sum int64
	for z := range t.Zones {
		sum += t.Zones[z].Allocatable.Get(name) - free[z].Get(name)
	}
	return sum
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
