package plan

import (
	"fmt"
	"time"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
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

// cleanUp leaves of a finished job what its policies want to be kept.
func (p *planner) cleanUp() {
	for _, status := range p.Status.ReplicaStatuses {
		if condition(&p.Status, kubeflow.JobFailed) == nil {
			status.Succeeded += status.Active
			status.Active = 0
		}
	}
	keep := p.kept()
	p.deletePods(func(pod *corev1.Pod) bool { return !keep(pod) })
	remain := map[string]bool{}
	for _, pod := range p.seen.Pods {
		remain[pod.Name] = keep(pod)
	}
	if p.cleanPodPolicy() != kubeflow.CleanPodPolicyNone {
		p.deleteServices(func(s *corev1.Service) bool { return !remain[s.Name] })
	}
	p.deleteGroup()
	p.expire()
}

// cleanPodPolicy is All for a job that could not start: nothing of it has run.
func (p *planner) cleanPodPolicy() kubeflow.CleanPodPolicy {
	if refused(&p.Status) {
		return kubeflow.CleanPodPolicyAll
	}
	policy := ptr.Deref(p.job.Spec.RunPolicy.CleanPodPolicy, kubeflow.CleanPodPolicyNone)
	if policy == kubeflow.CleanPodPolicyUndefined {
		return kubeflow.CleanPodPolicyNone
	}
	return policy
}

// kept tells which pods a finished job keeps.
func (p *planner) kept() func(*corev1.Pod) bool {
	switch p.cleanPodPolicy() {
	case kubeflow.CleanPodPolicyAll:
		return func(*corev1.Pod) bool { return false }
	case kubeflow.CleanPodPolicyRunning:
		return func(pod *corev1.Pod) bool {
			return pod.Status.Phase != corev1.PodRunning && pod.Status.Phase != corev1.PodPending
		}
	default:
		return func(*corev1.Pod) bool { return true }
	}
}

// expire deletes a job that has been finished for long enough.
func (p *planner) expire() {
	seconds := p.job.Spec.RunPolicy.TTLSecondsAfterFinished
	if seconds == nil || *seconds < 0 || ptr.Deref(p.job.Spec.RunPolicy.Suspend, false) || p.Status.CompletionTime == nil {
		return
	}
	end := p.Status.CompletionTime.Add(time.Duration(*seconds) * time.Second)
	if p.DeleteJob = !p.seen.Now.Before(end); !p.DeleteJob {
		p.after(end)
	}
}
