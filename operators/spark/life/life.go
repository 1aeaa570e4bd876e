package life

import (
	"fmt"
	"strings"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"github.com/kubeflow/spark-operator/v2/pkg/common"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/operators/spark/plan"
)

// Seen is an application, and what there is of it.
type Seen struct {
	App *v1beta2.SparkApplication
	// Drivers are its drivers' pods, those of earlier submissions as well.
	Drivers []*corev1.Pod
	// Executors are the pods of the current submission.
	Executors []corev1.Pod
	Now       time.Time
	// MaxExecutors bounds the executors whose state is kept.
	MaxExecutors int
	// HistoryServer is the URL of Spark's history server, or empty.
	HistoryServer string
}

// Step is what comes next. Losses and status are stored before anything else is done.
type Step struct {
	// Losses are to be remembered before the status is; nil if there is nothing new.
	Losses *Losses
	Status v1beta2.SparkApplicationStatus
	// Submit asks for the objects of the submission that the status tells of. What has
	// become of that is told by Submitted, or Refused.
	Submit bool
	// Delete are drivers that have to end, and with them all that belongs to them.
	Delete []*corev1.Pod
	// DeleteApp asks for the end of the application itself.
	DeleteApp bool
	// After is when to look again though nothing has happened; zero is never.
	After  time.Duration
	Events []Event
}

// Event is told to whoever watches the application.
type Event struct {
	Type, Reason, Message string
}

// Next decides. It changes nothing of what is seen.
func Next(seen Seen) Step {
	l := &life{Seen: seen, step: Step{Status: *seen.App.Status.DeepCopy()}}
	if seen.App.DeletionTimestamp != nil {
		return l.step // What belongs to it goes with it.
	}
	l.interrupt()
	if act := l.states()[l.state()]; act != nil {
		act()
	}
	if l.state() != seen.App.Status.AppState.State {
		l.tell()
	}
	return l.step
}

// life is one decision.
type life struct {
	Seen
	step Step
}

func (l *life) state() v1beta2.ApplicationStateType { return l.step.Status.AppState.State }

func (l *life) states() map[v1beta2.ApplicationStateType]func() {
	return map[v1beta2.ApplicationStateType]func(){
		v1beta2.ApplicationStateNew:              l.submit,
		v1beta2.ApplicationStateResuming:         l.submit,
		v1beta2.ApplicationStatePendingRerun:     l.submit,
		v1beta2.ApplicationStateFailedSubmission: l.failedSubmission,
		v1beta2.ApplicationStateSubmitted:        l.watch,
		v1beta2.ApplicationStateRunning:          l.watch,
		v1beta2.ApplicationStateUnknown:          l.watch,
		v1beta2.ApplicationStateSucceeding:       l.succeeding,
		v1beta2.ApplicationStateFailing:          l.failing,
		v1beta2.ApplicationStateCompleted:        l.ended,
		v1beta2.ApplicationStateFailed:           l.ended,
		v1beta2.ApplicationStateInvalidating:     l.invalidating,
		v1beta2.ApplicationStateSuspending:       l.suspending,
		v1beta2.ApplicationStateSuspended:        l.suspended,
	}
}

// interrupt is what may come in any state: the user suspends the application, or edits
// what was submitted.
func (l *life) interrupt() {
	suspended := l.state() == v1beta2.ApplicationStateSuspending || l.state() == v1beta2.ApplicationStateSuspended
	over := l.state() == v1beta2.ApplicationStateCompleted || l.state() == v1beta2.ApplicationStateFailed
	switch {
	case ptr.Deref(l.App.Spec.Suspend, false) && !over && !suspended:
		l.become(v1beta2.ApplicationStateSuspending, "")
	case plan.Edited(l.App) && !suspended:
		l.become(v1beta2.ApplicationStateInvalidating, "")
	}
}

func (l *life) become(state v1beta2.ApplicationStateType, message string) {
	l.step.Status.AppState = v1beta2.ApplicationState{State: state, ErrorMessage: message}
}

// submit begins a submission once there is no other driver, or goes on with one.
func (l *life) submit() {
	status := &l.step.Status
	if status.SubmissionID != "" {
		l.step.Submit = true
		return
	}
	if !l.clear() {
		return
	}
	status.SubmissionAttempts++
	status.LastSubmissionAttemptTime = metav1.NewTime(l.Now.Truncate(time.Second))
	begun := l.App.DeepCopy()
	begun.Status = *status
	status.SubmissionID = plan.NewSubmission(begun).ID
	status.DriverInfo = v1beta2.DriverInfo{PodName: plan.DriverPodName(l.App)}
	// The status has to be stored first; that it is brings the next step.
}

// clear says whether the application has no driver left, and asks for the end of any
// that it has.
func (l *life) clear() bool {
	for _, driver := range l.Drivers {
		if driver.DeletionTimestamp == nil {
			l.step.Delete = append(l.step.Delete, driver)
		}
	}
	return len(l.Drivers) == 0
}

// forget makes room in the status for another submission.
func (l *life) forget() {
	status := &l.step.Status
	status.SubmissionID, status.SparkApplicationID = "", ""
	status.DriverInfo, status.ExecutorState = v1beta2.DriverInfo{}, nil
	status.TerminationTime = metav1.Time{}
}

// rerun ends what is left of the last submission, so that there can be another.
func (l *life) rerun() {
	l.clear()
	l.forget()
	l.become(v1beta2.ApplicationStatePendingRerun, "")
}

