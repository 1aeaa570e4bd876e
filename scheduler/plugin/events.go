package plugin

import (
	"context"

	v1 "k8s.io/api/core/v1"
	fwk "k8s.io/kube-scheduler/framework"
)

// EventsToRegister lists what may let a pod pass that Filter has refused: a
// pod gone from its node, a smaller one, a new or larger node, less promised.
// A plugin that says nothing here is woken by everything.
func (*Plugin) EventsToRegister(context.Context) ([]fwk.ClusterEventWithHint, error) {
	return []fwk.ClusterEventWithHint{
		{Event: fwk.ClusterEvent{Resource: fwk.AssignedPod, ActionType: fwk.Delete | fwk.UpdatePodScaleDown}},
		{Event: fwk.ClusterEvent{Resource: fwk.Node, ActionType: fwk.Add | fwk.UpdateNodeAllocatable}},
		{Event: RoomFreed},
	}, nil
}

// SignPod keeps members out of kube-scheduler's reuse of earlier results: its
// hints name a node before PreFilter is asked. Of other pods only what is aligned
// matters to us: what is promised depends on the node alone.
func (p *Plugin) SignPod(_ context.Context, pod *v1.Pod) ([]fwk.SignFragment, *fwk.Status) {
	if p.Member(pod) {
		return nil, fwk.NewStatus(fwk.Unschedulable, "members of gangs have a node of their own")
	}
	if d := p.Aligned(pod); d != nil {
		return []fwk.SignFragment{{Key: Name + ".Aligned", Value: d}}, nil
	}
	return nil, nil
}
