package memory

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

// groups answers for PodGroups.
type groups struct {
	dynamic.NamespaceableResourceInterface
	api       *API
	namespace string
}

// Namespace returns the client of one namespace.
func (g groups) Namespace(namespace string) dynamic.ResourceInterface {
	return groups{g.NamespaceableResourceInterface, g.api, namespace}
}

// Get returns a PodGroup.
func (g groups) Get(_ context.Context, name string, _ metav1.GetOptions, _ ...string) (*unstructured.Unstructured, error) {
	return g.api.groups.get(g.namespace, name)
}

// List returns all PodGroups.
func (g groups) List(context.Context, metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	all, version := g.api.groups.all()
	list := &unstructured.UnstructuredList{Object: map[string]any{}, Items: make([]unstructured.Unstructured, len(all))}
	list.SetAPIVersion(podGroups.GroupVersion().String())
	list.SetKind("PodGroupList")
	list.SetResourceVersion(version)
	for i, group := range all {
		list.Items[i] = *group.DeepCopy()
	}
	return list, nil
}

// Watch tells of all PodGroups that change.
func (g groups) Watch(_ context.Context, o metav1.ListOptions) (watch.Interface, error) {
	return g.api.groups.watch(o.ResourceVersion)
}

// Patch writes the status of a PodGroup, and knows no other patch.
func (g groups) Patch(_ context.Context, name string, kind types.PatchType, data []byte, _ metav1.PatchOptions, subresources ...string) (*unstructured.Unstructured, error) {
	if kind != types.MergePatchType || !slices.Equal(subresources, []string{"status"}) {
		return nil, apierrors.NewMethodNotSupported(podGroups.GroupResource(), "patch")
	}
	patch := unstructured.Unstructured{}
	if err := json.Unmarshal(data, &patch.Object); err != nil {
		return nil, apierrors.NewBadRequest("patch of a PodGroup: " + err.Error())
	}
	g.api.patches.Add(1)
	group, err := g.api.groups.change(g.namespace, name, func(old *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		if uid := patch.GetUID(); uid != "" && uid != old.GetUID() {
			return nil, apierrors.NewConflict(podGroups.GroupResource(), name, fmt.Errorf("the PodGroup has UID %s, not %s", old.GetUID(), uid))
		}
		now := old.DeepCopy()
		now.Object["status"] = merged(now.Object["status"], patch.Object["status"])
		return now, nil
	})
	if err != nil {
		return nil, err
	}
	return group.DeepCopy(), nil
}

// merged is a value after a JSON merge patch (RFC 7386).
func merged(old, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	out, ok := old.(map[string]any)
	if !ok {
		out = map[string]any{}
	}
	for name, value := range changes {
		if value == nil {
			delete(out, name)
		} else {
			out[name] = merged(out[name], value)
		}
	}
	return out
}
