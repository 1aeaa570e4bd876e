package coretest

import (
	"maps"
	"slices"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/numa"
)

// kubelet is what a node's kubelet has admitted, and the zones that it gave to each.
type kubelet struct {
	topology *numa.Topology
	state    numa.State
	had      map[gang.PodID]numa.Allocation
}

// kubelet lets the kubelet of a node see what is bound to it now. What it must refuse
// it never admits.
func (w *World) kubelet(node string) *kubelet {
	t := w.Nodes[node].NUMA
	k := w.kubelets[node]
	if k == nil || k.topology != t {
		k = &kubelet{topology: t, state: t.Empty(), had: map[gang.PodID]numa.Allocation{}}
		w.kubelets[node] = k
	}
	here := w.boundTo(node)
	for _, id := range slices.Sorted(maps.Keys(k.had)) {
		if _, still := here[id]; !still {
			k.state = t.Give(k.state, k.had[id])
			delete(k.had, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(here)) {
		if _, seen := k.had[id]; seen || here[id].Aligned == nil {
			continue
		}
		if a, refusal := t.Admit(k.state, here[id].Aligned); refusal == nil {
			k.state, k.had[id] = k.state.Take(a), a
		}
	}
	return k
}

// boundTo returns the pods on a node.
func (w *World) boundTo(node string) map[gang.PodID]cluster.Pod {
	here := map[gang.PodID]cluster.Pod{}
	for id, on := range w.Bound {
		if on == node {
			here[id] = w.PodEvent(id).Pod
		}
	}
	for id, p := range w.Others {
		if p.Node == node {
			here[id] = p
		}
	}
	return here
}

// StartPod makes it known that the kubelet of a member's node has admitted it, if it
// has.
func (w *World) StartPod(id gang.PodID) {
	node := w.Bound[id]
	if node == "" || w.Nodes[node].NUMA == nil {
		return
	}
	if _, admitted := w.kubelet(node).had[id]; admitted {
		w.Started[id] = true
		w.TellPod(id)
	}
}

// ReportZones lets a node report what its zones have left.
func (w *World) ReportZones(node string) {
	if w.Nodes[node].NUMA != nil {
		w.tell("zones/"+node, core.ZonesReported{Node: node, Report: w.report(node)})
	}
}

func (w *World) report(node string) cluster.ZoneReport {
	r := cluster.ZoneReport{Pods: cluster.Fingerprint(maps.Values(w.boundTo(node)))}
	for _, f := range w.kubelet(node).state {
		r.Free = append(r.Free, f.Left)
	}
	return r
}

// RefusedByKubelet returns a bound pod that its kubelet can't admit, if there is one.
func (w *World) RefusedByKubelet() (gang.PodID, bool) {
	for _, id := range slices.Sorted(maps.Keys(w.Bound)) {
		node := w.Bound[id]
		if w.Members[id].Shape.Aligned == nil || w.Nodes[node].NUMA == nil {
			continue
		}
		if _, admitted := w.kubelet(node).had[id]; !admitted {
			return id, true
		}
	}
	return "", false
}
