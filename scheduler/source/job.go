package source

import (
	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"

	"muster.sh/muster/scheduler/gang"
)

// controlled finds the Job of a pod, or what else controls it. Its UID tells it
// from one that was deleted under the same name, and may still have pods.
//
// A PodGroup makes no pods. A gang that is said to be its would pass for the one
// that it declares, and write to its status.
func controlled(p *v1.Pod) (workload, bool) {
	by := controller(p)
	if by == nil || by.Kind == podGroupKind {
		return workload{}, false
	}
	kind := KindController
	if by.Kind == "Job" && by.APIVersion == batchv1.SchemeGroupVersion.String() {
		kind = KindJob
	}
	return workload{
		claim{kind, by.Name + "/" + string(by.UID), RoleDefault},
		gang.Object{APIVersion: by.APIVersion, Kind: by.Kind, Namespace: p.Namespace, Name: by.Name, UID: string(by.UID)},
	}, true
}
