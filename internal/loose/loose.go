// Package loose reads objects that their definitions let be stored though they don't fit
// their Go types. To who lists a kind by its type, one such object would hide all others.
package loose

import (
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/api/v1alpha1"
)

// Reader reads objects of a type. What doesn't fit it is left out, and an annotation says
// so: one of the pod templates at these paths, or else all but the metadata.
func Reader[T any, O interface {
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
			annotations[v1alpha1.UnreadableAnnotation] = strings.Join(problems, "; ")
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
