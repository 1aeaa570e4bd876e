package schedule

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // an image may have no time zones

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"github.com/robfig/cron/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// times are the moments at which a schedule runs. Which they are doesn't depend on when
// one asks.
type times interface {
	// Next is the first one after t. It is zero if there is none within five years.
	Next(t time.Time) time.Time
}

var specPath = field.NewPath("spec")

// timesOf reads the schedule of an application: five fields, or a descriptor such as
// @daily or "@every 90m", in the time zone of a prefix TZ= or CRON_TZ=, or else in
// spec.timeZone.
func timesOf(app *v1beta2.ScheduledSparkApplication) (times, *field.Error) {
	zone := app.Spec.TimeZone
	if zone == "" {
		zone = "Local"
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return nil, field.Invalid(specPath.Child("timeZone"), zone, err.Error()+"; write Local, UTC or a name such as Europe/Paris")
	}
	path, text := specPath.Child("schedule"), strings.TrimSpace(app.Spec.Schedule)
	if !strings.HasPrefix(text, "TZ=") && !strings.HasPrefix(text, "CRON_TZ=") {
		text = "CRON_TZ=" + zone + " " + text
	}
	if !strings.Contains(text, " ") { // The library can't bear a zone alone.
		return nil, field.Invalid(path, app.Spec.Schedule, `names a time zone and no times; write some, as in "TZ=UTC 0 2 * * *"`)
	}
	parsed, err := cron.ParseStandard(text)
	if err != nil {
		return nil, field.Invalid(path, app.Spec.Schedule, err.Error()+`; write minute, hour, day, month and weekday, as in "0 2 * * *"`)
	}
	if every, ok := parsed.(cron.ConstantDelaySchedule); ok {
		return interval{since: app.CreationTimestamp.Time, delay: every.Delay}, nil
	}
	return parsed, nil
}

// interval counts from the creation of what is scheduled, so that neither a slow start
// nor a restart of the operator moves its times.
type interval struct {
	since time.Time
	delay time.Duration
}

// Next is the first time after t, and never the creation itself.
func (i interval) Next(t time.Time) time.Time {
	if t.Before(i.since) {
		t = i.since
	}
	return i.since.Add((t.Sub(i.since)/i.delay + 1) * i.delay)
}

// runName is the name of the run of a time.
func runName(app *v1beta2.ScheduledSparkApplication, at time.Time) string {
	return fmt.Sprintf("%s-%d", app.Name, at.Unix())
}
