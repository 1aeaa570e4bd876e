package source

import (
	"cmp"

	v1 "k8s.io/api/core/v1"

	"muster.sh/muster/scheduler/gang"
)

// Labels that the JobSet controller gives to its pods. Its module, for four names,
// would bring another controller runtime.
const (
	jobSetName        = "jobset.sigs.k8s.io/jobset-name"
	jobSetUID         = "jobset.sigs.k8s.io/jobset-uid" // not from the earliest releases
	replicatedJobName = "jobset.sigs.k8s.io/replicatedjob-name"
)

// jobSet finds the JobSet of a pod. Its replicated jobs are roles.
func jobSet(p *v1.Pod) (workload, bool) {
	name, uid := p.Labels[jobSetName], p.Labels[jobSetUID]
	if name == "" {
		return workload{}, false
	}
	w := workload{
		claim{KindJobSet, name, cmp.Or(p.Labels[replicatedJobName], RoleDefault)},
		gang.Object{APIVersion: "jobset.x-k8s.io/v1alpha2", Kind: "JobSet", Namespace: p.Namespace, Name: name, UID: uid},
	}
	if uid != "" {
		w.name += "/" + uid
	}
	return w, true
}
