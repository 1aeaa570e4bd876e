package schedule

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"
)

// world is a schedule with its runs, and an operator that may die at any moment.
type world struct {
	t    *rapid.T
	app  *v1beta2.ScheduledSparkApplication
	runs []*v1beta2.SparkApplication
	now  time.Time
	// made are the runs that were ever made, by name.
	made map[string]bool
	// skipped are those that were not made, because another went.
	skipped map[string]bool
}

// operate is one step of an operator.
func (w *world) operate(mortal bool) (idle bool) {
	dies := func() bool { return mortal && rapid.IntRange(0, 3).Draw(w.t, "dies") == 0 }
	step := Next(Seen{App: w.app.DeepCopy(), Runs: slices.Clone(w.runs), Now: w.now})
	if dies() {
		return false
	}
	for _, event := range step.Events {
		if event.Reason == "RunSkipped" {
			w.skipped[strings.Fields(event.Message)[0]] = true
		}
	}
	w.app.Status = step.Status
	for _, run := range step.Delete {
		if dies() {
			return false
		}
		w.runs = slices.DeleteFunc(w.runs, func(r *v1beta2.SparkApplication) bool { return r.Name == run.Name })
	}
	if step.Start == nil {
		return len(step.Delete) == 0
	}
	if !dies() {
		w.make(step.Start)
	}
	return false
}

// make creates a run. None may ever be made twice, or out of its time, or beside another
// one that is not to have company.
func (w *world) make(run *v1beta2.SparkApplication) {
	if w.made[run.Name] {
		w.t.Fatalf("%s is made twice", run.Name)
	}
	w.made[run.Name] = true
	when, err := timesOf(w.app)
	if err != nil {
		w.t.Fatal(err)
	}
	if at := timeOf(w.t, run.Name); at.After(w.now) || !when.Next(at.Add(-time.Second)).Equal(at) {
		w.t.Fatalf("at %s, a run is made of %s, at which there is none", w.now, at)
	}
	active := slices.DeleteFunc(slices.Clone(w.runs), finished)
	if alone := w.app.Spec.ConcurrencyPolicy; len(active) > 0 && alone != v1beta2.ConcurrencyAllow {
		w.t.Fatalf("%s is made beside %s, by policy %s", run.Name, active[0].Name, alone)
	}
	run.CreationTimestamp = metav1.NewTime(w.now)
	w.runs = append(w.runs, run)
}

func timeOf(t *rapid.T, run string) time.Time {
	seconds, err := strconv.ParseInt(run[strings.LastIndex(run, "-")+1:], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(seconds, 0)
}

// live lets runs come to their ends.
func (w *world) live() {
	for _, run := range w.runs {
		if !finished(run) {
			run.Status.AppState.State = rapid.SampledFrom([]v1beta2.ApplicationStateType{
				v1beta2.ApplicationStateNew, v1beta2.ApplicationStateRunning, v1beta2.ApplicationStateCompleted, v1beta2.ApplicationStateFailed,
			}).Draw(w.t, "state")
		}
	}
}

// rest lets the operator work until it has nothing left to do. The first time since the
// last rest has then had its run, unless another went that wants no company.
func (w *world) rest() {
	first := w.app.Status.NextRun.Time
	for range 20 {
		if w.operate(false) {
			w.requireRest(first)
			return
		}
	}
	w.t.Fatal("there is no end of steps")
}

func (w *world) requireRest(first time.Time) {
	status := w.app.Status
	name := runName(w.app, first)
	switch isSuspended := suspended(w.app); {
	case isSuspended && !status.NextRun.IsZero():
		w.t.Fatalf("a suspended schedule runs at %s", status.NextRun)
	case isSuspended:
	case !first.IsZero() && !first.After(w.now) && !w.made[name] && !w.skipped[name]:
		w.t.Fatalf("at %s, %s is lost", w.now, name)
	case !status.NextRun.After(w.now):
		w.t.Fatalf("at %s, the next run is at %s", w.now, status.NextRun)
	}
	if w.made[name] && status.LastRunName != name && !first.After(w.now) {
		w.t.Fatalf("the last run is %q, not %s", status.LastRunName, name)
	}
	for _, past := range []struct {
		names []string
		limit *int32
		state v1beta2.ApplicationStateType
	}{
		{status.PastSuccessfulRunNames, w.app.Spec.SuccessfulRunHistoryLimit, v1beta2.ApplicationStateCompleted},
		{status.PastFailedRunNames, w.app.Spec.FailedRunHistoryLimit, v1beta2.ApplicationStateFailed},
	} {
		var there []string
		for _, run := range w.runs {
			if hasState(past.state)(run) {
				there = append(there, run.Name)
			}
		}
		if len(there) > int(*past.limit) || len(there) != len(past.names) {
			w.t.Fatalf("of %s there are %v, of which the status tells %v, and %d are to be kept", past.state, there, past.names, *past.limit)
		}
	}
}

func TestHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, now: created, made: map[string]bool{}, skipped: map[string]bool{}, app: nightly(func(app *v1beta2.ScheduledSparkApplication) {
			app.Spec.Schedule = rapid.SampledFrom([]string{"*/5 * * * *", "@hourly", "@every 7m", "30 1 * * *"}).Draw(t, "schedule")
			app.Spec.TimeZone = rapid.SampledFrom([]string{"UTC", "Europe/Paris", "Asia/Kolkata"}).Draw(t, "zone")
			app.Spec.ConcurrencyPolicy = rapid.SampledFrom(policies).Draw(t, "policy")
			app.Spec.SuccessfulRunHistoryLimit = ptr.To(rapid.Int32Range(0, 2).Draw(t, "successful"))
			app.Spec.FailedRunHistoryLimit = ptr.To(rapid.Int32Range(0, 2).Draw(t, "failed"))
		})}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				w.app.Spec.Suspend = ptr.To(!suspended(w.app))
				w.rest()
			case 1, 2:
				w.live()
			case 3, 4, 5:
				w.now = w.now.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "minutes")) * time.Minute / 4)
			case 6, 7:
				w.rest()
			default:
				w.operate(true)
			}
		}
		w.rest()
	})
}

// Whatever is written for a schedule is read, or refused: the library panics at some.
func TestAnyTextIsReadOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom([]string{"TZ=", "CRON_TZ=", "UTC", "@every", "@daily", "*", "/", "-", ",", "0", "59", "99999999999", "1h", "-1s", " ", "\t", "sun", "?", "é"})
		text := strings.Join(rapid.SliceOf(part).Draw(t, "parts"), "")
		app := nightly(schedule(text))
		app.Spec.TimeZone = rapid.SampledFrom([]string{"", "UTC", "../UTC", "\x00", " "}).Draw(t, "zone")
		step := Next(Seen{App: app, Now: created})
		if read := step.Status.ScheduleState == v1beta2.ScheduleStateScheduled; read != step.Status.NextRun.After(created) {
			t.Fatalf("%q is %s, and runs at %v", text, step.Status.ScheduleState, step.Status.NextRun)
		}
	})
}
