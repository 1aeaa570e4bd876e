package source

import (
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// coschedulingLabel names the PodGroup of a pod.
const coschedulingLabel = "scheduling.x-k8s.io/pod-group"

// coschedulingGroups are the PodGroups of the coscheduling plugin. Its Go types
// come only with all of sigs.k8s.io/scheduler-plugins and the Kubernetes that it is
// built on, so the little that is read has a type of our own.
var coschedulingGroups = groupAPI{
	kind:     KindCoscheduling,
	resource: schema.GroupVersionResource{Group: "scheduling.x-k8s.io", Version: "v1alpha1", Resource: "podgroups"},
	declare:  coschedulingGroup,
}

func coschedulingClaim(p *v1.Pod) (claim, bool) {
	name := p.Labels[coschedulingLabel]
	return claim{KindCoscheduling, name, RoleDefault}, name != ""
}

// coschedulingGroup converts a PodGroup. Its scheduleTimeoutSeconds is how long
// members hold their room while they wait for others, which ours never do.
func coschedulingGroup(u *unstructured.Unstructured, d *declaration) error {
	var pg struct {
		Spec struct {
			MinMember    int32           `json:"minMember"`
			MinResources v1.ResourceList `json:"minResources"`
		} `json:"spec"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &pg); err != nil {
		return unreadable(err)
	}
	return setMinimum(&d.gang, pg.Spec.MinMember, pg.Spec.MinResources)
}
