package run

import (
	v1 "k8s.io/api/core/v1"
	defaults "k8s.io/kubernetes/pkg/apis/core/v1"

	explain "muster.sh/muster/api/explain/v1"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/source"
)

// shapeOf is that of a pod of some members, as the API server would complete it: what is
// only limited is requested.
func shapeOf(m *explain.Members) gang.Shape {
	pod := &v1.Pod{ObjectMeta: m.Template.ObjectMeta, Spec: m.Template.Spec}
	defaults.SetObjectDefaults_Pod(pod)
	return source.ShapeOf(pod)
}
