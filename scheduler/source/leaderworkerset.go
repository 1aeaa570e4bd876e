package source

import (
	v1 "k8s.io/api/core/v1"

	"muster.sh/muster/scheduler/gang"
)

// Labels that the LeaderWorkerSet controller gives to its pods.
const (
	leaderWorkerSetName  = "leaderworkerset.sigs.k8s.io/name"
	leaderWorkerSetGroup = "leaderworkerset.sigs.k8s.io/group-index"
	leaderWorkerSetIndex = "leaderworkerset.sigs.k8s.io/worker-index"
)

// Roles of a LeaderWorkerSet's pods.
const (
	roleLeader = "leader"
	roleWorker = "worker"
)

// leaderWorkerSet finds the group of a LeaderWorkerSet that a pod is in. Each group
// is a gang. No pod tells the UID of the set itself: a StatefulSet is between them.
func leaderWorkerSet(p *v1.Pod) (workload, bool) {
	name, group := p.Labels[leaderWorkerSetName], p.Labels[leaderWorkerSetGroup]
	if name == "" || group == "" {
		return workload{}, false
	}
	role := roleWorker
	if p.Labels[leaderWorkerSetIndex] == "0" {
		role = roleLeader
	}
	return workload{
		claim{KindLeaderWorkerSet, name + "/" + group, role},
		gang.Object{APIVersion: "leaderworkerset.x-k8s.io/v1", Kind: "LeaderWorkerSet", Namespace: p.Namespace, Name: name},
	}, true
}
