package plugin

import (
	"context"
	"slices"
	"strconv"

	v1 "k8s.io/api/core/v1"
	fwk "k8s.io/kube-scheduler/framework"
	schedutil "k8s.io/kubernetes/pkg/scheduler/util"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
)

// Reserve tells the loop of the node that a pod outside of gangs has been
// given, so that no plan counts on the room until its bind comes back by the
// watch. The room of members is in the book already.
func (p *Plugin) Reserve(_ context.Context, state fwk.CycleState, pod *v1.Pod, node string) *fwk.Status {
	c, err := cycleOf(state)
	if err != nil {
		return fwk.AsStatus(err)
	}
	if c.place == nil {
		if c.aligned != nil && p.Board.Zones(node) != nil {
			p.arrivals.add(node, idOf(pod), c.aligned)
		}
		p.Post(core.Assumed{Pod: cluster.Pod{
			ID: idOf(pod), Namespace: pod.Namespace, Name: pod.Name, Node: node, Request: c.ask.request, HostPorts: hostPorts(pod),
			Aligned: c.aligned,
		}})
	}
	return nil
}

// Unreserve takes back what Reserve told.
func (p *Plugin) Unreserve(_ context.Context, state fwk.CycleState, pod *v1.Pod, node string) {
	if c, err := cycleOf(state); err == nil && c.place == nil {
		p.arrivals.remove(node, idOf(pod))
		p.Post(core.Forgotten{ID: idOf(pod)})
	}
}

// hostPorts lists the ports that a pod takes on its node, as cluster.Pod has
// them.
func hostPorts(pod *v1.Pod) []string {
	var out []string
	for _, p := range schedutil.GetHostPorts(pod) {
		protocol, address := p.Protocol, p.HostIP
		if protocol == "" {
			protocol = v1.ProtocolTCP
		}
		if address == "" {
			address = fwk.DefaultBindAllHostIP
		}
		out = append(out, string(protocol)+"/"+address+"/"+strconv.Itoa(int(p.HostPort)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
