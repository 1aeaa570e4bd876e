package memory

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

func newAPI(t *testing.T) *API {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "p", UID: "1"}}
	group := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"phase": "Pending"}}}
	group.SetGroupVersionKind(podGroups.GroupVersion().WithKind("PodGroup"))
	group.SetNamespace("n")
	group.SetName("g")
	group.SetUID("2")
	api, err := New([]*corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "a"}}}, []*corev1.Pod{pod}, []*unstructured.Unstructured{group})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func bind(t *testing.T, api *API, pod string, uid types.UID, node string) error {
	t.Helper()
	return api.Kubernetes().CoreV1().Pods("n").Bind(t.Context(), &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: pod, UID: uid}, Target: corev1.ObjectReference{Kind: "Node", Name: node},
	}, metav1.CreateOptions{})
}

func next(t *testing.T, w watch.Interface) watch.Event {
	t.Helper()
	select {
	case e := <-w.ResultChan():
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("the watch tells of nothing")
		return watch.Event{}
	}
}

func TestABindIsToldToEveryWatchAndIsRefusedTwice(t *testing.T) {
	api := newAPI(t)
	pods := api.Kubernetes().CoreV1().Pods("")
	list, err := pods.List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%d pods, %v", len(list.Items), err)
	}
	var watches []watch.Interface
	begin := func(version string) {
		w, err := pods.Watch(t.Context(), metav1.ListOptions{ResourceVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Stop)
		watches = append(watches, w)
	}
	begin(list.ResourceVersion)
	if err := bind(t, api, "p", "1", "a"); err != nil {
		t.Fatal(err)
	}
	begin(list.ResourceVersion) // it missed the bind, and is told of it
	var seen []*corev1.Pod
	for _, w := range watches {
		e := next(t, w)
		pod, ok := e.Object.(*corev1.Pod)
		if e.Type != watch.Modified || !ok || pod.Spec.NodeName != "a" || pod.ResourceVersion == list.Items[0].ResourceVersion {
			t.Fatalf("%s: %+v", e.Type, e.Object)
		}
		seen = append(seen, pod)
	}
	if seen[0] == seen[1] {
		t.Error("two watches share an object")
	}
	if err := bind(t, api, "p", "1", "b"); !apierrors.IsConflict(err) {
		t.Errorf("the second bind: %v", err)
	}
	if granted, refused := api.Binds(); len(granted) != 1 || granted[0].Node != "a" || refused != 1 {
		t.Errorf("granted %v, refused %d", granted, refused)
	}
	if now, err := api.Kubernetes().CoreV1().Pods("n").Get(t.Context(), "p", metav1.GetOptions{}); err != nil || now.Spec.NodeName != "a" {
		t.Errorf("it is on %q, %v", now.Spec.NodeName, err)
	}
}

func TestABindOfAnotherPodIsRefused(t *testing.T) {
	api := newAPI(t)
	if err := bind(t, api, "p", "other", "a"); !apierrors.IsConflict(err) {
		t.Errorf("a pod with another UID: %v", err)
	}
	if err := bind(t, api, "none", "", "a"); !apierrors.IsNotFound(err) {
		t.Errorf("no pod: %v", err)
	}
	if granted, refused := api.Binds(); len(granted) != 0 || refused != 2 {
		t.Errorf("granted %v, refused %d", granted, refused)
	}
}

func TestAConditionIsSetInThePlaceOfItsLast(t *testing.T) {
	api := newAPI(t)
	pods := api.Kubernetes().CoreV1().Pods("n")
	for _, status := range []string{"False", "True"} {
		patch := `{"metadata":{"uid":"1"},"status":{"conditions":[{"type":"PodScheduled","status":"` + status + `"}]}}`
		if _, err := pods.Patch(t.Context(), "p", types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "status"); err != nil {
			t.Fatal(err)
		}
	}
	now, err := pods.Get(t.Context(), "p", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(now.Status.Conditions) != 1 || now.Status.Conditions[0].Status != corev1.ConditionTrue {
		t.Errorf("conditions %v", now.Status.Conditions)
	}
	if _, err := pods.Patch(t.Context(), "p", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{}); err == nil {
		t.Error("a patch that it does not know was taken")
	}
}