func (l *life) failedSubmission() {
	l.clear() // What there is of the submission is of no use.
	wait, again := l.policy().afterSubmission(l.step.Status, l.Now)
	switch {
	case !again:
		l.end(v1beta2.ApplicationStateFailed)
	case wait > 0:
		l.step.After = wait
	default:
		l.rerun()
	}
}

func (l *life) succeeding() {
	if l.policy().Type == v1beta2.RestartPolicyAlways {
		l.rerun()
		return
	}
	l.end(v1beta2.ApplicationStateCompleted)
}

func (l *life) failing() {
	wait, spared := l.afterLoss()
	again := spared
	if !spared {
		wait, again = l.policy().afterFailure(l.ownRuns(), l.step.Status, l.Now)
	}
	switch {
	case !again:
		l.end(v1beta2.ApplicationStateFailed)
	case wait > 0:
		l.step.After = wait
	case spared:
		l.runAgainAfterLoss()
	default:
		l.rerun()
	}
}

// end keeps the reason of a failure.
func (l *life) end(state v1beta2.ApplicationStateType) {
	message := l.step.Status.AppState.ErrorMessage
	if state == v1beta2.ApplicationStateCompleted {
		message = ""
	}
	l.become(state, message)
	if l.step.Status.TerminationTime.IsZero() {
		l.step.Status.TerminationTime = metav1.NewTime(l.Now)
	}
	l.remember()
	l.ended()
}

// remember has the address of the driver's pages lead to what the history server keeps of
// them, if the driver has written it.
func (l *life) remember() {
	id := l.step.Status.SparkApplicationID
	if l.HistoryServer == "" || id == "" || !strings.EqualFold(l.App.Spec.SparkConf["spark.eventLog.enabled"], "true") {
		return
	}
	l.step.Status.DriverInfo.WebUIAddress = strings.TrimSuffix(l.HistoryServer, "/") + "/history/" + id + "/"
}

// ended waits for the time at which the application is deleted, if it has one.
func (l *life) ended() {
	l.executors()
	l.endUnfinished()
	ttl := l.App.Spec.TimeToLiveSeconds
	if ttl == nil || l.step.Status.TerminationTime.IsZero() {
		return
	}
	left := l.step.Status.TerminationTime.Add(time.Duration(*ttl) * time.Second).Sub(l.Now)
	l.step.DeleteApp = left <= 0
	l.step.After = max(left, 0)
}

// endUnfinished ends drivers that a failed submission left.
func (l *life) endUnfinished() {
	if l.state() != v1beta2.ApplicationStateFailed {
		return
	}
	for _, driver := range l.Drivers {
		phase, _ := driverPhase(driver)
		if phase != corev1.PodSucceeded && phase != corev1.PodFailed && driver.DeletionTimestamp == nil {
			l.step.Delete = append(l.step.Delete, driver)
		}
	}
}

func (l *life) invalidating() {
	l.step.Status.SubmissionAttempts, l.step.Status.ExecutionAttempts = 0, 0
	l.step.Status.LastSubmissionAttemptTime = metav1.Time{}
	if losses(l.App) != (Losses{}) {
		l.step.Losses = &Losses{}
	}
	l.rerun()
}

func (l *life) suspending() {
	if l.clear() {
		l.forget()
		l.become(v1beta2.ApplicationStateSuspended, "")
	}
}

func (l *life) suspended() {
	if !ptr.Deref(l.App.Spec.Suspend, false) {
		l.become(v1beta2.ApplicationStateResuming, "")
	}
}

// tell tells of the state that the application has come to.
func (l *life) tell() {
	name, message := l.App.Name, l.step.Status.AppState.ErrorMessage
	events := map[v1beta2.ApplicationStateType]Event{
		v1beta2.ApplicationStateCompleted:    {corev1.EventTypeNormal, common.EventSparkApplicationCompleted, fmt.Sprintf("SparkApplication %s completed", name)},
		v1beta2.ApplicationStateFailed:       {corev1.EventTypeWarning, common.EventSparkApplicationFailed, fmt.Sprintf("SparkApplication %s failed: %s", name, message)},
		v1beta2.ApplicationStatePendingRerun: {corev1.EventTypeWarning, common.EventSparkApplicationPendingRerun, fmt.Sprintf("SparkApplication %s is pending rerun", name)},
		v1beta2.ApplicationStateSuspending:   {corev1.EventTypeNormal, common.EventSparkApplicationSuspending, fmt.Sprintf("SparkApplication %s is suspending", name)},
		v1beta2.ApplicationStateSuspended:    {corev1.EventTypeNormal, common.EventSparkApplicationSuspended, fmt.Sprintf("SparkApplication %s is suspended", name)},
		v1beta2.ApplicationStateResuming:     {corev1.EventTypeNormal, common.EventSparkApplicationResuming, fmt.Sprintf("SparkApplication %s is resuming", name)},
		v1beta2.ApplicationStateRunning:      {corev1.EventTypeNormal, common.EventSparkDriverRunning, fmt.Sprintf("Driver %s is running", l.step.Status.DriverInfo.PodName)},
		v1beta2.ApplicationStateSucceeding:   {corev1.EventTypeNormal, common.EventSparkDriverCompleted, fmt.Sprintf("Driver %s completed", l.step.Status.DriverInfo.PodName)},
		v1beta2.ApplicationStateFailing:      {corev1.EventTypeWarning, common.EventSparkDriverFailed, fmt.Sprintf("Driver %s failed: %s", l.step.Status.DriverInfo.PodName, message)},
	}
	if e, found := events[l.state()]; found {
		l.step.Events = append(l.step.Events, e)
	}
}
