package plugin

import (
	"context"

	v1 "k8s.io/api/core/v1"
	fwk "k8s.io/kube-scheduler/framework"
)

// PreEnqueue lets no member without a placement into kube-scheduler's queue.
// The hold has kept it out already; this is the second lock. It runs under the
// queue's own lock, so it only reads the Board.
func (p *Plugin) PreEnqueue(_ context.Context, pod *v1.Pod) *fwk.Status {
	if !p.Member(pod) {
		return nil
	}
	if _, ok := p.Board.Placement(idOf(pod)); ok {
		return nil
	}
	return fwk.NewStatus(fwk.UnschedulableAndUnresolvable, "the pod waits for its gang")
}
