package source

import (
	"maps"

	v1 "k8s.io/api/core/v1"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
)

// node converts what placing needs of a node. Only taints that keep pods off
// are kept.
//
// A node is ready unless a taint says that it is not. kube-scheduler itself
// looks at the taint and not at the condition, which the node controller turns
// into the taint: both books must agree on where a pod may go.
func node(n *v1.Node) cluster.Node {
	out := cluster.Node{
		Name:          n.Name,
		Labels:        maps.Clone(n.Labels),
		Unschedulable: n.Spec.Unschedulable,
		Ready:         true,
		Allocatable:   vector(n.Status.Allocatable),
	}
	for _, t := range n.Spec.Taints {
		if t.Effect != v1.TaintEffectNoSchedule && t.Effect != v1.TaintEffectNoExecute {
			continue
		}
		out.Taints = append(out.Taints, gang.Taint{Key: t.Key, Value: t.Value, Effect: gang.Effect(t.Effect)})
		if t.Key == v1.TaintNodeNotReady || t.Key == v1.TaintNodeUnreachable {
			out.Ready = false
		}
	}
	return out
}
