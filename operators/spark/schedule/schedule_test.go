package schedule

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/api/v1alpha1"
)

// created is a Wednesday, 15 November 2023, 00:00:00 UTC.
var created = time.Unix(1700006400, 0).UTC()

// nightly runs at 2 o'clock of each day, UTC.
func nightly(changes ...func(*v1beta2.ScheduledSparkApplication)) *v1beta2.ScheduledSparkApplication {
	app := &v1beta2.ScheduledSparkApplication{
		ObjectMeta: metav1.ObjectMeta{Name: "pi", Namespace: "a", UID: "uid", CreationTimestamp: metav1.NewTime(created), Labels: map[string]string{"team": "x"}},
		Spec:       v1beta2.ScheduledSparkApplicationSpec{Schedule: "0 2 * * *", TimeZone: "UTC"},
	}
	app.Spec.Template.MainClass = ptr.To("Pi")
	for _, change := range changes {
		change(app)
	}
	return app
}

func at(hours float64) time.Time { return created.Add(time.Duration(hours * float64(time.Hour))) }

// next is when the next run was to be, in hours.
func next(hours float64) func(*v1beta2.ScheduledSparkApplication) {
	return func(app *v1beta2.ScheduledSparkApplication) { app.Status.NextRun = metav1.NewTime(at(hours)) }
}

func schedule(text string) func(*v1beta2.ScheduledSparkApplication) {
	return func(app *v1beta2.ScheduledSparkApplication) { app.Spec.Schedule = text }
}

func policy(p v1beta2.ConcurrencyPolicy) func(*v1beta2.ScheduledSparkApplication) {
	return func(app *v1beta2.ScheduledSparkApplication) { app.Spec.ConcurrencyPolicy = p }
}

func suspend(app *v1beta2.ScheduledSparkApplication) { app.Spec.Suspend = ptr.To(true) }

// run is a run that began at a time, and has come to a state.
func run(hours float64, state v1beta2.ApplicationStateType) *v1beta2.SparkApplication {
	run := newRun(nightly(), runName(nightly(), at(hours)))
	run.CreationTimestamp = metav1.NewTime(at(hours).Add(3 * time.Second))
	run.Status.AppState.State = state
	return run
}

func names(runs ...*v1beta2.SparkApplication) []string {
	var all []string
	for _, run := range runs {
		if run != nil {
			all = append(all, run.Name)
		}
	}
	return all
}

