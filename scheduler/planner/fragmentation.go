package planner

import (
	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// Fragmentation puts each member where the fewest free devices become useless to
// the work that usually comes. It follows fragmentation gradient descent (Weng et
// al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with
// Fragmentation Gradient Descent", USENIX ATC 2023): the cluster's fragmentation is
// the expected number of free devices that a pod drawn from the usual work can't
// use, and a member goes where this number grows the least. Here a device also
// counts as useless if it is left over once as many such pods as fit have come, and
// not only if not even one of them does.
//
// Where it makes no difference, and on nodes without devices, it packs.
type Fragmentation struct{ Workload []Sample }

// Sample is a shape of pods that usually come and ask for devices, and how many of
// them.
type Sample struct {
	Shape  gang.Shape
	Weight int64
}

func (f Fragmentation) fill(p *plan, w int) int {
	if len(f.Workload) == 0 {
		return Pack{}.fill(p, w)
	}
	return p.placeByCost(w)
}

func (f Fragmentation) cost(p *plan, w, i int) cost {
	c := cost{second: int64(p.emptiness(w, i))}
	if free := p.free(i); hasDevices(free) {
		node := p.view.Rows[i].Node
		after := free.Sub(p.wants[w].Shape.Request)
		c.first = f.useless(node, &after) - f.useless(node, free)
	}
	return c
}

// useless is, by weight, how many of a node's free devices the usual work can't use.
func (f Fragmentation) useless(n *cluster.Node, free *resource.Vector) int64 {
	sum := int64(0)
	for s := range f.Workload {
		sample := &f.Workload[s]
		pods := int64(0)
		if cluster.Takes(n, &sample.Shape) {
			pods = sample.Shape.Request.Times(*free, manyPods)
		}
		for _, a := range sample.Shape.Request.Extra {
			if resource.IsDevice(a.Name) {
				sum += sample.Weight * (max(free.Get(a.Name), 0) - pods*a.Value)
			}
		}
	}
	return sum
}

// manyPods is more than a node takes.
const manyPods = 1 << 20

// AsksForDevices says whether a shape asks for anything that a device plugin offers.
func AsksForDevices(s *gang.Shape) bool { return hasDevices(&s.Request) }

func hasDevices(v *resource.Vector) bool {
	for _, a := range v.Extra {
		if a.Value > 0 && resource.IsDevice(a.Name) {
			return true
		}
	}
	return false
}
