package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/operators/spark/life"
)

// Seen is a schedule, and what there is of it.
type Seen struct {
	App *v1beta2.ScheduledSparkApplication
	// Runs are those of the schedule that are there.
	Runs []*v1beta2.SparkApplication
	Now  time.Time
}

// Step is what comes next, in the order of its fields.
type Step struct {
	Status v1beta2.ScheduledSparkApplicationStatus
	// Delete are runs that are replaced, or were kept for long enough.
	Delete []*v1beta2.SparkApplication
	// Start is a run that is due. That it is there brings the next step.
	Start  *v1beta2.SparkApplication
	Events []life.Event
	// After is when to look again though nothing has happened; zero is never.
	After time.Duration
}

// Due says whether the time of a run has come. What Next decides then must be decided on
// what is stored, and not on a view of it that is a little behind.
func Due(app *v1beta2.ScheduledSparkApplication, now time.Time) bool {
	next := app.Status.NextRun
	return !next.IsZero() && !next.After(now)
}

func suspended(app *v1beta2.ScheduledSparkApplication) bool {
	return ptr.Deref(app.Spec.Suspend, false)
}

// Next decides. It changes nothing of what is seen.
func Next(seen Seen) Step {
	d := &decision{Seen: seen, step: Step{Status: *seen.App.Status.DeepCopy()}}
	if seen.App.DeletionTimestamp != nil {
		return d.step // What belongs to it goes with it.
	}
	when, err := d.validate()
	if err != nil {
		d.refuse(err)
		return d.step
	}
	d.step.Status.ScheduleState, d.step.Status.Reason = v1beta2.ScheduleStateScheduled, ""
	d.keepHistory()
	due := Due(seen.App, seen.Now) && !d.hasBegun()
	switch {
	case suspended(seen.App):
		d.step.Status.NextRun = metav1.Time{}
	case due:
		d.run(when)
	default:
		d.await(when)
	}
	return d.step
}

// decision is one decision.
type decision struct {
	Seen
	step Step
}

var policies = []v1beta2.ConcurrencyPolicy{v1beta2.ConcurrencyAllow, v1beta2.ConcurrencyForbid, v1beta2.ConcurrencyReplace}

// validate refuses what can't be scheduled.
func (d *decision) validate() (times, *field.Error) {
	spec := &d.App.Spec
	if why := d.App.Annotations[v1alpha1.UnreadableAnnotation]; why != "" {
		return nil, &field.Error{Type: field.ErrorTypeTypeInvalid, Field: "spec", BadValue: field.OmitValueType{}, Detail: why}
	}
	if example := runName(d.App, time.Unix(1700000000, 0)); len(validation.IsDNS1035Label(example)) > 0 {
		return nil, field.Invalid(field.NewPath("metadata", "name"), d.App.Name,
			fmt.Sprintf("can't begin the name of a run, such as %s: %s", example, strings.Join(validation.IsDNS1035Label(example), ", ")))
	}
	if policy := spec.ConcurrencyPolicy; policy != "" && !slices.Contains(policies, policy) {
		return nil, field.NotSupported(specPath.Child("concurrencyPolicy"), policy, policies)
	}
	if limit := ptr.Deref(spec.SuccessfulRunHistoryLimit, defaultHistory); limit < 0 {
		return nil, field.Invalid(specPath.Child("successfulRunHistoryLimit"), limit, "must not be negative")
	}
	if limit := ptr.Deref(spec.FailedRunHistoryLimit, defaultHistory); limit < 0 {
		return nil, field.Invalid(specPath.Child("failedRunHistoryLimit"), limit, "must not be negative")
	}
	when, err := timesOf(d.App)
	if err == nil && when.Next(d.Now).IsZero() {
		err = field.Invalid(specPath.Child("schedule"), spec.Schedule, "has no time in the next five years")
	}
	return when, err
}

func (d *decision) refuse(why *field.Error) {
	status := &d.step.Status
	if status.ScheduleState != v1beta2.ScheduleStateFailedValidation || status.Reason != why.Error() {
		d.tell(corev1.EventTypeWarning, "FailedValidation", why.Error())
	}
	status.ScheduleState, status.Reason, status.NextRun = v1beta2.ScheduleStateFailedValidation, why.Error(), metav1.Time{}
}

// await sets the next time. It is computed anew each time, since the schedule may have
// been edited.
func (d *decision) await(when times) {
	next := when.Next(d.Now)
	if runName(d.App, next) == d.step.Status.LastRunName { // The clock was ahead when that began.
		next = when.Next(next)
	}
	d.step.Status.NextRun = metav1.NewTime(next)
	d.step.After = next.Sub(d.Now)
}

// hasBegun says whether the next run is there already, and has it remembered as the last
// one.
func (d *decision) hasBegun() bool {
	name := runName(d.App, d.App.Status.NextRun.Time)
	i := slices.IndexFunc(d.Runs, func(run *v1beta2.SparkApplication) bool { return run.Name == name })
	if i < 0 {
		return false
	}
	d.step.Status.LastRun, d.step.Status.LastRunName = d.Runs[i].CreationTimestamp, name
	return true
}

// run starts the run that is due, unless it may not have company.
func (d *decision) run(when times) {
	name := runName(d.App, d.App.Status.NextRun.Time)
	active := slices.DeleteFunc(slices.Clone(d.Runs), finished)
	switch {
	case len(active) > 0 && d.App.Spec.ConcurrencyPolicy == v1beta2.ConcurrencyForbid:
		d.tell(corev1.EventTypeNormal, "RunSkipped", fmt.Sprintf("%s isn't started, because %s has not ended", name, active[0].Name))
		d.await(when)
		return
	case d.App.Spec.ConcurrencyPolicy == v1beta2.ConcurrencyReplace:
		for _, run := range active {
			d.tell(corev1.EventTypeNormal, "RunReplaced", fmt.Sprintf("%s is replaced by %s", run.Name, name))
			d.delete(run)
		}
	}
	d.step.Start = newRun(d.App, name)
}

func (d *decision) delete(run *v1beta2.SparkApplication) {
	if run.DeletionTimestamp == nil {
		d.step.Delete = append(d.step.Delete, run)
	}
}

func (d *decision) tell(kind, reason, message string) {
	d.step.Events = append(d.step.Events, life.Event{Type: kind, Reason: reason, Message: message})
}
