package plugin

import (
	"slices"
	"sync"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/numa"
)

// arrivals are pods outside of gangs that have been given a node, and that the loop
// has not yet taken in: cycles follow one another faster than the loop may.
type arrivals struct {
	mu     sync.Mutex
	onNode map[string]map[gang.PodID]*numa.Demand
}

func newArrivals() *arrivals {
	return &arrivals{onNode: map[string]map[gang.PodID]*numa.Demand{}}
}

func (a *arrivals) add(node string, pod gang.PodID, d *numa.Demand) {
	if d == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.onNode[node] == nil {
		a.onNode[node] = map[gang.PodID]*numa.Demand{}
	}
	a.onNode[node][pod] = d
}

func (a *arrivals) remove(node string, pod gang.PodID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.onNode[node], pod)
	if len(a.onNode[node]) == 0 {
		delete(a.onNode, node)
	}
}

// beside returns the demands of those that are not among the pods that a node's zones
// tell of, and forgets the others.
func (a *arrivals) beside(node string, z *core.Zones) []*numa.Demand {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []*numa.Demand
	for pod, d := range a.onNode[node] {
		if _, counted := slices.BinarySearch(z.Pods, pod); counted {
			delete(a.onNode[node], pod)
			continue
		}
		out = append(out, d)
	}
	return out
}

// unaligned says why the kubelet of a node would refuse a pod outside of gangs, or may;
// empty if it would not.
func (p *Plugin) unaligned(c *cycle, node string, z *core.Zones) string {
	switch {
	case z == nil || c.place != nil || c.aligned == nil:
		return ""
	case z.Times(c.aligned, p.arrivals.beside(node, z), 1) > 0:
		return ""
	case z.State == nil:
		return string(gang.ZonesUnknown)
	}
	return string(gang.Unaligned)
}
