package run

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
)

func podIn(name string, phase v1.PodPhase) *v1.Pod {
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name, ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "m"}}},
		Spec:       v1.PodSpec{SchedulerName: "muster", NodeName: "node", Containers: []v1.Container{{Name: "c"}}},
		Status:     v1.PodStatus{Phase: phase},
	}
}

// What kube-scheduler is shown must be what its own informer would show: a pod that
// ends is deleted, as it was before, and that once.
func TestKubeSchedulerSeesNoPodThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset(podIn("old", v1.PodFailed), podIn("live", v1.PodRunning))
		factory, all := newInformers(client)
		var seen []string
		see := func(what string, object any) {
			p := object.(*v1.Pod)
			seen = append(seen, fmt.Sprintf("%s %s %s %d", what, p.Name, p.Status.Phase, len(p.Spec.Containers)))
		}
		_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { see("add", o) },
			UpdateFunc: func(_, o any) { see("update", o) },
			DeleteFunc: func(o any) { see("delete", o) },
		})
		if err != nil {
			t.Fatal(err)
		}
		factory.StartWithContext(t.Context())
		synctest.Wait()

		pods := client.CoreV1().Pods("n")
		update := func(p *v1.Pod) {
			if _, err := pods.Update(t.Context(), p, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		update(podIn("live", v1.PodPending))
		update(podIn("live", v1.PodSucceeded))
		update(podIn("live", v1.PodSucceeded))
		lister := factory.Core().V1().Pods().Lister()
		if _, err := lister.Pods("n").Get("live"); !apierrors.IsNotFound(err) {
			t.Errorf("one that has ended is found: %v", err)
		}
		for _, list := range []func(labels.Selector) ([]*v1.Pod, error){lister.List, lister.Pods("n").List} {
			if found, err := list(labels.Everything()); err != nil || len(found) > 0 {
				t.Errorf("listed %v, %v", found, err)
			}
		}
		for _, name := range []string{"live", "old"} {
			object, found, err := all.GetStore().GetByKey("n/" + name)
			if err != nil || !found {
				t.Fatalf("%s is not kept: %v", name, err)
			}
			if p := object.(*v1.Pod); len(p.Spec.Containers)+len(p.ManagedFields) > 0 || p.Spec.NodeName != "node" {
				t.Errorf("kept %+v", p)
			}
		}
		if err := pods.Delete(t.Context(), "live", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		want := []string{"add live Running 1", "update live Pending 1", "delete live Pending 1"}
		if !slices.Equal(seen, want) {
			t.Errorf("seen %q, want %q", seen, want)
		}
	})
}
