package memory

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

func TestAStatusIsMergedAndToldToTheWatch(t *testing.T) {
	api := newAPI(t)
	groups := api.Dynamic().Resource(podGroups)
	list, err := groups.List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	w, err := groups.Watch(t.Context(), metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	write := func(uid string) error {
		patch := `{"metadata":{"uid":"` + uid + `"},"status":{"running":20}}`
		_, err := groups.Namespace("n").Patch(t.Context(), "g", types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
		return err
	}
	if err := write("another"); !apierrors.IsConflict(err) {
		t.Errorf("a patch of another PodGroup: %v", err)
	}
	if err := write("2"); err != nil {
		t.Fatal(err)
	}
	told := next(t, w).Object.(*unstructured.Unstructured)
	running, _, _ := unstructured.NestedInt64(told.Object, "status", "running")
	phase, _, _ := unstructured.NestedString(told.Object, "status", "phase")
	if running != 20 || phase != "Pending" {
		t.Errorf("status %v", told.Object["status"])
	}
	if changed, _ := api.GroupsAfter(0); len(changed) != 1 {
		t.Errorf("%d versions", len(changed))
	}
}

func TestTheDefinitionOfPodGroupsIsInEffect(t *testing.T) {
	list, err := newAPI(t).Dynamic().Resource(definitions).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	conditions, _, _ := unstructured.NestedSlice(list.Items[0].Object, "status", "conditions")
	if len(conditions) != 1 {
		t.Errorf("conditions %v", conditions)
	}
}
