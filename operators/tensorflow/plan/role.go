package plan

import (
	"fmt"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// replicaTypes are all there are, those first that training needs most: a minimum
// below the number of replicas leaves out the last ones.
var replicaTypes = []kubeflow.ReplicaType{
	kubeflow.TFJobReplicaTypeChief,
	kubeflow.TFJobReplicaTypeMaster,
	kubeflow.TFJobReplicaTypePS,
	kubeflow.TFJobReplicaTypeWorker,
	kubeflow.TFJobReplicaTypeEval,
}

// role is a replica type of a job, with its pods.
type role struct {
	kind kubeflow.ReplicaType
	spec *kubeflow.ReplicaSpec
	pods []*corev1.Pod // by index; nil where there is none
}

// rolesOf returns the roles of a valid job that has its defaults.
func rolesOf(job *kubeflow.TFJob, pods []*corev1.Pod) []role {
	named := make(map[string]*corev1.Pod, len(pods))
	for _, pod := range pods {
		named[pod.Name] = pod
	}
	var roles []role
	for _, kind := range replicaTypes {
		spec := job.Spec.TFReplicaSpecs[kind]
		if spec == nil {
			continue
		}
		r := role{kind: kind, spec: spec, pods: make([]*corev1.Pod, *spec.Replicas)}
		for index := range r.pods {
			r.pods[index] = named[r.podName(job, index)]
		}
		roles = append(roles, r)
	}
	return roles
}

// podName is the name of a pod, and of its service.
func (r *role) podName(job *kubeflow.TFJob, index int) string {
	return fmt.Sprintf("%s-%s-%d", job.Name, lower(r.kind), index)
}

func (r *role) in(s podState) int {
	n := 0
	for _, pod := range r.pods {
		if stateOf(pod) == s {
			n++
		}
	}
	return n
}

// lead returns the role whose end is the job's: the chief, or else the workers.
func lead(roles []role) *role {
	var workers *role
	for i, r := range roles {
		if kubeflow.IsChiefOrMaster(r.kind) {
			return &roles[i]
		}
		if r.kind == kubeflow.TFJobReplicaTypeWorker {
			workers = &roles[i]
		}
	}
	return workers
}

// podState is what a pod is to its job.
type podState int

const (
	absent podState = iota
	// waiting has not run yet, or its node does not answer.
	waiting
	running
	succeeded
	// failed by its own doing.
	failed
	// lost by no fault of its own: evicted, preempted, or gone with its node.
	lost
	// leaving is being deleted; its name is free once it is gone.
	leaving
)

func stateOf(pod *corev1.Pod) podState {
	switch {
	case pod == nil:
		return absent
	case pod.Status.Phase == corev1.PodSucceeded:
		return succeeded
	case pod.DeletionTimestamp != nil:
		return leaving
	case pod.Status.Phase == corev1.PodFailed && disrupted(pod):
		return lost
	case pod.Status.Phase == corev1.PodFailed:
		return failed
	case pod.Status.Phase == corev1.PodRunning:
		return running
	default:
		return waiting
	}
}

func disrupted(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue {
			return true
		}
	}
	return false
}

// noExitCode is what stands for the exit code of a container that has left none. It
// counts as one that may be tried again.
const noExitCode = 0xbeef

// exitCode is that of the container that trains.
func exitCode(pod *corev1.Pod) int32 {
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == kubeflow.TFJobDefaultContainerName && status.State.Terminated != nil {
			return status.State.Terminated.ExitCode
		}
	}
	return noExitCode
}

// retries tells whether a failed pod of the role is replaced.
func (r *role) retries(pod *corev1.Pod) bool {
	switch r.spec.RestartPolicy {
	case kubeflow.RestartPolicyAlways, kubeflow.RestartPolicyOnFailure:
		return true
	case kubeflow.RestartPolicyExitCode:
		return exitCode(pod) >= 128
	default:
		return false
	}
}

// ownerOf refers to the job as the controller of what is made for it.
func ownerOf(job *kubeflow.TFJob) []metav1.OwnerReference {
	return []metav1.OwnerReference{*metav1.NewControllerRef(job, kubeflow.SchemeGroupVersion.WithKind(kubeflow.TFJobKind))}
}
