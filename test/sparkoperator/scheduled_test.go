package sparkoperator

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/operators/spark/schedule"
	"muster.sh/muster/test/testcluster"
)

type scheduled = v1beta2.ScheduledSparkApplication

// every runs pi at an interval of seconds.
func every(name string, seconds int, change func(*scheduled)) *scheduled {
	app := &scheduled{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: testcluster.Namespace},
		Spec:       v1beta2.ScheduledSparkApplicationSpec{Schedule: "@every " + strconv.Itoa(seconds) + "s", Template: pi("", nil).Spec},
	}
	app.Spec.Template.SparkConf["spark.muster.simulated.duration"] = "100ms"
	if change != nil {
		change(app)
	}
	return app
}

// awaitSchedule waits until something holds of a schedule.
func (s *stage) awaitSchedule(ctx context.Context, t *testing.T, name, what string, holds func(*scheduled) bool) *scheduled {
	t.Helper()
	events, err := s.client.Watch(ctx, &v1beta2.ScheduledSparkApplicationList{}, client.InNamespace(testcluster.Namespace), client.MatchingFields{"metadata.name": name})
	if err != nil {
		t.Fatal(err)
	}
	defer events.Stop()
	last := &scheduled{}
	for event := range events.ResultChan() {
		app, ok := event.Object.(*scheduled)
		if !ok || event.Type == watch.Deleted {
			continue
		}
		if last = app; holds(app) {
			return app
		}
	}
	t.Fatalf("%s: %s does not come true, but %+v", name, what, last.Status)
	return nil
}

func (s *stage) editSchedule(ctx context.Context, t *testing.T, name string, change func(*scheduled)) {
	t.Helper()
	app := &scheduled{}
	if err := s.client.Get(ctx, client.ObjectKey{Namespace: testcluster.Namespace, Name: name}, app); err != nil {
		t.Fatal(err)
	}
	old := app.DeepCopy()
	change(app)
	if err := s.client.Patch(ctx, app, client.MergeFrom(old)); err != nil {
		t.Fatal(err)
	}
}

// removeSchedule deletes a schedule that makes no more runs, and waits until those that
// it has made are gone.
func (s *stage) removeSchedule(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	s.editSchedule(ctx, t, name, func(app *scheduled) { app.Spec.Suspend = ptr.To(true) })
	s.awaitSchedule(ctx, t, name, "it is suspended", func(app *scheduled) bool { return app.Status.NextRun.IsZero() })
	if err := s.client.Delete(ctx, every(name, 1, nil)); err != nil {
		t.Fatal(err)
	}
	for _, run := range s.runs(ctx, t, name) {
		s.awaitGone(ctx, t, &v1beta2.SparkApplicationList{}, run.Name)
	}
}

