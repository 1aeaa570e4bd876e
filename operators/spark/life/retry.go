package life

import (
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
)

// policy says whether and when an application is tried again.
type policy struct{ v1beta2.RestartPolicy }

// policy is that of the application, defaults filled in.
func (l *life) policy() policy {
	app := &v1beta2.SparkApplication{Spec: *l.App.Spec.DeepCopy()}
	v1beta2.SetSparkApplicationDefaults(app)
	return policy{app.Spec.RestartPolicy}
}

// afterFailure is how long to wait after a run that failed, one of so many.
func (p policy) afterFailure(runs int32, status v1beta2.SparkApplicationStatus, now time.Time) (wait time.Duration, again bool) {
	return p.after(p.OnFailureRetries, p.OnFailureRetryInterval, runs, status, now)
}

// afterSubmission is how long to wait after a submission that failed.
func (p policy) afterSubmission(status v1beta2.SparkApplicationStatus, now time.Time) (wait time.Duration, again bool) {
	return p.after(p.OnSubmissionFailureRetries, p.OnSubmissionFailureRetryInterval, status.SubmissionAttempts, status, now)
}

// after waits longer with each attempt, in seconds.
func (p policy) after(retries *int32, interval *int64, done int32, status v1beta2.SparkApplicationStatus, now time.Time) (wait time.Duration, again bool) {
	switch p.Type {
	case v1beta2.RestartPolicyAlways:
	case v1beta2.RestartPolicyOnFailure:
		if retries == nil || done > *retries {
			return 0, false
		}
	default:
		return 0, false
	}
	due := status.LastSubmissionAttemptTime.Add(time.Duration(*interval) * time.Second * time.Duration(max(done, 1)))
	return due.Sub(now), true
}
