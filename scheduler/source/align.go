package source

import (
	"maps"

	v1 "k8s.io/api/core/v1"

	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// Demand is what a kubelet may take from NUMA zones for a pod, or nil: CPUs and memory
// of pods with guaranteed resources, and devices of any pod.
func Demand(p *v1.Pod) *numa.Demand {
	d := &numa.Demand{Pinned: guaranteed(p) && p.Spec.Resources == nil}
	for i := range p.Spec.InitContainers {
		role := numa.Init
		if always := p.Spec.InitContainers[i].RestartPolicy; always != nil && *always == v1.ContainerRestartPolicyAlways {
			role = numa.Sidecar
		}
		d.Containers = append(d.Containers, claimOf(&p.Spec.InitContainers[i], role, d.Pinned))
	}
	for i := range p.Spec.Containers {
		d.Containers = append(d.Containers, claimOf(&p.Spec.Containers[i], numa.App, d.Pinned))
	}
	if d.Pinned {
		return d
	}
	for _, c := range d.Containers {
		if !c.Asks.IsZero() {
			return d
		}
	}
	return nil
}

// claimOf keeps of what a container asks for what can be of a zone.
func claimOf(c *v1.Container, role numa.Role, pinned bool) numa.Claim {
	asks := vector(requests(c))
	asks.Storage = 0
	if pinned {
		return numa.Claim{Role: role, Asks: asks}
	}
	devices := resource.Vector{}
	for _, a := range asks.Extra {
		if resource.IsDevice(a.Name) {
			devices = devices.With(a.Name, a.Value)
		}
	}
	return numa.Claim{Role: role, Asks: devices}
}

// requests are those of a container, and where it has none its limits: the API server
// fills them in so.
func requests(c *v1.Container) v1.ResourceList {
	all := v1.ResourceList{}
	maps.Copy(all, c.Resources.Limits)
	maps.Copy(all, c.Resources.Requests)
	return all
}

// guaranteed says whether a pod's QoS class is Guaranteed. The API server tells; of a
// pod that is still to be created it is worked out.
func guaranteed(p *v1.Pod) bool {
	if p.Status.QOSClass != "" {
		return p.Status.QOSClass == v1.PodQOSGuaranteed
	}
	for _, list := range [][]v1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range list {
			for _, name := range []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory} {
				limit, has := list[i].Resources.Limits[name]
				if request := requests(&list[i])[name]; !has || limit.IsZero() || request.Cmp(limit) != 0 {
					return false
				}
			}
		}
	}
	return len(p.Spec.Containers) > 0
}

// started says whether a node's kubelet has taken a pod in. It tells when, as soon as
// it has found the resources for it.
func started(p *v1.Pod) bool { return p.Status.StartTime != nil }
