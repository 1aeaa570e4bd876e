package plan

import (
	"time"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

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