func TestSteps(t *testing.T) {
	const (
		running, completed, failed = v1beta2.ApplicationStateRunning, v1beta2.ApplicationStateCompleted, v1beta2.ApplicationStateFailed
		never                      = -1
	)
	nameAt := func(hours float64) []string { return []string{runName(nightly(), at(hours))} }
	for name, tc := range map[string]struct {
		app  *v1beta2.ScheduledSparkApplication
		now  float64
		runs []*v1beta2.SparkApplication

		starts, deletes []string
		next            float64
		last            []string
		event           string
	}{
		"a new one waits for its first time":    {app: nightly(), now: 0, next: 2},
		"before its time nothing happens":       {app: nightly(next(2)), now: 1.9, next: 2},
		"a run begins in time":                  {app: nightly(next(2)), now: 2, starts: nameAt(2), next: 2},
		"a run that has begun is remembered":    {app: nightly(next(2)), now: 2.1, runs: []*v1beta2.SparkApplication{run(2, running)}, next: 26, last: nameAt(2)},
		"a run that is over by then, as well":   {app: nightly(next(2)), now: 3, runs: []*v1beta2.SparkApplication{run(2, completed)}, next: 26, last: nameAt(2)},
		"a run that was missed is made up for":  {app: nightly(next(2)), now: 13, starts: nameAt(2), next: 2},
		"several that were missed, by one":      {app: nightly(next(2)), now: 100, runs: []*v1beta2.SparkApplication{run(2, running)}, next: 122, last: nameAt(2)},
		"runs may go beside each other":         {app: nightly(next(26)), now: 26, runs: []*v1beta2.SparkApplication{run(2, running)}, starts: nameAt(26), next: 26},
		"or so it is said":                      {app: nightly(next(26), policy("Allow")), now: 26, runs: []*v1beta2.SparkApplication{run(2, running)}, starts: nameAt(26), next: 26},
		"a run is skipped while the last goes":  {app: nightly(next(26), policy("Forbid")), now: 26, runs: []*v1beta2.SparkApplication{run(2, running)}, next: 50, event: "has not ended"},
		"but not once that is over":             {app: nightly(next(26), policy("Forbid")), now: 26, runs: []*v1beta2.SparkApplication{run(2, failed)}, starts: nameAt(26), next: 26},
		"its own run doesn't stand in its way":  {app: nightly(next(26), policy("Forbid")), now: 26, runs: []*v1beta2.SparkApplication{run(26, running)}, next: 50, last: nameAt(26)},
		"the last run is replaced":              {app: nightly(next(26), policy("Replace")), now: 26, runs: []*v1beta2.SparkApplication{run(2, running)}, starts: nameAt(26), deletes: nameAt(2), next: 26, event: "is replaced by"},
		"what replaces it is not replaced":      {app: nightly(next(26), policy("Replace")), now: 26, runs: []*v1beta2.SparkApplication{run(26, running)}, next: 50, last: nameAt(26)},
		"what is over needs no replacement":     {app: nightly(next(26), policy("Replace")), now: 26, runs: []*v1beta2.SparkApplication{run(2, completed)}, starts: nameAt(26), next: 26},
		"a suspended one has no next run":       {app: nightly(next(2), suspend), now: 1, next: never},
		"nor does it make up for one":           {app: nightly(next(2), suspend), now: 3, next: never},
		"but it remembers one that has begun":   {app: nightly(next(2), suspend), now: 2, runs: []*v1beta2.SparkApplication{run(2, running)}, next: never, last: nameAt(2)},
		"resumed, it waits for the next time":   {app: nightly(), now: 3, next: 26},
		"an edited schedule counts at once":     {app: nightly(next(26), schedule("0 * * * *")), now: 3.5, next: 4},
		"a later one as well":                   {app: nightly(next(4), schedule("0 9 * * *")), now: 3.5, next: 9},
		"a clock that is behind starts nothing": {app: nightly(func(app *v1beta2.ScheduledSparkApplication) { app.Status.LastRunName = nameAt(2)[0] }, next(26)), now: 1.9, next: 26, last: nameAt(2)},
		"only the last run of each end is kept": {
			app: nightly(next(100)), now: 99, next: 122,
			runs:    []*v1beta2.SparkApplication{run(2, completed), run(26, failed), run(50, completed), run(74, failed), run(98, running)},
			deletes: slices.Concat(nameAt(2), nameAt(26))},
		"or as many as it is said": {
			app: nightly(next(100), func(app *v1beta2.ScheduledSparkApplication) {
				app.Spec.SuccessfulRunHistoryLimit, app.Spec.FailedRunHistoryLimit = ptr.To[int32](0), ptr.To[int32](2)
			}), now: 99, next: 122,
			runs:    []*v1beta2.SparkApplication{run(2, completed), run(26, failed), run(50, completed), run(74, failed)},
			deletes: slices.Concat(nameAt(50), nameAt(2))},
	} {
		t.Run(name, func(t *testing.T) {
			before := tc.app.DeepCopy()
			step := Next(Seen{App: tc.app, Runs: tc.runs, Now: at(tc.now)})
			if diff := cmp.Diff(tc.starts, names(step.Start)); diff != "" {
				t.Errorf("it starts something else (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.deletes, names(step.Delete...)); diff != "" {
				t.Errorf("it deletes something else (-want +got):\n%s", diff)
			}
			if want := metav1.NewTime(at(tc.next)); tc.next == never && !step.Status.NextRun.IsZero() || tc.next != never && !step.Status.NextRun.Equal(&want) {
				t.Errorf("the next run is at %v", step.Status.NextRun)
			}
			if got := step.Status.LastRunName; got != strings.Join(tc.last, "") {
				t.Errorf("the last run is %q", got)
			}
			if got := fmt.Sprint(step.Events); !strings.Contains(got, tc.event) || tc.event == "" && len(step.Events) > 0 {
				t.Errorf("it tells %s", got)
			}
			if waits := tc.next != never && step.Start == nil; waits && step.After != step.Status.NextRun.Sub(at(tc.now)) || !waits && step.After != 0 {
				t.Errorf("it looks again after %s", step.After)
			}
			if step.Status.ScheduleState != v1beta2.ScheduleStateScheduled || step.Status.Reason != "" {
				t.Errorf("it is %s: %s", step.Status.ScheduleState, step.Status.Reason)
			}
			if diff := cmp.Diff(before, tc.app); diff != "" {
				t.Errorf("what was seen has changed:\n%s", diff)
			}
		})
	}
}

func TestARunIsMadeOfTheTemplate(t *testing.T) {
	app := nightly(next(2))
	run := Next(Seen{App: app, Now: at(2)}).Start
	if *run.Spec.MainClass != "Pi" || run.Namespace != "a" || run.Labels["team"] != "x" || run.Labels[Label] != "pi" || !IsRunOf(run, app) || !metav1.IsControlledBy(run, app) {
		t.Errorf("the run is %+v", run)
	}
	if got := run.Spec.Driver.Annotations["muster.sh/application"]; got != "pi" || len(app.Spec.Template.Driver.Annotations) > 0 {
		t.Errorf("it is a run of %q, and the template has got %v", got, app.Spec.Template.Driver.Annotations)
	}
	app.Spec.Template.Driver.Annotations = map[string]string{"muster.sh/application": "own"}
	if got := Next(Seen{App: app, Now: at(2)}).Start.Spec.Driver.Annotations["muster.sh/application"]; got != "own" {
		t.Errorf("it names %q itself, and is a run of %q", "own", got)
	}
}

func TestWhatIsToldOfTheLastRuns(t *testing.T) {
	step := Next(Seen{App: nightly(next(50)), Now: at(50), Runs: []*v1beta2.SparkApplication{
		run(2, v1beta2.ApplicationStateCompleted), run(26, v1beta2.ApplicationStateFailed), run(50, v1beta2.ApplicationStateRunning),
	}})
	want := v1beta2.ScheduledSparkApplicationStatus{
		LastRun: metav1.NewTime(at(50).Add(3 * time.Second)), LastRunName: "pi-1700186400", NextRun: metav1.NewTime(at(74)),
		PastSuccessfulRunNames: []string{"pi-1700013600"}, PastFailedRunNames: []string{"pi-1700100000"}, ScheduleState: v1beta2.ScheduleStateScheduled,
	}
	if diff := cmp.Diff(want, step.Status); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTimes(t *testing.T) {
	for name, tc := range map[string]struct {
		schedule, zone string
		want           []string // in UTC
	}{
		"fields":                           {"30 4 * * 1-5", "UTC", []string{"2023-11-15T04:30:00Z", "2023-11-16T04:30:00Z", "2023-11-17T04:30:00Z", "2023-11-20T04:30:00Z"}},
		"names of days":                    {"0 0 * * sun", "UTC", []string{"2023-11-19T00:00:00Z", "2023-11-26T00:00:00Z"}},
		"a descriptor":                     {"@hourly", "UTC", []string{"2023-11-15T01:00:00Z", "2023-11-15T02:00:00Z"}},
		"a time zone":                      {"0 2 * * *", "Asia/Kolkata", []string{"2023-11-15T20:30:00Z", "2023-11-16T20:30:00Z"}},
		"a time zone in the schedule":      {"TZ=Asia/Kolkata 0 2 * * *", "", []string{"2023-11-15T20:30:00Z"}},
		"the other way to write it":        {"CRON_TZ=Asia/Kolkata @daily", "", []string{"2023-11-15T18:30:00Z"}},
		"that of the schedule wins":        {"TZ=Asia/Kolkata 0 2 * * *", "UTC", []string{"2023-11-15T20:30:00Z"}},
		"an interval":                      {"@every 90m", "UTC", []string{"2023-11-15T01:30:00Z", "2023-11-15T03:00:00Z", "2023-11-15T04:30:00Z"}},
		"an interval of less than seconds": {"@every 10ms", "UTC", []string{"2023-11-15T00:00:01Z", "2023-11-15T00:00:02Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			app := nightly(schedule(tc.schedule))
			app.Spec.TimeZone = tc.zone
			when, err := timesOf(app)
			if err != nil {
				t.Fatal(err)
			}
			moment := created
			for _, want := range tc.want {
				if moment = when.Next(moment); moment.UTC().Format(time.RFC3339) != want {
					t.Fatalf("got %s, want %s", moment.UTC().Format(time.RFC3339), want)
				}
			}
		})
	}
}

func TestMistakesNameTheField(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*v1beta2.ScheduledSparkApplication)
		want   string
	}{
		"no schedule":             {schedule(""), "spec.schedule: Invalid value"},
		"a field too few":         {schedule("0 2 * *"), "spec.schedule: Invalid value: \"0 2 * *\": expected exactly 5 fields"},
		"an hour that isn't":      {schedule("0 25 * * *"), "spec.schedule: Invalid value"},
		"a descriptor that isn't": {schedule("@fortnightly"), "spec.schedule: Invalid value"},
		"a day that never comes":  {schedule("0 0 30 2 *"), "spec.schedule: Invalid value: \"0 0 30 2 *\": has no time"},
		"a zone alone":            {schedule("TZ=UTC"), "spec.schedule: Invalid value: \"TZ=UTC\": names a time zone and no times"},
		"a zone in it that isn't": {schedule("TZ=Atlantis/City 0 2 * * *"), "spec.schedule: Invalid value"},
		"a zone that isn't":       {func(app *v1beta2.ScheduledSparkApplication) { app.Spec.TimeZone = "Atlantis/City" }, "spec.timeZone: Invalid value: \"Atlantis/City\""},
		"a policy that isn't":     {policy("Maybe"), `spec.concurrencyPolicy: Unsupported value: "Maybe"`},
		"fewer runs than none":    {func(app *v1beta2.ScheduledSparkApplication) { app.Spec.FailedRunHistoryLimit = ptr.To[int32](-1) }, "spec.failedRunHistoryLimit: Invalid value: -1"},
		"a template that can't be read": {func(app *v1beta2.ScheduledSparkApplication) {
			app.Annotations = map[string]string{v1alpha1.UnreadableAnnotation: "spec.template.driver.template: is not"}
		}, "spec: Invalid value: spec.template.driver.template: is not"},
		"a name too long for its runs": {func(app *v1beta2.ScheduledSparkApplication) { app.Name = strings.Repeat("a", 53) }, "metadata.name: Invalid value"},
	} {
		t.Run(name, func(t *testing.T) {
			app := nightly(next(2), tc.change)
			step := Next(Seen{App: app, Now: at(2)})
			if step.Status.ScheduleState != v1beta2.ScheduleStateFailedValidation || !strings.HasPrefix(step.Status.Reason, tc.want) || !step.Status.NextRun.IsZero() {
				t.Errorf("it is %s: %s, and runs next at %v", step.Status.ScheduleState, step.Status.Reason, step.Status.NextRun)
			}
			if step.Start != nil || step.After != 0 || len(step.Events) != 1 {
				t.Errorf("the step is %+v", step)
			}
			app.Status = step.Status
			if again := Next(Seen{App: app, Now: at(3)}); len(again.Events) != 0 || again.Status.Reason != step.Status.Reason {
				t.Errorf("it is told again: %v", again.Events)
			}
			mended := nightly()
			mended.Status = step.Status
			if again := Next(Seen{App: mended, Now: at(3)}); again.Status.ScheduleState != v1beta2.ScheduleStateScheduled || again.Status.Reason != "" {
				t.Errorf("mended, it is %s", again.Status.ScheduleState)
			}
		})
	}
}
