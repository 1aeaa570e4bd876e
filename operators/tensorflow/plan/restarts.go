package plan

import (
	"encoding/json"
	"fmt"
	"slices"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/api/v1alpha1"
)

// Restarts is what a job remembers of the pods that were replaced because they had
// failed. It is stored in the job's annotation before a pod is deleted, so that none
// is forgotten and none counts twice, whenever the operator is killed.
type Restarts struct {
	// Count of all of them.
	Count int `json:"count"`
	// Pods are those among them that may still exist.
	Pods []types.UID `json:"pods,omitempty"`
	// New is how many of them were not remembered before.
	New int `json:"-"`
}

// restartsOf reads the annotation. What somebody has spoilt counts as nothing.
func restartsOf(job *kubeflow.TFJob) Restarts {
	var r Restarts
	if json.Unmarshal([]byte(job.Annotations[v1alpha1.RestartsAnnotation]), &r) != nil || r.Count < 0 {
		return Restarts{}
	}
	return r
}

// Annotation is the text that is stored.
func (r *Restarts) Annotation() string {
	text, err := json.Marshal(r)
	if err != nil { // it has only numbers and strings
		panic(err)
	}
	return string(text)
}

// toReplace are pods that have failed and may be tried again, with those among them
// that are not remembered yet.
func (p *planner) toReplace() (all, fresh []*corev1.Pod) {
	known := restartsOf(p.job).Pods
	for _, r := range p.roles {
		for _, pod := range r.pods {
			if stateOf(pod) != failed || !r.retries(pod) {
				continue
			}
			all = append(all, pod)
			if !slices.Contains(known, pod.UID) {
				fresh = append(fresh, pod)
			}
		}
	}
	return all, fresh
}

// pastBackoffLimit tells whether more restarts would be needed than are allowed. Those
// that the kubelet makes within a pod count as upstream counts them: the last one that
// is allowed ends the job.
func (p *planner) pastBackoffLimit() bool {
	limit := p.job.Spec.RunPolicy.BackoffLimit
	if limit == nil {
		return false
	}
	_, fresh := p.toReplace()
	return len(fresh) > 0 && restartsOf(p.job).Count+len(fresh) > int(*limit) ||
		p.restartsInPlace() >= max(*limit, 1)
}

// restartsInPlace counts containers that kubelets have started again.
func (p *planner) restartsInPlace() int32 {
	n := int32(0)
	for _, r := range p.roles {
		if r.spec.RestartPolicy == kubeflow.RestartPolicyNever {
			continue
		}
		for _, pod := range r.pods {
			if stateOf(pod) != running {
				continue
			}
			for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
				n += c.RestartCount
			}
		}
	}
	return n
}

// replace deletes pods that are to be made anew. Those that are lost don't count.
func (p *planner) replace() {
	all, fresh := p.toReplace()
	for _, r := range p.roles {
		for _, pod := range r.pods {
			if stateOf(pod) == lost {
				p.DeletePods = append(p.DeletePods, pod)
			}
		}
	}
	p.DeletePods = append(p.DeletePods, all...)
	if len(all) == 0 {
		return
	}
	message := fmt.Sprintf("job %s is restarting because %s replica(s) failed.", p.job.Name, p.kindsOf(all))
	p.become(kubeflow.JobRestarting, corev1.ConditionTrue, "Restarting", message)
	if len(fresh) == 0 {
		return
	}
	p.remember(fresh)
	p.tellExits()
	p.tell(corev1.EventTypeWarning, reason("Restarting"), message)
}

// remember adds pods to those that were replaced, and forgets what is gone.
func (p *planner) remember(fresh []*corev1.Pod) {
	r := restartsOf(p.job)
	r.New = len(fresh)
	r.Count += r.New
	r.Pods = slices.DeleteFunc(r.Pods, func(uid types.UID) bool {
		return !slices.ContainsFunc(p.seen.Pods, func(pod *corev1.Pod) bool { return pod.UID == uid })
	})
	for _, pod := range fresh {
		r.Pods = append(r.Pods, pod.UID)
	}
	p.Restarts = &r
}

// kindsOf names the replica types of pods, as "Worker" or "PS, Worker".
func (p *planner) kindsOf(pods []*corev1.Pod) string {
	text := ""
	for _, r := range p.roles {
		if !slices.ContainsFunc(pods, func(pod *corev1.Pod) bool { return slices.Contains(r.pods, pod) }) {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += string(r.kind)
	}
	return text
}
