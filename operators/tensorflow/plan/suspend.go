package plan

import (
	"fmt"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// resume starts the job, for the first time or anew.
func (p *planner) resume() {
	if c := condition(&p.Status, kubeflow.JobSuspended); c != nil && c.Status == corev1.ConditionTrue {
		message := fmt.Sprintf("TFJob %s is resumed.", p.job.Name)
		p.become(kubeflow.JobSuspended, corev1.ConditionFalse, "Resumed", message)
		p.tell(corev1.EventTypeNormal, reason("Resumed"), message)
		p.Status.StartTime = nil
	}
	if p.Status.StartTime == nil {
		p.Status.StartTime = &metav1.Time{Time: p.seen.Now}
	}
	if r := lead(p.roles); r != nil && r.in(running) > 0 {
		p.become(kubeflow.JobRunning, corev1.ConditionTrue, "Running", fmt.Sprintf("TFJob %s/%s is running.", p.job.Namespace, p.job.Name))
	}
}

// suspend takes everything away that runs, and nothing of what is remembered.
func (p *planner) suspend() {
	message := fmt.Sprintf("TFJob %s is suspended.", p.job.Name)
	if c := condition(&p.Status, kubeflow.JobRunning); c != nil {
		p.become(kubeflow.JobRunning, corev1.ConditionFalse, "Suspended", message)
	}
	if c := condition(&p.Status, kubeflow.JobSuspended); c == nil || c.Status != corev1.ConditionTrue {
		p.become(kubeflow.JobSuspended, corev1.ConditionTrue, "Suspended", message)
		p.tell(corev1.EventTypeNormal, reason("Suspended"), message)
	}
	for _, status := range p.Status.ReplicaStatuses {
		status.Active = 0
	}
	p.deletePods(func(*corev1.Pod) bool { return true })
	p.deleteServices(func(*corev1.Service) bool { return true })
	p.deleteGroup()
}
