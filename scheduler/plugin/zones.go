package plugin

import (
	"slices"
	"sync"

	fwk "k8s.io/kube-scheduler/framework"

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
// tell of, and forgets the others. A pod may have gone before anybody asked: it is
// forgotten too, or it would keep others off for ever.
func (a *arrivals) beside(node string, z *core.Zones, there func(gang.PodID) bool) []*numa.Demand {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []*numa.Demand
	for pod, d := range a.onNode[node] {
		if _, counted := slices.BinarySearch(z.Pods, pod); counted || !there(pod) {
			delete(a.onNode[node], pod)
			continue
		}
		out = append(out, d)
	}
	return out
}

// on says of pods whether they are on a node, as the scheduler's own cache has it: a
// pod is in there before Reserve. Filter may be asked about a node with pods taken
// off, so its own does not tell.
func (p *Plugin) on(node string) func(gang.PodID) bool {
	return func(pod gang.PodID) bool {
		info, err := p.handle.SnapshotSharedLister().NodeInfos().Get(node)
		return err == nil && slices.ContainsFunc(info.GetPods(), func(o fwk.PodInfo) bool { return idOf(o.GetPod()) == pod })
	}
}

// unaligned says why the kubelet of a node would refuse a pod outside of gangs, or may;
// empty if it would not.
func (p *Plugin) unaligned(c *cycle, node string, z *core.Zones) string {
	switch {
	case z == nil || c.place != nil || c.aligned == nil:
		return ""
	case z.Times(c.aligned, p.arrivals.beside(node, z, p.on(node)), 1) > 0:
		return ""
	case z.State == nil:
		return string(gang.ZonesUnknown)
	}
	return string(gang.Unaligned)
}
