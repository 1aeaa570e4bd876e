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