func (s *stage) runs(ctx context.Context, t *testing.T, name string) []v1beta2.SparkApplication {
	t.Helper()
	var list v1beta2.SparkApplicationList
	if err := s.client.List(ctx, &list, client.InNamespace(testcluster.Namespace), client.MatchingLabels{schedule.Label: name}); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

func (s *stage) guidesSchedule(ctx context.Context, t *testing.T) {
	examples := testcluster.Examples(t, guide, "ScheduledSparkApplication")
	if len(examples) != 1 {
		t.Fatalf("the guide has %d examples", len(examples))
	}
	if err := s.client.Create(ctx, examples[0]); err != nil {
		t.Fatal(err)
	}
	name := examples[0].GetName()
	s.awaitSchedule(ctx, t, name, "it is scheduled", func(app *scheduled) bool {
		return app.Status.ScheduleState == v1beta2.ScheduleStateScheduled && app.Status.NextRun.After(app.CreationTimestamp.Time)
	})
	s.removeSchedule(ctx, t, name)
}

// runsAtItsTimes kills the operator while a schedule makes runs. Each is made once, at a
// time of the schedule, and of those that are over one is kept.
func (s *stage) runsAtItsTimes(ctx context.Context, t *testing.T) {
	const seconds = 2
	made, err := s.client.Watch(ctx, &v1beta2.SparkApplicationList{}, client.InNamespace(testcluster.Namespace), client.MatchingLabels{schedule.Label: "often"})
	if err != nil {
		t.Fatal(err)
	}
	defer made.Stop()
	if err := s.client.Create(ctx, every("often", seconds, nil)); err != nil {
		t.Fatal(err)
	}
	var names []string
	for event := range made.ResultChan() {
		if event.Type != watch.Added {
			continue
		}
		run := event.Object.(*v1beta2.SparkApplication)
		if slices.Contains(names, run.Name) {
			t.Errorf("%s is made twice", run.Name)
		}
		names = append(names, run.Name)
		if len(names)%2 == 0 {
			if err := s.Outage(ctx, localcluster.OperatorsComponent); err != nil {
				t.Fatal(err)
			}
		}
		if len(names) == 5 {
			break
		}
	}
	s.editSchedule(ctx, t, "often", func(app *scheduled) { app.Spec.Suspend = ptr.To(true) })
	app := s.awaitSchedule(ctx, t, "often", "it is suspended, and its runs are over", func(app *scheduled) bool {
		return app.Status.NextRun.IsZero() && slices.Equal(app.Status.PastSuccessfulRunNames, []string{app.Status.LastRunName})
	})
	for _, name := range names {
		if at := timeOf(t, name); at.Before(app.CreationTimestamp.Time) || at.Sub(app.CreationTimestamp.Time)%(seconds*time.Second) != 0 {
			t.Errorf("%s is of no time of a schedule since %s", name, app.CreationTimestamp)
		}
	}
	for _, run := range s.runs(ctx, t, "often") {
		if run.Name != app.Status.LastRunName {
			s.awaitGone(ctx, t, &v1beta2.SparkApplicationList{}, run.Name)
		}
	}
	s.removeSchedule(ctx, t, "often")
}

// timeOf is the time of a run by its name.
func timeOf(t *testing.T, run string) time.Time {
	t.Helper()
	seconds, err := strconv.ParseInt(run[strings.LastIndex(run, "-")+1:], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(seconds, 0)
}

// heedsItsPolicy has a run that doesn't end, beside which none begins, and which is
// replaced in the end.
func (s *stage) heedsItsPolicy(ctx context.Context, t *testing.T) {
	err := s.client.Create(ctx, every("alone", 1, func(app *scheduled) {
		app.Spec.ConcurrencyPolicy = v1beta2.ConcurrencyForbid
		app.Spec.Template.SparkConf["spark.muster.simulated.duration"] = "1h"
	}))
	if err != nil {
		t.Fatal(err)
	}
	app := s.awaitSchedule(ctx, t, "alone", "times go by without a run", func(app *scheduled) bool {
		return app.Status.LastRunName != "" && app.Status.NextRun.Sub(timeOf(t, app.Status.LastRunName)) > 3*time.Second
	})
	first := app.Status.LastRunName
	if runs := s.runs(ctx, t, "alone"); len(runs) != 1 || runs[0].Name != first {
		t.Errorf("there are %d runs", len(runs))
	}
	s.editSchedule(ctx, t, "alone", func(app *scheduled) { app.Spec.ConcurrencyPolicy = v1beta2.ConcurrencyReplace })
	s.awaitGone(ctx, t, &v1beta2.SparkApplicationList{}, first)
	s.awaitSchedule(ctx, t, "alone", "another run begins", func(app *scheduled) bool { return app.Status.LastRunName != first })
	s.removeSchedule(ctx, t, "alone")
}

// refusesSchedule has a schedule of a day that there isn't.
func (s *stage) refusesSchedule(ctx context.Context, t *testing.T) {
	if err := s.client.Create(ctx, every("vague", 1, func(app *scheduled) { app.Spec.Schedule = "0 0 30 2 *" })); err != nil {
		t.Fatal(err)
	}
	app := s.awaitSchedule(ctx, t, "vague", "it is refused", func(app *scheduled) bool {
		return app.Status.ScheduleState == v1beta2.ScheduleStateFailedValidation
	})
	if !strings.HasPrefix(app.Status.Reason, "spec.schedule: ") {
		t.Errorf("the reason is %q", app.Status.Reason)
	}
	s.editSchedule(ctx, t, "vague", func(app *scheduled) { app.Spec.Schedule = "@yearly" })
	s.awaitSchedule(ctx, t, "vague", "it is scheduled", func(app *scheduled) bool {
		return app.Status.ScheduleState == v1beta2.ScheduleStateScheduled && app.Status.Reason == ""
	})
	s.removeSchedule(ctx, t, "vague")
}
