package life

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/operators/spark/plan"
)

var now = time.Unix(1700000000, 0)

func application(change func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Name: "pi", Namespace: "a", UID: "uid"}}
	if change != nil {
		change(app)
	}
	return app
}

// submitted is an application in a state, with its driver.
func submitted(state v1beta2.ApplicationStateType, change func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	app := application(change)
	app.Status.SubmissionAttempts, app.Status.ExecutionAttempts = 1, 1
	app.Status.LastSubmissionAttemptTime = metav1.NewTime(now)
	app.Status.SubmissionID = plan.NewSubmission(app).ID
	app.Status.DriverInfo.PodName = "pi-driver"
	app.Status.AppState.State = state
	return app
}

func driverOf(app *v1beta2.SparkApplication, phase corev1.PodPhase, change func(*corev1.Pod)) []*corev1.Pod {
	driver := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "pi-driver", Namespace: "a", Labels: map[string]string{plan.LabelSubmissionID: app.Status.SubmissionID}},
		Status:     corev1.PodStatus{Phase: phase},
	}
	if change != nil {
		change(driver)
	}
	return []*corev1.Pod{driver}
}

func exited(code int32) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: driverContainer, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Error"}},
		}}
	}
}

func withPolicy(kind v1beta2.RestartPolicyType, retries int32, interval int64) func(*v1beta2.SparkApplication) {
	return func(app *v1beta2.SparkApplication) {
		app.Spec.RestartPolicy = v1beta2.RestartPolicy{
			Type: kind, OnFailureRetries: &retries, OnSubmissionFailureRetries: &retries,
			OnFailureRetryInterval: &interval, OnSubmissionFailureRetryInterval: &interval,
		}
	}
}

func suspend(app *v1beta2.SparkApplication) { app.Spec.Suspend = ptr.To(true) }

