package source

import (
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// podSet converts a pod that has not ended. With an empty gang it is of
// interest for its room only.
func podSet(p *v1.Pod, id gang.ID, role string) core.PodSet {
	s := ShapeOf(p)
	e := core.PodSet{
		Pod: cluster.Pod{
			ID: podID(p), Namespace: p.Namespace, Name: p.Name, Node: p.Spec.NodeName,
			Request: s.Request, HostPorts: s.HostPorts, Gang: id,
			Aligned: s.Aligned, Started: s.Aligned != nil && started(p),
		},
		Terminating: p.DeletionTimestamp != nil,
	}
	if id != "" {
		e.Member = &core.Member{
			ID: podID(p), Namespace: p.Namespace, Name: p.Name, Gang: id, Role: role,
			Shape: s, Created: p.CreationTimestamp.Time, Priority: int64(ptr.Deref(p.Spec.Priority, 0)),
			Meek: ptr.Deref(p.Spec.PreemptionPolicy, v1.PreemptLowerPriority) == v1.PreemptNever,
		}
	}
	return e
}

func podID(p *v1.Pod) gang.PodID { return gang.PodID(p.UID) }

// owner points at a pod as the object that stands for a gang.
func owner(p *v1.Pod) gang.Object {
	return gang.Object{APIVersion: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: string(p.UID)}
}

// HasEnded says whether a pod has ended and takes no room any more.
func HasEnded(p *v1.Pod) bool {
	return p.Status.Phase == v1.PodSucceeded || p.Status.Phase == v1.PodFailed
}

// gated says whether somebody else still holds a pod back, or has yet to make its
// resource claims. It can't start, so it does not count as present.
func gated(p *v1.Pod) bool {
	return p.Spec.NodeName == "" && (len(p.Spec.SchedulingGates) > 0 || slices.ContainsFunc(p.Spec.ResourceClaims, func(c v1.PodResourceClaim) bool {
		return c.ResourceClaimTemplateName != nil && !slices.ContainsFunc(p.Status.ResourceClaimStatuses, func(made v1.PodResourceClaimStatus) bool {
			return made.Name == c.Name
		})
	}))
}

// end tells how a pod ended. Deletion says that it was to be deleted before it
// ended: then its phase only tells what the kill left behind. A pod that was
// evicted, or deleted with its node, is lost like one that failed: nobody
// meant to do without it.
func end(p *v1.Pod, deletion bool) core.End {
	switch {
	case slices.ContainsFunc(p.Status.Conditions, disrupted):
		return core.Failed
	case deletion:
		return core.Deleted
	case p.Status.Phase == v1.PodFailed:
		return core.Failed
	case p.Status.Phase == v1.PodSucceeded:
		return core.Succeeded
	}
	return core.Deleted
}

func disrupted(c v1.PodCondition) bool {
	return c.Type == v1.DisruptionTarget && c.Status == v1.ConditionTrue
}
