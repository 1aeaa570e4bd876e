package spark

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/operators/spark/plan"
)

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
