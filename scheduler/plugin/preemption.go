package plugin

import (
	"context"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/defaultpreemption"
	plfeature "k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
	"k8s.io/kubernetes/pkg/scheduler/framework/preemption"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"
)

// PreemptionName is the name of Preemption in profiles and messages.
const PreemptionName = "MusterPreemption"

// Preemption is kube-scheduler's own preemption, which knows pods and no
// gangs, kept away from gangs: it evicts nothing for a member, and no member
// for anything.
type Preemption struct {
	*defaultpreemption.DefaultPreemption
	member func(*v1.Pod) bool
}

var (
	_ fwk.PostFilterPlugin  = (*Preemption)(nil)
	_ fwk.PreEnqueuePlugin  = (*Preemption)(nil)
	_ fwk.EnqueueExtensions = (*Preemption)(nil)
)

// PreemptionFactory returns what kube-scheduler makes the Preemption of each
// profile with. Its arguments are those of DefaultPreemption.
func PreemptionFactory(member func(*v1.Pod) bool) frameworkruntime.PluginFactory {
	return func(ctx context.Context, args runtime.Object, handle fwk.Handle) (fwk.Plugin, error) {
		features := plfeature.NewSchedulerFeaturesFromGates(utilfeature.DefaultFeatureGate)
		stock, err := defaultpreemption.New(ctx, args, handle, features)
		if err != nil {
			return nil, err
		}
		stock.IsEligiblePod = func(_ fwk.NodeInfo, victim preemption.Victim, _ *v1.Pod) bool {
			for _, p := range victim.Pods() {
				if member(p.GetPod()) {
					return false
				}
			}
			return true
		}
		return &Preemption{DefaultPreemption: stock, member: member}, nil
	}
}

// Name returns the plugin's name.
func (*Preemption) Name() string { return PreemptionName }

// PostFilter looks for victims for pods that are no members. A member that does
// not fit where it was planned is planned anew instead.
func (p *Preemption) PostFilter(ctx context.Context, state fwk.CycleState, pod *v1.Pod, statuses fwk.NodeToStatusReader) (*fwk.PostFilterResult, *fwk.Status) {
	if p.member(pod) {
		return nil, fwk.NewStatus(fwk.UnschedulableAndUnresolvable, "nothing is evicted for a member of a gang")
	}
	return p.DefaultPreemption.PostFilter(ctx, state, pod, statuses)
}
