package plan

import (
	"time"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// reason is the name of an event or condition of a TFJob.
func reason(what string) string { return kubeflow.TFJobKind + what }

func condition(s *kubeflow.JobStatus, kind kubeflow.JobConditionType) *kubeflow.JobCondition {
	for i := range s.Conditions {
		if s.Conditions[i].Type == kind {
			return &s.Conditions[i]
		}
	}
	return nil
}

func finished(s *kubeflow.JobStatus) bool {
	return IsTrue(s, kubeflow.JobSucceeded) || IsTrue(s, kubeflow.JobFailed)
}

// IsTrue reports whether a job is in a condition.
func IsTrue(s *kubeflow.JobStatus, kind kubeflow.JobConditionType) bool {
	c := condition(s, kind)
	return c != nil && c.Status == corev1.ConditionTrue
}

func (p *planner) become(kind kubeflow.JobConditionType, status corev1.ConditionStatus, why, message string) {
	setCondition(&p.Status, kind, status, why, message, p.seen.Now)
}

// setCondition changes a condition as upstream does: it goes last, a job is either
// running or restarting, and one that has finished does not run.
func setCondition(s *kubeflow.JobStatus, kind kubeflow.JobConditionType, status corev1.ConditionStatus, why, message string, now time.Time) {
	next := kubeflow.JobCondition{
		Type: kind, Status: status, Reason: reason(why), Message: message,
		LastUpdateTime: metav1.Time{Time: now}, LastTransitionTime: metav1.Time{Time: now},
	}
	if old := condition(s, kind); old != nil && old.Status == status {
		if old.Reason == next.Reason {
			return
		}
		next.LastTransitionTime = old.LastTransitionTime
	}
	var conditions []kubeflow.JobCondition
	for _, c := range s.Conditions {
		switch {
		case c.Type == kind || excludes(kind, c.Type):
			continue
		case c.Type == kubeflow.JobRunning && (kind == kubeflow.JobSucceeded || kind == kubeflow.JobFailed):
			c.Status = corev1.ConditionFalse
		}
		conditions = append(conditions, c)
	}
	conditions = append(conditions, next)
	s.Conditions = conditions
}

func excludes(a, b kubeflow.JobConditionType) bool {
	return a == kubeflow.JobRunning && b == kubeflow.JobRestarting || a == kubeflow.JobRestarting && b == kubeflow.JobRunning
}
