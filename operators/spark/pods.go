package spark

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/operators/spark/plan"
)

// launched selects the pods that were submitted by an operator.
var launched = cache.ByObject{Label: labels.SelectorFromSet(labels.Set{plan.LabelLaunched: "true"}), Transform: slim}

// slim leaves of a pod in the view what controllers here read: of thousands of pods, most
// of the memory would be for volumes, environments and the like.
func slim(object any) (any, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok { // word of one that is gone
		return object, nil
	}
	pod.ManagedFields = nil
	containers := make([]corev1.Container, len(pod.Spec.Containers))
	for i, c := range pod.Spec.Containers {
		containers[i] = corev1.Container{Name: c.Name, Ports: c.Ports}
	}
	pod.Spec = corev1.PodSpec{NodeName: pod.Spec.NodeName, Containers: containers}
	return pod, nil
}

// byApplication is the index of pods by the names of their applications: without it,
// every look at one application would go through the pods of all.
const byApplication = "application"

// indexPods makes the index.
func indexPods(ctx context.Context, indexer client.FieldIndexer) error {
	return indexer.IndexField(ctx, &corev1.Pod{}, byApplication, nameOfApplication)
}

func nameOfApplication(pod client.Object) []string {
	return []string{pod.GetLabels()[plan.LabelAppName]}
}

// podsOf lists the pods of an application.
func podsOf(ctx context.Context, c client.Reader, app types.NamespacedName) ([]corev1.Pod, error) {
	var pods corev1.PodList
	err := c.List(ctx, &pods, client.InNamespace(app.Namespace), client.MatchingFields{byApplication: app.Name})
	return pods.Items, err
}
