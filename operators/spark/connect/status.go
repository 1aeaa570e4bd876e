package connect

import (
	"cmp"
	"strings"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Seen is a SparkConnect, and what there is of it.
type Seen struct {
	Connect *v1alpha1.SparkConnect
	// Problem is why there can't be a server, or nil.
	Problem error
	// App runs the server; nil if there is none yet.
	App *v1beta2.SparkApplication
	// Server is the pod of the server as it runs now, or nil.
	Server    *corev1.Pod
	Executors []*corev1.Pod
	// Service is the name of the Service for clients.
	Service string
	Now     time.Time
}

// Status is what a SparkConnect says of itself.
func Status(seen Seen) v1alpha1.SparkConnectStatus {
	status := *seen.Connect.Status.DeepCopy()
	if status.StartTime.IsZero() {
		status.StartTime = metav1.NewTime(seen.Now)
	}
	state, message := seen.state()
	status.State = state
	condition := metav1.Condition{
		Type: string(v1alpha1.SparkConnectConditionServerPodReady), Status: metav1.ConditionFalse,
		Reason: string(v1alpha1.SparkConnectConditionReasonServerPodNotReady), Message: message,
		LastTransitionTime: metav1.NewTime(seen.Now), ObservedGeneration: seen.Connect.Generation,
	}
	if state == v1alpha1.SparkConnectStateReady {
		condition.Status, condition.Reason = metav1.ConditionTrue, string(v1alpha1.SparkConnectConditionReasonServerPodReady)
	}
	meta.SetStatusCondition(&status.Conditions, condition)
	status.Server = v1alpha1.SparkConnectServerStatus{ServiceName: seen.Service}
	if seen.Server != nil {
		status.Server.PodName, status.Server.PodIP = seen.Server.Name, seen.Server.Status.PodIP
	}
	status.Executors = nil
	for _, executor := range seen.Executors {
		if status.Executors == nil {
			status.Executors = map[string]int{}
		}
		status.Executors[strings.ToLower(string(executor.Status.Phase))]++
	}
	if !equality.Semantic.DeepEqual(status, seen.Connect.Status) {
		status.LastUpdateTime = metav1.NewTime(seen.Now)
	}
	return status
}

// state is that of the server, and why it isn't ready.
func (s *Seen) state() (v1alpha1.SparkConnectState, string) {
	switch {
	case s.Problem != nil:
		return v1alpha1.SparkConnectStateFailed, s.Problem.Error()
	case s.App == nil:
		return v1alpha1.SparkConnectStateProvisioning, "The server is not submitted yet"
	case s.App.Status.AppState.State == v1beta2.ApplicationStateFailed:
		return v1alpha1.SparkConnectStateFailed, s.reason()
	case s.Server == nil:
		return v1alpha1.SparkConnectStateProvisioning, cmp.Or(s.reason(), "There is no server pod yet")
	case ready(s.Server):
		return v1alpha1.SparkConnectStateReady, "Server pod is ready"
	}
	return v1alpha1.SparkConnectStateNotReady, cmp.Or(s.reason(), "Server pod is not ready")
}

// reason is what the application says, in the words of a SparkConnect.
func (s *Seen) reason() string {
	return strings.ReplaceAll(s.App.Status.AppState.ErrorMessage, "spec.driver.", "spec.server.")
}

func ready(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}
