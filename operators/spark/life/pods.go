package life

import (
	"fmt"
	"strconv"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"github.com/kubeflow/spark-operator/v2/pkg/common"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/operators/spark/plan"
)

const (
	driverContainer = "spark-kubernetes-driver"
	labelExecutorID = "spark-exec-id"
)

// watch follows the driver.
func (l *life) watch() {
	l.executors()
	driver := CurrentDriver(l.App, l.Drivers)
	if driver == nil {
		l.fail("driver pod not found")
		l.lose()
		return
	}
	switch phase, exit := driverPhase(driver); phase {
	case corev1.PodPending:
		l.become(v1beta2.ApplicationStateSubmitted, hindrance(driver))
	case corev1.PodRunning:
		l.become(v1beta2.ApplicationStateRunning, "")
	case corev1.PodSucceeded:
		l.step.Status.TerminationTime = metav1.NewTime(l.Now)
		l.become(v1beta2.ApplicationStateSucceeding, "")
	case corev1.PodFailed:
		l.fail(failure(driver, exit))
		if lost(driver) {
			l.lose()
		}
	default:
		l.become(v1beta2.ApplicationStateUnknown, driver.Status.Message)
	}
	if now, before := l.step.Status.AppState.ErrorMessage, l.App.Status.AppState.ErrorMessage; l.state() == v1beta2.ApplicationStateSubmitted && now != "" && now != before {
		l.step.Events = append(l.step.Events, Event{corev1.EventTypeWarning, common.EventSparkDriverPending, fmt.Sprintf("Driver %s is pending: %s", driver.Name, now)})
	}
}

// CurrentDriver is the driver of the submission that an application's status tells of,
// or nil.
func CurrentDriver(app *v1beta2.SparkApplication, drivers []*corev1.Pod) *corev1.Pod {
	for _, driver := range drivers {
		if driver.Labels[plan.LabelSubmissionID] == app.Status.SubmissionID {
			return driver
		}
	}
	return nil
}

func (l *life) fail(message string) {
	l.step.Status.TerminationTime = metav1.NewTime(l.Now)
	l.become(v1beta2.ApplicationStateFailing, message)
}

// driverPhase is what the driver itself has come to: a sidecar may still run.
func driverPhase(pod *corev1.Pod) (corev1.PodPhase, *corev1.ContainerStateTerminated) {
	exit := terminated(pod)
	switch {
	case exit == nil, pod.Status.Phase == corev1.PodPending:
		return pod.Status.Phase, nil
	case exit.ExitCode == 0:
		return corev1.PodSucceeded, exit
	}
	return corev1.PodFailed, exit
}

// terminated is how Spark's container ended, or nil.
func terminated(pod *corev1.Pod) *corev1.ContainerStateTerminated {
	for i, status := range pod.Status.ContainerStatuses {
		// A template may have named the container.
		if status.Name == driverContainer || i == len(pod.Status.ContainerStatuses)-1 {
			return status.State.Terminated
		}
	}
	return nil
}

func failure(pod *corev1.Pod, exit *corev1.ContainerStateTerminated) string {
	switch {
	case exit != nil:
		return fmt.Sprintf("driver container failed with ExitCode: %d, Reason: %s", exit.ExitCode, exit.Reason)
	case pod.Status.Reason != "":
		return fmt.Sprintf("driver pod failed: %s: %s", pod.Status.Reason, pod.Status.Message)
	}
	return "driver container status missing"
}

// hindrance is why a pod doesn't start, as far as it is worth telling.
func hindrance(pod *corev1.Pod) string {
	for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if waiting := status.State.Waiting; waiting != nil && waiting.Message != "" {
			return fmt.Sprintf("container %s: %s: %s", status.Name, waiting.Reason, waiting.Message)
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return fmt.Sprintf("%s: %s", condition.Reason, condition.Message)
		}
	}
	return ""
}

// executors keeps the state of executors, of which there may be more than an object
// can hold: those with higher numbers are left out.
func (l *life) executors() {
	states := map[string]v1beta2.ExecutorState{}
	for i := range l.Executors {
		pod := &l.Executors[i]
		if id, err := strconv.Atoi(pod.Labels[labelExecutorID]); err == nil && id <= l.MaxExecutors {
			states[pod.Name] = executorState(pod.Status.Phase)
		}
	}
	for name, state := range l.step.Status.ExecutorState {
		if _, seen := states[name]; !seen {
			states[name] = l.goneExecutor(state)
		}
	}
	if len(states) > 0 {
		l.step.Status.ExecutorState = states
	}
}

func executorState(phase corev1.PodPhase) v1beta2.ExecutorState {
	switch phase {
	case corev1.PodPending:
		return v1beta2.ExecutorStatePending
	case corev1.PodRunning:
		return v1beta2.ExecutorStateRunning
	case corev1.PodSucceeded:
		return v1beta2.ExecutorStateCompleted
	case corev1.PodFailed:
		return v1beta2.ExecutorStateFailed
	}
	return v1beta2.ExecutorStateUnknown
}

// goneExecutor is the state of an executor whose pod is gone. Those of an application
// that came to its end did so as well.
func (l *life) goneExecutor(last v1beta2.ExecutorState) v1beta2.ExecutorState {
	switch {
	case last == v1beta2.ExecutorStateCompleted, last == v1beta2.ExecutorStateFailed:
		return last
	case l.state() == v1beta2.ApplicationStateCompleted:
		return v1beta2.ExecutorStateCompleted
	case l.state() == v1beta2.ApplicationStateFailed:
		return v1beta2.ExecutorStateFailed
	}
	return v1beta2.ExecutorStateUnknown
}
