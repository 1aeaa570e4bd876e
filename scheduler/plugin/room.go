package plugin

import (
	v1 "k8s.io/api/core/v1"
	podresource "k8s.io/component-helpers/resource"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// ask is what a pod asks for.
type ask struct{ request resource.Vector }

// askOf counts the request of a pod that no kubelet has yet as kube-scheduler's
// NodeInfo will count it once it is there.
func askOf(pod *v1.Pod) ask {
	r := framework.NewResource(podresource.PodRequests(pod, podresource.PodResourcesOptions{}))
	v := resource.Vector{MilliCPU: r.MilliCPU, Memory: r.Memory, Storage: r.EphemeralStorage, Pods: 1}
	for name, value := range r.ScalarResources {
		v = v.With(string(name), value)
	}
	return ask{request: v}
}

// lacks names a resource of which a node has too little for the pod beside
// what is promised to others, or nothing. Only resources that are promised
// there are judged: the rest is the business of kube-scheduler's own plugins.
func (a ask) lacks(info fwk.NodeInfo, held []core.Held) string {
	// Most often there is room beside all promises, whoever has come already.
	if short(info, sum(held), a.request) == "" {
		return ""
	}
	return short(info, promised(info, held), a.request)
}

// overdrawn names a resource of which less is on a node than pods have and is
// promised, or nothing.
func overdrawn(info fwk.NodeInfo, held []core.Held) string {
	return short(info, promised(info, held), resource.Vector{})
}

// promised adds up what counts against a node beside its pods: what is held
// for members that are not there. Deciding by the
// node's own pods makes the order of events irrelevant: however late we hear
// of a member's start or end, its room is counted once.
func promised(info fwk.NodeInfo, held []core.Held) resource.Vector {
	present := make(map[gang.PodID]bool, len(info.GetPods()))
	for _, p := range info.GetPods() {
		present[idOf(p.GetPod())] = true
	}
	var total resource.Vector
	for _, h := range held {
		if h.Claimant == "" || !present[h.Claimant] {
			total = total.Add(h.Request)
		}
	}
	return total
}

func sum(held []core.Held) resource.Vector {
	var total resource.Vector
	for _, h := range held {
		total = total.Add(h.Request)
	}
	return total
}

// short names the first promised resource of which ask does not fit, with a
// zero ask the first that is overdrawn.
func short(info fwk.NodeInfo, promised, ask resource.Vector) string {
	first := ""
	promised.Each(func(name string, value int64) {
		wanted := ask.Get(name)
		if first != "" || (wanted == 0 && !ask.IsZero()) {
			return
		}
		if free(info, name)-value < wanted {
			first = name
		}
	})
	return first
}

// free is what is left of a resource beside the node's pods.
func free(info fwk.NodeInfo, name string) int64 {
	total, used := info.GetAllocatable(), info.GetRequested()
	switch name {
	case resource.CPU:
		return total.GetMilliCPU() - used.GetMilliCPU()
	case resource.Memory:
		return total.GetMemory() - used.GetMemory()
	case resource.Storage:
		return total.GetEphemeralStorage() - used.GetEphemeralStorage()
	case resource.Pods:
		return int64(total.GetAllowedPodNumber() - len(info.GetPods()))
	}
	return total.GetScalarResources()[v1.ResourceName(name)] - used.GetScalarResources()[v1.ResourceName(name)]
}
