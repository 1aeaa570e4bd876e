package source

import (
	v1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"

	"muster.sh/muster/scheduler/gang"
)

// kubernetesClaim reads the field by which a pod names its PodGroup. API servers
// whose feature gate GenericWorkload is off drop it.
func kubernetesClaim(p *v1.Pod) (claim, bool) {
	if g := p.Spec.SchedulingGroup; g != nil && g.PodGroupName != nil {
		return claim{KindKubernetes, *g.PodGroupName, RoleDefault}, true
	}
	return claim{}, false
}

// kubernetesGroup converts a PodGroup of Kubernetes' own. One without a gang's
// policy starts with its first pod, and the others come as there is room: each
// by itself, as its policy says. The one label of nodes that it may constrain its
// members to (with Kubernetes' gate TopologyAwareWorkloadScheduling) is a topology that
// is required.
func kubernetesGroup(pg *schedulingv1beta1.PodGroup) declaration {
	d := declaration{gang: groupOf(KindKubernetes, schedulingv1beta1.SchemeGroupVersion, pg)}
	d.gang.MinMember = 1
	if policy := pg.Spec.SchedulingPolicy.Gang; policy != nil {
		d.gang.MinMember = max(int(policy.MinCount), 1)
	}
	if d.broken = readWishes(pg.Annotations, &d.gang); len(d.gang.Topology.Levels) > 0 || pg.Spec.SchedulingConstraints == nil {
		return d
	}
	for _, t := range pg.Spec.SchedulingConstraints.Topology {
		d.gang.Topology = gang.Topology{Levels: append(d.gang.Topology.Levels, t.Key), Required: true}
	}
	return d
}
