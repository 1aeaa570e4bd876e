package source

import (
	"fmt"
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	volcanobatch "volcano.sh/apis/pkg/apis/batch/v1alpha1"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
)

// volcanoGroups are Volcano's PodGroups.
var volcanoGroups = groupAPI{
	kind: KindPodGroup, resource: volcano.SchemeGroupVersion.WithResource("podgroups"), declare: volcanoGroup,
}

// volcanoClaim reads the annotation by which a pod names its PodGroup, and the one
// that names its task.
func volcanoClaim(p *v1.Pod) (claim, bool) {
	name := p.Annotations[volcano.KubeGroupNameAnnotationKey]
	if name == "" {
		name = p.Annotations[volcano.VolcanoGroupNameAnnotationKey]
	}
	role := p.Annotations[volcanobatch.TaskSpecKey]
	if role == "" {
		role = RoleDefault
	}
	return claim{KindPodGroup, name, role}, name != ""
}

// volcanoGroup converts a PodGroup. Its tasks are roles.
func volcanoGroup(u *unstructured.Unstructured, d *declaration) error {
	g := &d.gang
	var pg volcano.PodGroup
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &pg); err != nil {
		return unreadable(err)
	}
	d.near = pg.Spec.NetworkTopology
	if pg.Spec.Queue != "" && pg.Spec.Queue != queue.Default { // the API server sets it where nobody has
		g.Queue = pg.Spec.Queue
	}
	for _, task := range slices.Sorted(maps.Keys(pg.Spec.MinTaskMember)) {
		minimum := pg.Spec.MinTaskMember[task]
		if minimum < 0 {
			return fmt.Errorf("spec.minTaskMember[%s]=%d is negative; set it to the number of pods of the task that start together", task, minimum)
		}
		g.Roles = append(g.Roles, gang.Role{Name: task, Min: int(minimum), Max: -1})
	}
	var err error
	if d.subGroups, err = readSubGroups(pg.Spec.SubGroupPolicy); err != nil {
		return err
	}
	var resources v1.ResourceList
	if pg.Spec.MinResources != nil {
		resources = *pg.Spec.MinResources
	}
	return setMinimum(g, pg.Spec.MinMember, resources)
}
