package plugin

import (
	"context"
	"slices"

	v1 "k8s.io/api/core/v1"
	fwk "k8s.io/kube-scheduler/framework"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// Filter keeps a pod off a node where it would take room that is promised to
// another, and a member off every node but its own: kube-scheduler tries a
// pod's nominated node before the nodes that PreFilter allows.
//
// It judges the node as given: preemption and nomination ask about nodes with
// pods put on or taken off. Where victims are members their room counts as
// promised again as soon as they are taken off, so nobody gains by it.
func (p *Plugin) Filter(_ context.Context, state fwk.CycleState, pod *v1.Pod, info fwk.NodeInfo) *fwk.Status {
	c, err := cycleOf(state)
	if err != nil {
		return fwk.AsStatus(err)
	}
	name := info.Node().Name
	if c.place != nil && c.place.Node != name && !c.mayChoose(name) {
		return fwk.NewStatus(fwk.UnschedulableAndUnresolvable, "the gang's plan has the pod on another node")
	}
	held, zones := p.Board.Held(name), p.Board.Zones(name)
	if why := p.unaligned(c, name, zones); why != "" {
		p.Contention.Refused(name, held, zones)
		return fwk.NewStatus(fwk.Unschedulable, why)
	}
	if len(held) == 0 {
		return nil
	}
	lacking := c.ask.lacks(info, p.promises(c, held, idOf(pod)))
	if lacking == "" {
		return nil
	}
	if c.place == nil {
		p.Contention.Refused(name, held, zones)
	}
	return fwk.NewStatus(fwk.Unschedulable, "too little "+lacking+" beside the room that is reserved for gangs")
}

// mayChoose says whether a member may run on a node other than the planned one.
func (c *cycle) mayChoose(node string) bool {
	return c.place.Roams && !slices.Contains(c.place.Except, node)
}

// promises are those that the cycle's pod must leave room for: not its own, nor, if
// it roams, those to members of its gang that roam too and will go elsewhere.
func (p *Plugin) promises(c *cycle, held []core.Held, self gang.PodID) []core.Held {
	if c.place == nil {
		return held
	}
	return slices.DeleteFunc(slices.Clone(held), func(h core.Held) bool {
		return h.Claimant == self || (c.place.Roams && h.Gang == c.place.Gang && p.roams(h.Claimant))
	})
}

func (p *Plugin) roams(member gang.PodID) bool {
	place, ok := p.Board.Placement(member)
	return ok && place.Roams
}
