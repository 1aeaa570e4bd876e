package plugin

import (
	"context"
	"fmt"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	fwk "k8s.io/kube-scheduler/framework"
)

// PreFilter narrows a member's cycle to the node of its placement, so that all
// other plugins judge that node alone. Members that roam, and other pods, may run
// anywhere.
//
// A member whose placement lists nodes to check proves on the snapshot that
// what is promised on them is really there. Cycles follow one another, and the
// promise was on the Board before the member was released: a pod that took the
// room before the promise was made is in the snapshot by now, one that comes
// later is refused by Filter.
func (p *Plugin) PreFilter(_ context.Context, state fwk.CycleState, pod *v1.Pod, _ []fwk.NodeInfo) (*fwk.PreFilterResult, *fwk.Status) {
	c := &cycle{ask: askOf(pod), aligned: p.Aligned(pod)}
	state.Write(cycleKey, c)
	if !p.Member(pod) {
		return nil, nil
	}
	place, ok := p.Board.Placement(idOf(pod))
	if !ok {
		return nil, (&Refusal{Stale: true, Reason: "the placement was taken back"}).rejected()
	}
	c.place = &place
	if r := p.check(place.Node, place.Check); r != nil {
		return nil, r.rejected()
	}
	if place.Roams {
		return nil, nil
	}
	return &fwk.PreFilterResult{NodeNames: sets.New(place.Node)}, nil
}

// PreFilterExtensions are not needed: Filter looks at nothing but the node
// that it is given, with the pods that are simulated to be on it.
func (*Plugin) PreFilterExtensions() fwk.PreFilterExtensions { return nil }

func (p *Plugin) check(planned string, nodes []string) *Refusal {
	snapshot := p.handle.SnapshotSharedLister().NodeInfos()
	if _, err := snapshot.Get(planned); err != nil {
		return &Refusal{Node: planned, Reason: fmt.Sprintf("node %s is gone", planned)}
	}
	for _, name := range nodes {
		info, err := snapshot.Get(name)
		if err != nil {
			return &Refusal{Node: name, Reason: fmt.Sprintf("node %s, on which room was reserved, is gone", name)}
		}
		if lacking := overdrawn(info, p.Board.Held(name)); lacking != "" {
			return &Refusal{Node: name, Reason: fmt.Sprintf("the room reserved on node %s is not there: too little %s", name, lacking)}
		}
	}
	return nil
}