func TestStates(t *testing.T) {
	none := func(*v1beta2.SparkApplication) []*corev1.Pod { return nil }
	with := func(phase corev1.PodPhase, change func(*corev1.Pod)) func(*v1beta2.SparkApplication) []*corev1.Pod {
		return func(app *v1beta2.SparkApplication) []*corev1.Pod { return driverOf(app, phase, change) }
	}
	for name, test := range map[string]struct {
		app     *v1beta2.SparkApplication
		drivers func(*v1beta2.SparkApplication) []*corev1.Pod
		later   time.Duration

		state   v1beta2.ApplicationStateType
		message string
		deletes int
		submits bool
		after   time.Duration
		ends    bool
	}{
		"a new application gets a submission": {
			app: application(nil), drivers: none, state: v1beta2.ApplicationStateNew},
		"a submission that was begun goes on": {
			app: submitted(v1beta2.ApplicationStateNew, nil), drivers: none, state: v1beta2.ApplicationStateNew, submits: true},
		"a new application that is suspended": {
			app: application(suspend), drivers: none, state: v1beta2.ApplicationStateSuspended},
		"a driver that waits": {
			app: submitted(v1beta2.ApplicationStateSubmitted, nil), drivers: with(corev1.PodPending, nil), state: v1beta2.ApplicationStateSubmitted},
		"an image that can't be had is told": {
			app: submitted(v1beta2.ApplicationStateSubmitted, nil), drivers: with(corev1.PodPending, func(pod *corev1.Pod) {
				pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: driverContainer, State: corev1.ContainerState{
					Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such image"}}}}
			}), state: v1beta2.ApplicationStateSubmitted, message: "ImagePullBackOff: no such image"},
		"why a gang waits is told": {
			app: submitted(v1beta2.ApplicationStateSubmitted, nil), drivers: with(corev1.PodPending, func(pod *corev1.Pod) {
				pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "the gang waits"}}
			}), state: v1beta2.ApplicationStateSubmitted, message: "the gang waits"},
		"a driver that runs": {
			app: submitted(v1beta2.ApplicationStateSubmitted, nil), drivers: with(corev1.PodRunning, nil), state: v1beta2.ApplicationStateRunning},
		"a driver that is done": {
			app: submitted(v1beta2.ApplicationStateRunning, nil), drivers: with(corev1.PodSucceeded, nil), state: v1beta2.ApplicationStateSucceeding},
		"a driver that is done while a sidecar runs": {
			app: submitted(v1beta2.ApplicationStateRunning, nil), drivers: with(corev1.PodRunning, exited(0)), state: v1beta2.ApplicationStateSucceeding},
		"a driver that failed": {
			app: submitted(v1beta2.ApplicationStateRunning, nil), drivers: with(corev1.PodFailed, exited(137)), state: v1beta2.ApplicationStateFailing, message: "ExitCode: 137"},
		"a driver that was evicted": {
			app: submitted(v1beta2.ApplicationStateRunning, nil), drivers: with(corev1.PodFailed, func(pod *corev1.Pod) {
				pod.Status.Reason, pod.Status.Message = "Evicted", "disk pressure"
			}), state: v1beta2.ApplicationStateFailing, message: "Evicted: disk pressure"},
		"a driver that is gone": {
			app: submitted(v1beta2.ApplicationStateRunning, nil), drivers: none, state: v1beta2.ApplicationStateFailing, message: "not found"},
		"a driver of another submission doesn't count": {
			app: submitted(v1beta2.ApplicationStateRunning, nil), drivers: with(corev1.PodRunning, func(pod *corev1.Pod) {
				pod.Labels[plan.LabelSubmissionID] = "other"
			}), state: v1beta2.ApplicationStateFailing, message: "not found"},
		"a driver on a lost node": {
			app: submitted(v1beta2.ApplicationStateRunning, nil), drivers: with(corev1.PodUnknown, nil), state: v1beta2.ApplicationStateUnknown},
		"success is the end": {
			app: submitted(v1beta2.ApplicationStateSucceeding, nil), drivers: with(corev1.PodSucceeded, nil), state: v1beta2.ApplicationStateCompleted},
		"success begins anew if it always does": {
			app:     submitted(v1beta2.ApplicationStateSucceeding, withPolicy(v1beta2.RestartPolicyAlways, 0, 5)),
			drivers: with(corev1.PodSucceeded, nil), state: v1beta2.ApplicationStatePendingRerun, deletes: 1},
		"failure is the end": {
			app: submitted(v1beta2.ApplicationStateFailing, nil), drivers: with(corev1.PodFailed, exited(1)), state: v1beta2.ApplicationStateFailed},
		"failure waits before it is tried again": {
			app:     submitted(v1beta2.ApplicationStateFailing, withPolicy(v1beta2.RestartPolicyOnFailure, 1, 60)),
			drivers: with(corev1.PodFailed, exited(1)), later: 20 * time.Second, state: v1beta2.ApplicationStateFailing, after: 40 * time.Second},
		"failure is tried again": {
			app:     submitted(v1beta2.ApplicationStateFailing, withPolicy(v1beta2.RestartPolicyOnFailure, 1, 60)),
			drivers: with(corev1.PodFailed, exited(1)), later: time.Minute, state: v1beta2.ApplicationStatePendingRerun, deletes: 1},
		"failure is tried again as often as it may": {
			app:     submitted(v1beta2.ApplicationStateFailing, withPolicy(v1beta2.RestartPolicyOnFailure, 0, 60)),
			drivers: with(corev1.PodFailed, exited(1)), later: time.Minute, state: v1beta2.ApplicationStateFailed},
		"another run waits for the last driver to go": {
			app: func() *v1beta2.SparkApplication {
				app := submitted(v1beta2.ApplicationStatePendingRerun, nil)
				app.Status.SubmissionID = ""
				return app
			}(), drivers: with(corev1.PodFailed, func(pod *corev1.Pod) { pod.DeletionTimestamp = ptr.To(metav1.NewTime(now)) }),
			state: v1beta2.ApplicationStatePendingRerun},
		"a submission that failed is the end": {
			app: submitted(v1beta2.ApplicationStateFailedSubmission, nil), drivers: none, state: v1beta2.ApplicationStateFailed},
		"a submission that failed is tried again, without what it left": {
			app:     submitted(v1beta2.ApplicationStateFailedSubmission, withPolicy(v1beta2.RestartPolicyOnFailure, 1, 5)),
			drivers: with(corev1.PodPending, nil), later: time.Second, state: v1beta2.ApplicationStateFailedSubmission, after: 4 * time.Second, deletes: 1},
		"what a submission left that failed for good": {
			app: submitted(v1beta2.ApplicationStateFailed, nil), drivers: with(corev1.PodPending, nil), state: v1beta2.ApplicationStateFailed, deletes: 1},
		"a suspended application ends its driver": {
			app: submitted(v1beta2.ApplicationStateRunning, suspend), drivers: with(corev1.PodRunning, nil), state: v1beta2.ApplicationStateSuspending, deletes: 1},
		"a suspended application has none": {
			app: submitted(v1beta2.ApplicationStateSuspending, suspend), drivers: none, state: v1beta2.ApplicationStateSuspended},
		"an application that is over isn't suspended": {
			app: submitted(v1beta2.ApplicationStateCompleted, suspend), drivers: none, state: v1beta2.ApplicationStateCompleted},
		"a suspended application is resumed": {
			app: application(func(app *v1beta2.SparkApplication) { app.Status.AppState.State = v1beta2.ApplicationStateSuspended }), drivers: none,
			state: v1beta2.ApplicationStateResuming},
		"an edit begins anew": {
			app: func() *v1beta2.SparkApplication {
				app := submitted(v1beta2.ApplicationStateRunning, nil)
				app.Spec.Arguments = []string{"10"}
				app.Generation++
				return app
			}(), drivers: with(corev1.PodRunning, nil), state: v1beta2.ApplicationStatePendingRerun, deletes: 1},
		"an application that is over is kept a while": {
			app: func() *v1beta2.SparkApplication {
				app := submitted(v1beta2.ApplicationStateCompleted, nil)
				app.Spec.TimeToLiveSeconds, app.Status.TerminationTime = ptr.To[int64](60), metav1.NewTime(now)
				return app
			}(), drivers: none, later: 20 * time.Second, state: v1beta2.ApplicationStateCompleted, after: 40 * time.Second},
		"an application that is over is deleted": {
			app: func() *v1beta2.SparkApplication {
				app := submitted(v1beta2.ApplicationStateCompleted, nil)
				app.Spec.TimeToLiveSeconds, app.Status.TerminationTime = ptr.To[int64](60), metav1.NewTime(now)
				return app
			}(), drivers: none, later: time.Minute, state: v1beta2.ApplicationStateCompleted, ends: true},
		"nothing is done for what is being deleted": {
			app: application(func(app *v1beta2.SparkApplication) { app.DeletionTimestamp = ptr.To(metav1.NewTime(now)) }), drivers: none,
			state: v1beta2.ApplicationStateNew},
	} {
		t.Run(name, func(t *testing.T) {
			step := Next(Seen{App: test.app, Drivers: test.drivers(test.app), Now: now.Add(test.later), MaxExecutors: 10})
			if step.Status.AppState.State != test.state || !strings.Contains(step.Status.AppState.ErrorMessage, test.message) {
				t.Errorf("the state is %+v", step.Status.AppState)
			}
			if len(step.Delete) != test.deletes || step.Submit != test.submits || step.DeleteApp != test.ends || step.After != test.after {
				t.Errorf("the step is to delete %d drivers, to submit (%v), to end (%v), and to look again after %v",
					len(step.Delete), step.Submit, step.DeleteApp, step.After)
			}
		})
	}
}

