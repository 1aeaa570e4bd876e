package effects

import (
	"testing"

	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

var native = gang.Object{APIVersion: "scheduling.k8s.io/v1beta1", Kind: podGroupKind, Namespace: "team", Name: "g", UID: "uid-g"}

const nativeGang = gang.ID("k8s-podgroup/team/g")

// newKubernetesGroup builds a PodGroup of which another condition is known.
func newKubernetesGroup(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&schedulingv1beta1.PodGroup{
		TypeMeta:   metav1.TypeMeta{APIVersion: native.APIVersion, Kind: native.Kind},
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "g", UID: "uid-g", Generation: 3},
		Status: schedulingv1beta1.PodGroupStatus{Conditions: []metav1.Condition{{
			Type: schedulingv1beta1.DisruptionTarget, Status: metav1.ConditionFalse, Reason: "None",
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: content}
}

// initiallyScheduled returns the condition PodGroupInitiallyScheduled.
func (b *bench) initiallyScheduled() *metav1.Condition {
	b.t.Helper()
	u, err := b.dynamic.Resource(kubernetesGroups.resource).Namespace("team").Get(b.t.Context(), "g", metav1.GetOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	var pg schedulingv1beta1.PodGroup
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &pg); err != nil {
		b.t.Fatal(err)
	}
	if meta.FindStatusCondition(pg.Status.Conditions, schedulingv1beta1.DisruptionTarget) == nil {
		b.t.Error("another's condition was lost")
	}
	return meta.FindStatusCondition(pg.Status.Conditions, schedulingv1beta1.PodGroupInitiallyScheduled)
}

func TestKubernetesPodGroupIsToldOnceThatItIsScheduled(t *testing.T) {
	b := newBench(t, newKubernetesGroup(t))
	p := b.addPod("p")
	b.Do(core.Status{Gang: nativeGang, Owner: native, Phase: core.Waiting, Members: 2, Min: 2})
	b.Do(explain(native, nativeGang, gang.NoRoom, p))
	b.clock.Step(passing)
	b.flush(nativeGang)
	b.writes("create events", "patch pods/status", "patch podgroups/status")
	if c := b.initiallyScheduled(); c == nil || c.Status != metav1.ConditionFalse || c.Reason != "Unschedulable" || c.Message == "" || c.ObservedGeneration != 3 {
		t.Fatalf("condition %+v", c)
	}

	b.Do(core.Status{Gang: nativeGang, Owner: native, Phase: core.Started, Members: 2, Bound: 2, Min: 2})
	b.Do(explain(native, nativeGang, gang.Running))
	b.flush(nativeGang)
	b.writes("create events", "patch podgroups/status")
	if c := b.initiallyScheduled(); c == nil || c.Status != metav1.ConditionTrue || c.Reason != "Scheduled" {
		t.Fatalf("condition %+v", c)
	}

	b.Do(core.Status{Gang: nativeGang, Owner: native, Phase: core.Started, Members: 1, Bound: 1, Min: 2})
	b.Do(explain(native, nativeGang, gang.Short, p))
	b.clock.Step(passing)
	b.flush(nativeGang)
	b.writes("create events", "patch pods/status") // what was true stays true
	if c := b.initiallyScheduled(); c.Status != metav1.ConditionTrue {
		t.Fatalf("condition %+v", c)
	}
}

func TestKubernetesPodGroupIsNotToldWhatSaysNothingOfRoom(t *testing.T) {
	b := newBench(t, newKubernetesGroup(t))
	for _, code := range []gang.Code{gang.Collecting, gang.Reserved} {
		b.Do(explain(native, nativeGang, code, b.addPod(string(code))))
		b.clock.Step(coming)
		b.flush(nativeGang)
		if c := b.initiallyScheduled(); c != nil {
			t.Errorf("%s: condition %+v", code, c)
		}
	}
}
