package source

import (
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	podresource "k8s.io/component-helpers/resource"

	"muster.sh/muster/scheduler/resource"
)

// vector counts a list of resources in the units of kube-scheduler, and leaves
// out the names that kube-scheduler does not count either.
func vector(list v1.ResourceList) resource.Vector {
	var v resource.Vector
	for name, quantity := range list {
		switch name {
		case v1.ResourceCPU:
			v.MilliCPU = quantity.MilliValue()
		case v1.ResourceMemory:
			v.Memory = quantity.Value()
		case v1.ResourceEphemeralStorage:
			v.Storage = quantity.Value()
		case v1.ResourcePods:
			v.Pods = quantity.Value()
		default:
			if counted(name) {
				v = v.With(string(name), quantity.Value())
			}
		}
	}
	return v
}

// counted says whether kube-scheduler counts a resource other than the four
// that every node has: extended resources, huge pages, attachable volumes and
// everything in the namespace of kubernetes.io.
func counted(name v1.ResourceName) bool {
	s := string(name)
	switch {
	case strings.HasPrefix(s, v1.ResourceHugePagesPrefix), strings.HasPrefix(s, v1.ResourceAttachableVolumesPrefix),
		strings.Contains(s, v1.ResourceDefaultNamespacePrefix):
		return true
	case !strings.Contains(s, "/"), strings.HasPrefix(s, v1.DefaultResourceRequestsPrefix):
		return false
	}
	return len(validation.IsQualifiedName(v1.DefaultResourceRequestsPrefix+s)) == 0
}

// podRequest is the room that a pod takes on its node, by the rule that
// kube-scheduler's NodeInfo follows with the default feature gates: containers
// and sidecars add up, init containers count by their maximum, pod-level
// requests go first, overhead comes on top; while a pod is resized the larger
// of what is asked for and what the kubelet has granted counts.
func podRequest(p *v1.Pod) resource.Vector {
	v := vector(podresource.PodRequests(p, podresource.PodResourcesOptions{
		UseStatusResources: reported(&p.Status),
		InPlacePodLevelResourcesVerticalScalingEnabled: true,
	}))
	v.Pods = 1
	return v
}

// reported says whether a kubelet may have told what it has granted. Until then all
// that kube-scheduler adds up, three times, are the requests of the spec.
func reported(s *v1.PodStatus) bool {
	return len(s.ContainerStatuses)+len(s.InitContainerStatuses) > 0 || s.Resources != nil || s.AllocatedResources != nil
}
