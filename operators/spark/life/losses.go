package life

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/api/v1alpha1"
)

// Losses are the runs of an application that were ended by the cluster and not by the
// program: its driver was evicted, preempted, deleted, or gone with its node.
type Losses struct {
	// Count is how many there were since the application was edited.
	Count int32 `json:"count"`
	// Last is the submission that was lost last.
	Last string `json:"last,omitempty"`
}

// Annotation is what an application remembers of its losses.
func (l *Losses) Annotation() string {
	text, err := json.Marshal(l)
	if err != nil {
		panic(fmt.Sprintf("life: losses can't be written: %v", err)) // they are a number and a text
	}
	return string(text)
}

// losses are those that an application remembers; none if that can't be read.
func losses(app *v1beta2.SparkApplication) Losses {
	var l Losses
	if json.Unmarshal([]byte(app.Annotations[v1alpha1.LossesAnnotation]), &l) != nil {
		return Losses{}
	}
	return l
}

// defaultInfrastructureRetries is how many losses cost no retry of an application that
// may be run again at all.
const defaultInfrastructureRetries = 3

// infrastructureRetries is how many losses cost no retry. An application that asks never
// to be run again has to allow it.
func (l *life) infrastructureRetries() int32 {
	number, err := strconv.ParseInt(l.App.Annotations[v1alpha1.InfrastructureRetriesAnnotation], 10, 32)
	switch {
	case err == nil:
		return max(int32(number), 0)
	case l.policy().Type == v1beta2.RestartPolicyOnFailure:
		return defaultInfrastructureRetries
	}
	return 0
}

// lose has the run that has failed remembered as lost, once.
func (l *life) lose() {
	known := losses(l.App)
	if id := l.step.Status.SubmissionID; known.Last != id {
		l.step.Losses = &Losses{Count: known.Count + 1, Last: id}
	}
}

// afterLoss is how long to wait after a loss that costs no retry; spared is false of any
// other failure.
func (l *life) afterLoss() (wait time.Duration, spared bool) {
	known, status := losses(l.App), &l.step.Status
	if known.Last != status.SubmissionID || known.Count > l.infrastructureRetries() {
		return 0, false
	}
	interval := time.Duration(ptr.Deref(l.policy().OnFailureRetryInterval, 5)) * time.Second
	return status.LastSubmissionAttemptTime.Add(interval * time.Duration(known.Count)).Sub(l.Now), true
}

// ownRuns are the runs that count for the program's own retries.
func (l *life) ownRuns() int32 {
	return l.step.Status.ExecutionAttempts - min(losses(l.App).Count, l.infrastructureRetries())
}

// runAgainAfterLoss tells of a loss, and begins another run.
func (l *life) runAgainAfterLoss() {
	l.step.Events = append(l.step.Events, Event{corev1.EventTypeWarning, "SparkApplicationLost", fmt.Sprintf(
		"The driver was lost, by no fault of the program's: %s; it is run again, as loss %d of %d that cost no retry",
		l.step.Status.AppState.ErrorMessage, losses(l.App).Count, l.infrastructureRetries())})
	l.rerun()
}

// lost says whether the cluster ended a driver, and not its program.
func lost(driver *corev1.Pod) bool {
	if driver.DeletionTimestamp != nil {
		return true
	}
	for _, c := range driver.Status.Conditions {
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue {
			return true
		}
	}
	// What kubelets say without that condition.
	switch driver.Status.Reason {
	case "Evicted", "NodeLost", "NodeShutdown", "Preempting", "Terminated":
		return true
	}
	return false
}