func TestASubmissionIsWrittenDownBeforeItIsMade(t *testing.T) {
	app := application(nil)
	step := Next(Seen{App: app, Now: now.Add(300 * time.Millisecond)})
	app.Status = step.Status
	if step.Submit || app.Status.SubmissionID == "" || app.Status.SubmissionAttempts != 1 || app.Status.DriverInfo.PodName != "pi-driver" {
		t.Errorf("the first step is %+v", step)
	}
	// What the API server keeps of the time is enough to know the submission again.
	app.Status.LastSubmissionAttemptTime = metav1.NewTime(app.Status.LastSubmissionAttemptTime.Truncate(time.Second))
	if plan.NewSubmission(app).ID != app.Status.SubmissionID {
		t.Error("the submission isn't known again")
	}
}

func TestASubmissionThatFails(t *testing.T) {
	app := submitted(v1beta2.ApplicationStateNew, nil)
	if step := Failed(app, errors.New("no such queue"), false, now); step.Status.AppState.State != v1beta2.ApplicationStateFailedSubmission ||
		step.Status.AppState.ErrorMessage != "no such queue" || len(step.Events) != 1 {
		t.Errorf("the step is %+v", step)
	}
	if step := Failed(app, errors.New("spec.image: is not set"), true, now); step.Status.AppState.State != v1beta2.ApplicationStateFailed ||
		step.Status.TerminationTime.IsZero() {
		t.Errorf("the step for what no other try can mend is %+v", step)
	}
}

