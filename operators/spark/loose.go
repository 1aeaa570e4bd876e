package spark

import (
	"maps"
	"strings"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	muster "muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/operators/view"
)

// looseKinds have pod templates, which their definitions take whatever they are. One
// user's must not keep the operator from reading those of all others.
var looseKinds = []view.Loose{
	{Kind: &v1beta2.SparkApplication{}, Read: reader[v1beta2.SparkApplication]("spec.driver.template", "spec.executor.template")},
	{Kind: &v1beta2.ScheduledSparkApplication{}, Read: reader[v1beta2.ScheduledSparkApplication]("spec.template.driver.template", "spec.template.executor.template")},
	{Kind: &v1alpha1.SparkConnect{}, Read: reader[v1alpha1.SparkConnect]("spec.server.template", "spec.executor.template")},
}

// reader reads objects of a type. What doesn't fit it is left out, and an annotation says
// so: a pod template, or else all but the metadata.
func reader[T any, O interface {
	*T
	client.Object
}](templates ...string) func(*unstructured.Unstructured) client.Object {
	return func(stored *unstructured.Unstructured) client.Object {
		var problems []string
		for _, path := range templates {
			if err := dropUnfit(stored.Object, strings.Split(path, ".")); err != nil {
				problems = append(problems, path+": is not a pod template: "+err.Error())
			}
		}
		object := O(new(T))
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(stored.Object, object); err != nil {
			problems = append(problems, "it can't be read: "+err.Error())
			object = O(new(T))
			object.SetName(stored.GetName())
			object.SetNamespace(stored.GetNamespace())
			object.SetUID(stored.GetUID())
			object.SetResourceVersion(stored.GetResourceVersion())
			object.SetGeneration(stored.GetGeneration())
			object.SetDeletionTimestamp(stored.GetDeletionTimestamp())
		}
		if len(problems) > 0 {
			annotations := maps.Clone(object.GetAnnotations())
			if annotations == nil {
				annotations = map[string]string{}
			}
			annotations[muster.UnreadableAnnotation] = strings.Join(problems, "; ")
			object.SetAnnotations(annotations)
		}
		return object
	}
}

// dropUnfit takes a pod template out of an object if it is none, and says why.
func dropUnfit(object map[string]any, path []string) error {
	template, found, err := unstructured.NestedFieldNoCopy(object, path...)
	if fields, ok := template.(map[string]any); err == nil && found && ok {
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(fields, &corev1.PodTemplateSpec{})
	}
	if err != nil {
		unstructured.RemoveNestedField(object, path...)
	}
	return err
}
