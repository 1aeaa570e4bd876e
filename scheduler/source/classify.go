package source

import (
	v1 "k8s.io/api/core/v1"
	volcanobatch "volcano.sh/apis/pkg/apis/batch/v1alpha1"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/scheduler/gang"
)

// Kinds of gangs, the first part of their IDs.
const (
	// KindSpark is a Spark application whose driver is a pod of ours.
	KindSpark = "spark"
	// KindSparkClient is the executors of a driver that is not ours to place.
	KindSparkClient = "spark-client"
	// KindPodGroup is a PodGroup of scheduling.volcano.sh.
	KindPodGroup = "podgroup"
)

// Roles of members.
const (
	RoleDriver   = sparkconf.RoleDriver
	RoleExecutor = sparkconf.RoleExecutor
	// RoleDefault is the role of a PodGroup's member that names none. It is
	// Volcano's name for it.
	RoleDefault = volcanobatch.DefaultTaskSpec
)

// GangOf tells by a pod's labels and annotations alone to which gang it says
// that it belongs, and in which role. It is meant for pods whose scheduler name
// is ours; that is for the caller to know. A pod that is no member of anything
// reports false.
//
// An executor only claims its application. The events name the gang that it
// truly belongs to, which is another one where the claim does not hold.
func GangOf(p *v1.Pod) (id gang.ID, role string, ok bool) {
	c := classify(p)
	if c.kind == "" {
		return "", "", false
	}
	return gang.NewID(c.kind, p.Namespace, c.name), c.role, true
}

// claim is what a pod says of itself. Without a kind it is a single pod.
type claim struct{ kind, name, role string }

// classify reads a pod's claim. Spark goes before a PodGroup: the PodGroups
// that Spark makes ask for one member, and a driver alone is no gang.
func classify(p *v1.Pod) claim {
	if app := p.Labels[sparkconf.LabelAppID]; app != "" {
		switch role := p.Labels[sparkconf.LabelRole]; role {
		case RoleDriver, RoleExecutor:
			return claim{KindSpark, app, role}
		}
	}
	if name := groupName(p); name != "" {
		return claim{KindPodGroup, name, taskName(p)}
	}
	return claim{}
}

func groupName(p *v1.Pod) string {
	if name := p.Annotations[volcano.KubeGroupNameAnnotationKey]; name != "" {
		return name
	}
	return p.Annotations[volcano.VolcanoGroupNameAnnotationKey]
}

func taskName(p *v1.Pod) string {
	if task := p.Annotations[volcanobatch.TaskSpecKey]; task != "" {
		return task
	}
	return RoleDefault
}
