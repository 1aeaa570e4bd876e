package plan

import (
	"fmt"
	"time"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// count counts the pods of each role.
func (p *planner) count() {
	p.Status.ReplicaStatuses = map[kubeflow.ReplicaType]*kubeflow.ReplicaStatus{}
	for _, r := range p.roles {
		p.Status.ReplicaStatuses[r.kind] = &kubeflow.ReplicaStatus{
			Active: int32(r.in(running)), Succeeded: int32(r.in(succeeded)), Failed: int32(r.in(failed)),
		}
	}
}

// end ends the job if it is time, and reports whether it is. Success goes first: a
// parameter server that dies of its chief's end is no failure.
func (p *planner) end() bool {
	if p.hasSucceeded() {
		p.finish(kubeflow.JobSucceeded, fmt.Sprintf("TFJob %s/%s successfully completed.", p.job.Namespace, p.job.Name))
		return true
	}
	why := p.whyFailed()
	if why == "" {
		return false
	}
	p.finish(kubeflow.JobFailed, why)
	return true
}

func (p *planner) hasSucceeded() bool {
	r := lead(p.roles)
	if r == nil {
		return false
	}
	if r.in(succeeded) == len(r.pods) {
		return true
	}
	return r.kind == kubeflow.TFJobReplicaTypeWorker && *p.job.Spec.SuccessPolicy == kubeflow.SuccessPolicyDefault &&
		stateOf(r.pods[0]) == succeeded
}

// whyFailed says why the job can't go on, or nothing if it can.
func (p *planner) whyFailed() string {
	for _, r := range p.roles {
		n := 0
		for _, pod := range r.pods {
			if stateOf(pod) == failed && !r.retries(pod) {
				n++
			}
		}
		if n > 0 && !p.canDoWithout(r, n) {
			return fmt.Sprintf("TFJob %s/%s has failed because %d %s replica(s) failed.", p.job.Namespace, p.job.Name, n, r.kind)
		}
	}
	if p.pastBackoffLimit() {
		return fmt.Sprintf("Job %s has failed because it has reached the specified backoff limit", p.job.Name)
	}
	if p.pastDeadline() {
		return fmt.Sprintf("Job %s has failed because it was active longer than specified deadline", p.job.Name)
	}
	return ""
}

// canDoWithout tells whether the job goes on without n failed replicas of a role: a
// dynamic job does while it has other workers.
func (p *planner) canDoWithout(r role, n int) bool {
	return p.job.Spec.EnableDynamicWorker && r.kind == kubeflow.TFJobReplicaTypeWorker &&
		r.spec.RestartPolicy != kubeflow.RestartPolicyExitCode &&
		(n < len(r.pods) || lead(p.roles).kind != kubeflow.TFJobReplicaTypeWorker)
}

func (p *planner) pastDeadline() bool {
	seconds := p.job.Spec.RunPolicy.ActiveDeadlineSeconds
	if seconds == nil {
		return false
	}
	deadline := p.Status.StartTime.Add(time.Duration(*seconds) * time.Second)
	if !p.seen.Now.Before(deadline) {
		return true
	}
	p.after(deadline)
	return false
}

// finish is the last thing that is planned from what the pods do. They stay until
// the status is stored: what is cleaned up could not be counted again.
func (p *planner) finish(as kubeflow.JobConditionType, message string) {
	p.Again = 0
	p.Status.CompletionTime = &metav1.Time{Time: p.seen.Now}
	kind := corev1.EventTypeNormal
	if as == kubeflow.JobFailed {
		kind = corev1.EventTypeWarning
	}
	p.tellExits()
	p.become(as, corev1.ConditionTrue, string(as), message)
	p.tell(kind, reason(string(as)), message)
}