func TestExecutorsAreCountedWithinBounds(t *testing.T) {
	app := submitted(v1beta2.ApplicationStateRunning, nil)
	app.Status.ExecutorState = map[string]v1beta2.ExecutorState{"gone": v1beta2.ExecutorStateRunning, "done": v1beta2.ExecutorStateCompleted}
	executor := func(name, id string, phase corev1.PodPhase) corev1.Pod {
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{labelExecutorID: id}}, Status: corev1.PodStatus{Phase: phase}}
	}
	step := Next(Seen{App: app, Drivers: driverOf(app, corev1.PodRunning, nil), Now: now, MaxExecutors: 2, Executors: []corev1.Pod{
		executor("one", "1", corev1.PodRunning), executor("two", "2", corev1.PodFailed), executor("three", "3", corev1.PodRunning),
	}})
	want := map[string]v1beta2.ExecutorState{
		"one": v1beta2.ExecutorStateRunning, "two": v1beta2.ExecutorStateFailed, "gone": v1beta2.ExecutorStateUnknown, "done": v1beta2.ExecutorStateCompleted,
	}
	for name, state := range want {
		if step.Status.ExecutorState[name] != state {
			t.Errorf("executor %s is %q, not %q", name, step.Status.ExecutorState[name], state)
		}
	}
	if len(step.Status.ExecutorState) != len(want) {
		t.Errorf("the status has %v", step.Status.ExecutorState)
	}
}

func TestTheHistoryServerIsNamedOfWhatHasWrittenEvents(t *testing.T) {
	const service, history = "10.0.0.1:4040", "https://history.example.com/history/spark-1/"
	logs := func(app *v1beta2.SparkApplication) {
		app.Spec.SparkConf = map[string]string{"spark.eventLog.enabled": "true"}
	}
	for name, tc := range map[string]struct {
		app    *v1beta2.SparkApplication
		server string
		want   string
	}{
		"it has succeeded":       {submitted(v1beta2.ApplicationStateSucceeding, logs), "https://history.example.com/", history},
		"it has failed":          {submitted(v1beta2.ApplicationStateFailing, logs), "https://history.example.com", history},
		"it runs":                {submitted(v1beta2.ApplicationStateRunning, logs), "https://history.example.com", service},
		"it has no events":       {submitted(v1beta2.ApplicationStateSucceeding, nil), "https://history.example.com", service},
		"there is no such thing": {submitted(v1beta2.ApplicationStateSucceeding, logs), "", service},
	} {
		t.Run(name, func(t *testing.T) {
			tc.app.Status.SparkApplicationID, tc.app.Status.DriverInfo.WebUIAddress = "spark-1", service
			step := Next(Seen{App: tc.app, Drivers: driverOf(tc.app, corev1.PodRunning, nil), Now: now, HistoryServer: tc.server})
			if got := step.Status.DriverInfo.WebUIAddress; got != tc.want {
				t.Errorf("the address is %s, not %s", got, tc.want)
			}
		})
	}
}
