package plan

import (
	"fmt"
	"time"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// refuse ends a job that says what can't be. One that has started is left alone: the
// mistake may be mended.
func (p *planner) refuse(err error) {
	if condition(&p.Status, kubeflow.JobCreated) == nil {
		p.Status = Refused(p.job, err, p.seen.Now)
	}
	p.tell(corev1.EventTypeWarning, reason(refusal), refusalMessage(p.job, err))
}

const refusal = "FailedValidation"

// refused tells whether the job has ended because it could not be as it was.
func refused(s *kubeflow.JobStatus) bool {
	c := condition(s, kubeflow.JobFailed)
	return c != nil && c.Reason == reason(refusal)
}

func refusalMessage(job *kubeflow.TFJob, err error) string {
	return fmt.Sprintf("TFJob %s is not valid: %v", job.Name, err)
}

// Refused is the status of a job that can't run as it is, for a reason that only
// another job mends.
func Refused(job *kubeflow.TFJob, err error, now time.Time) kubeflow.JobStatus {
	status := *job.Status.DeepCopy()
	status.CompletionTime = &metav1.Time{Time: now}
	setCondition(&status, kubeflow.JobFailed, corev1.ConditionTrue, refusal, refusalMessage(job, err), now)
	return status
}
