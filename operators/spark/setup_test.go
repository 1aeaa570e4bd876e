package spark

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"muster.sh/muster/operators/spark/plan"
)

func TestWhatRunsDoesNotWaitForWhatIsNew(t *testing.T) {
	q := priorityqueue.New[reconcile.Request](t.Name())
	defer q.ShutDown()
	for _, name := range []string{"new-1", "runs", "new-2"} {
		q.Add(requestFor("ns", name)[0])
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "d", Labels: map[string]string{plan.LabelAppName: "runs"}}}
	stranger := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "s"}}
	urgently(applicationOf).Update(t.Context(), event.TypedUpdateEvent[*corev1.Pod]{ObjectOld: pod, ObjectNew: pod}, q)
	urgently(applicationOf).Create(t.Context(), event.TypedCreateEvent[*corev1.Pod]{Object: stranger}, q)
	if q.Len() != 3 {
		t.Errorf("%d applications wait, not 3", q.Len())
	}
	if first, _ := q.Get(); first.Name != "runs" {
		t.Errorf("the first is %s", first.Name)
	}
}
