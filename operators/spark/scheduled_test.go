package spark

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/operators/spark/schedule"
)

var (
	hourlyName  = types.NamespacedName{Namespace: "a", Name: "hourly"}
	hourlySince = metav1.NewTime(time.Now().Add(-90 * time.Minute).Truncate(time.Second))
)

// hourly is a schedule whose run has been due for half an hour.
func hourly(policy v1beta2.ConcurrencyPolicy) *v1beta2.ScheduledSparkApplication {
	app := &v1beta2.ScheduledSparkApplication{
		ObjectMeta: metav1.ObjectMeta{
			Name: hourlyName.Name, Namespace: hourlyName.Namespace, UID: "schedule", CreationTimestamp: hourlySince,
		},
		Spec: v1beta2.ScheduledSparkApplicationSpec{Schedule: "@every 1h", ConcurrencyPolicy: policy, Template: pi().Spec},
	}
	app.Status.NextRun = metav1.NewTime(app.CreationTimestamp.Add(time.Hour))
	return app
}

// last is the run before that, which has not ended.
func last(t *testing.T, w *world) {
	t.Helper()
	run := pi()
	run.Name, run.UID = "hourly-1", ""
	run.Labels = map[string]string{schedule.Label: hourlyName.Name}
	run.OwnerReferences = []metav1.OwnerReference{{Kind: "ScheduledSparkApplication", Name: hourlyName.Name, UID: "schedule"}}
	if err := w.client.Create(context.Background(), run); err != nil {
		t.Fatal(err)
	}
	w.writes, w.created = 0, map[string]int{}
}

// settleSchedule reconciles until nothing is written any more, each time by another
// operator.
func (w *world) settleSchedule() {
	w.t.Helper()
	for range 30 {
		before := w.writes
		r := &ScheduleReconciler{Client: w.client, Live: w.client, Events: events.NewFakeRecorder(100)}
		if _, err := r.Reconcile(context.Background(), ctrl.Request{NamespacedName: hourlyName}); err != nil && !errors.Is(err, errKilled) {
			w.t.Fatal(err)
		}
		if w.writes == before {
			return
		}
	}
	w.t.Fatal("there is no end of writes")
}

// Whatever write an operator dies at, having been heard or not, the run is made once.
func TestARunSurvivesADeathAtAnyWrite(t *testing.T) {
	for _, policy := range []v1beta2.ConcurrencyPolicy{v1beta2.ConcurrencyAllow, v1beta2.ConcurrencyForbid, v1beta2.ConcurrencyReplace} {
		whole := newWorld(t, hourly(policy))
		last(t, whole)
		whole.settleSchedule()
		for killAt := 1; killAt <= whole.writes; killAt++ {
			for _, done := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, write %d, done %v", policy, killAt, done), func(t *testing.T) {
					w := newWorld(t, hourly(policy))
					last(t, w)
					w.killAt, w.done = killAt, done
					w.settleSchedule()
					w.settleSchedule()
					requireRuns(t, w, policy)
				})
			}
		}
	}
}

func requireRuns(t *testing.T, w *world, policy v1beta2.ConcurrencyPolicy) {
	t.Helper()
	wanted := hourly(policy)
	name := fmt.Sprintf("%s-%d", wanted.Name, wanted.Status.NextRun.Unix())
	made, there := 1, 2
	switch policy {
	case v1beta2.ConcurrencyForbid:
		made, there, name = 0, 1, ""
	case v1beta2.ConcurrencyReplace:
		there = 1
	}
	if count := len(w.created); count != made || made == 1 && w.created["*v1beta2.SparkApplication "+name] != 1 {
		t.Errorf("created were %v, not %d", w.created, made)
	}
	var runs v1beta2.SparkApplicationList
	if err := w.client.List(context.Background(), &runs); err != nil || len(runs.Items) != there {
		t.Errorf("there are %d runs (%v), not %d", len(runs.Items), err, there)
	}
	stored := &v1beta2.ScheduledSparkApplication{}
	if err := w.client.Get(context.Background(), hourlyName, stored); err != nil {
		t.Fatal(err)
	}
	if next := wanted.Status.NextRun.Add(time.Hour); stored.Status.LastRunName != name || !stored.Status.NextRun.Time.Equal(next) {
		t.Errorf("the status is %+v", stored.Status)
	}
}

func TestARunWhoseNameIsTakenIsNotPassedOver(t *testing.T) {
	w := newWorld(t, hourly(v1beta2.ConcurrencyAllow))
	foreign := pi()
	foreign.Name, foreign.UID = fmt.Sprintf("hourly-%d", hourly("").Status.NextRun.Unix()), ""
	foreign.Spec.Suspend = ptr.To(true)
	if err := w.client.Create(context.Background(), foreign); err != nil {
		t.Fatal(err)
	}
	recorder := events.NewFakeRecorder(100)
	r := &ScheduleReconciler{Client: w.client, Live: w.client, Events: recorder}
	_, err := r.Reconcile(context.Background(), ctrl.Request{NamespacedName: hourlyName})
	if !errors.Is(err, errForeign) || len(recorder.Events) != 1 {
		t.Errorf("error %v, and %d events", err, len(recorder.Events))
	}
	if err := w.client.Delete(context.Background(), foreign); err != nil {
		t.Fatal(err)
	}
	w.settleSchedule()
	run := &v1beta2.SparkApplication{}
	if err := w.client.Get(context.Background(), client.ObjectKeyFromObject(foreign), run); err != nil || run.Spec.Suspend != nil {
		t.Errorf("the run isn't made: %v", err)
	}
}
