package plan

import (
	"maps"
	"strconv"
	"strings"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/api/v1alpha1"
)

// OperatorName is the value of the label by which upstream's users find the pods of
// all TFJobs.
const OperatorName = "tfjob-controller"

// Labels are on everything that is made for a job.
func Labels(job string) map[string]string {
	return map[string]string{kubeflow.OperatorNameLabel: OperatorName, kubeflow.JobNameLabel: job}
}

// labelsOf are on a pod and its service, which finds the pod by them.
func labelsOf(job *kubeflow.TFJob, r role, index int) map[string]string {
	labels := Labels(job.Name)
	labels[kubeflow.ReplicaTypeLabel] = lower(r.kind)
	labels[kubeflow.ReplicaIndexLabel] = strconv.Itoa(index)
	return labels
}

// pod is a replica as it is created.
func (p *planner) pod(r role, index int) *corev1.Pod {
	template := r.spec.Template.DeepCopy()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: r.podName(p.job, index), Namespace: p.job.Namespace,
			Labels: template.Labels, Annotations: template.Annotations, Finalizers: template.Finalizers,
			OwnerReferences: ownerOf(p.job),
		},
		Spec: template.Spec,
	}
	put(&pod.Labels, labelsOf(p.job, r, index))
	if p.isMaster(r, index) {
		pod.Labels[kubeflow.JobRoleLabel] = "master"
	}
	pod.Spec.RestartPolicy = corev1.RestartPolicy(r.spec.RestartPolicy)
	if r.spec.RestartPolicy == kubeflow.RestartPolicyExitCode {
		pod.Spec.RestartPolicy = corev1.RestartPolicyNever // who replaces it is the operator
	}
	p.setCluster(&pod.Spec, r, index)
	p.join(pod, r)
	return pod
}

func (p *planner) isMaster(r role, index int) bool {
	if l := lead(p.roles); l == nil || l.kind != r.kind {
		return false
	}
	return kubeflow.IsChiefOrMaster(r.kind) || index == 0
}

// tellOfTemplates warns of settings in pod templates that don't do what they say.
func (p *planner) tellOfTemplates() {
	if len(p.CreatePods) == 0 {
		return
	}
	for _, r := range p.roles {
		if r.spec.Template.Spec.RestartPolicy != "" {
			p.tell(corev1.EventTypeWarning, "SetPodTemplateRestartPolicy",
				"Restart policy in pod template will be overwritten by restart policy in replica spec")
			break
		}
	}
	if p.anotherScheduler() {
		p.tell(corev1.EventTypeWarning, "SetPodTemplateSchedulerName",
			"Another scheduler is specified when gang-scheduling is enabled and it will not be overwritten")
	}
}

// wishes are the job's annotations that are for Muster's scheduler.
func wishes(job *kubeflow.TFJob) map[string]string {
	wished := map[string]string{}
	for key, value := range job.Annotations {
		if strings.HasPrefix(key, v1alpha1.GroupVersion.Group+"/") && key != v1alpha1.RestartsAnnotation {
			wished[key] = value
		}
	}
	return wished
}

// put adds entries to a map that may be nil.
func put(into *map[string]string, entries map[string]string) {
	if *into == nil {
		*into = map[string]string{}
	}
	maps.Copy(*into, entries)
}
