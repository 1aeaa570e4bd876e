package source

import (
	v1 "k8s.io/api/core/v1"
	volcanobatch "volcano.sh/apis/pkg/apis/batch/v1alpha1"

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
	// KindKubernetes is a PodGroup of Kubernetes itself, scheduling.k8s.io.
	KindKubernetes = "k8s-podgroup"
	// KindCoscheduling is a PodGroup of scheduling.x-k8s.io.
	KindCoscheduling = "coscheduling"
	// The others are declared by an annotation on their pods: those of a Job, of
	// another controller, of a JobSet, and of one group of a LeaderWorkerSet.
	KindJob             = "job"
	KindController      = "controller"
	KindJobSet          = "jobset"
	KindLeaderWorkerSet = "lws"
	// KindPod is a pod by itself that names the queue which it charges.
	KindPod = "pod"
)

// Roles of members.
const (
	RoleDriver   = sparkconf.RoleDriver
	RoleExecutor = sparkconf.RoleExecutor
	// RoleDefault is the role of a member that names none. It is Volcano's name
	// for it.
	RoleDefault = volcanobatch.DefaultTaskSpec
)

// GangOf tells by a pod alone to which gang it says that it belongs, and in which
// role. It is meant for pods whose scheduler name is ours; that is for the caller
// to know. A pod that is no member of anything reports false.
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

// inGroup says whether the gang is one of those that a group stands for.
func (c claim) inGroup() bool { return c.kind != "" && c.kind != KindSpark }

// claims are the ways in which a pod can say that it belongs to a gang. A pod that
// says so in several is taken at the first of them.
//
// An object that declares the gang goes before a number on its pods, for it says
// more, and somebody may wait for its status.
// Spark goes before a PodGroup: the PodGroups that Spark makes ask for one member,
// and a driver alone is no gang.
var claims = [...]func(*v1.Pod) (claim, bool){sparkClaim, volcanoClaim, kubernetesClaim, coschedulingClaim, workloadClaim, queueClaim}

func classify(p *v1.Pod) claim {
	for _, read := range claims {
		if c, ok := read(p); ok {
			return c
		}
	}
	return claim{}
}

// queueClaim makes a gang of a single pod that names a queue, so that it is charged to it.
func queueClaim(p *v1.Pod) (claim, bool) {
	return claim{KindPod, p.Name, RoleDefault}, queueNamed(p) != ""
}

// sparkClaim reads the labels that Spark gives to its pods.
func sparkClaim(p *v1.Pod) (claim, bool) {
	app, role := p.Labels[sparkconf.LabelAppID], p.Labels[sparkconf.LabelRole]
	return claim{KindSpark, app, role}, app != "" && (role == RoleDriver || role == RoleExecutor)
}
