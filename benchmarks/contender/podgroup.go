package contender

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	volcanov1beta1 "volcano.sh/apis/pkg/apis/scheduling/v1beta1"
)

// volcanoGroups are Volcano's PodGroups, by which Muster is told of gangs too.
var volcanoGroups = volcanov1beta1.SchemeGroupVersion.WithResource("podgroups")

func declareVolcano(g Gang) *unstructured.Unstructured {
	spec := map[string]any{"minMember": int64(g.Size)}
	if g.Queue != "" {
		spec["queue"] = g.Queue
	}
	if g.Priority != "" {
		spec["priorityClassName"] = g.Priority
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetGroupVersionKind(volcanov1beta1.SchemeGroupVersion.WithKind("PodGroup"))
	u.SetNamespace(g.Namespace)
	u.SetName(g.Name)
	return u
}

func joinVolcano(p *corev1.Pod, g Gang) {
	p.Annotations = map[string]string{volcanov1beta1.KubeGroupNameAnnotationKey: g.Name}
}
