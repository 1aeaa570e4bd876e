package plugin

import (
	fwk "k8s.io/kube-scheduler/framework"
)

// Refusal is why the plugin itself ended the cycle of a member.
type Refusal struct {
	// Node that does not serve, empty if it is not about a node.
	Node string
	// Stale says that the member was turned back because its plan is gone, and
	// not because a node refused it.
	Stale bool
	// BindFailed says that the latch had opened and the bind itself failed.
	BindFailed bool
	Reason     string
	// Cause may be nil.
	Cause error
}

func (r *Refusal) Error() string { return r.Reason }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// rejected is a status after which the pod is not tried on other nodes, and
// nothing is evicted for it.
func (r *Refusal) rejected() *fwk.Status {
	return fwk.NewStatus(fwk.UnschedulableAndUnresolvable, r.Reason).WithError(r)
}
