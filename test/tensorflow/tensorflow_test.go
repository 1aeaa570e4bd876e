// Package tensorflow tells that TFJobs run as Kubeflow's users know it, that they
// start whole, and that nothing of them is left.
package tensorflow

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/test/testcluster"
)

var tfJobs = kubeflow.SchemeGroupVersion.WithResource(kubeflow.TFJobPlural)

// Each node has room for two replicas.
const (
	nodes       = 4
	shape       = "cpu=5,memory=64Gi,nvidia.com/gpu=1"
	replicaCPUs = 2
)

// story is one test on a running cluster.
type story struct {
	*testing.T
	*testcluster.Cluster
	ctx context.Context
}

func TestTFJobs(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{
		Scheduler: testcluster.Muster, Nodes: nodes, Shape: shape, Operators: true,
	})
	for _, part := range []struct {
		name string
		tell func(*story)
	}{
		{"upstream's samples run unmodified", samples},
		{"the example of the guide runs", exampleOfTheGuide},
		{"a job that has no room as a whole starts nothing", wholeOrNothing},
		{"a suspended job gives its room back and starts again", suspendAndResume},
		{"a failed worker is tried again as its policy says", failedWorker},
		{"a finished job leaves nothing", cleanUp},
		{"what would be refused is not even stored", refusedAtOnce},
		{"a job that can't be says so", notValid},
		{"jobs end although the operator is killed", killedOperator},
		{"a worker that goes with its node is replaced", lostNode},
	} {
		ran := t.Run(part.name, func(t *testing.T) { part.tell(&story{t, c, ctx}) })
		if !ran {
			return // what is left of it would disturb the next one
		}
	}
	c.RequireNoFault(t, 0)
}

// job makes a job of roles; each replica asks for as many CPUs as any.
func job(name string, replicas map[kubeflow.ReplicaType]int32, changes ...func(*kubeflow.TFJob)) *kubeflow.TFJob {
	j := &kubeflow.TFJob{
		TypeMeta:   metav1.TypeMeta{APIVersion: kubeflow.SchemeGroupVersion.String(), Kind: kubeflow.TFJobKind},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: testcluster.Namespace},
		Spec:       kubeflow.TFJobSpec{TFReplicaSpecs: map[kubeflow.ReplicaType]*kubeflow.ReplicaSpec{}},
	}
	for kind, n := range replicas {
		pod := (&testcluster.Cluster{}).Pod("", replicaCPUs, 0)
		pod.Spec.Containers[0].Name = kubeflow.TFJobDefaultContainerName
		j.Spec.TFReplicaSpecs[kind] = &kubeflow.ReplicaSpec{Replicas: &n, Template: corev1.PodTemplateSpec{Spec: pod.Spec}}
	}
	for _, change := range changes {
		change(j)
	}
	return j
}

func (s *story) submit(j *kubeflow.TFJob) {
	s.Helper()
	if _, err := s.Dynamic.Resource(tfJobs).Namespace(j.Namespace).Create(s.ctx, s.unstructured(j), metav1.CreateOptions{}); err != nil {
		s.Fatal(err)
	}
}

func (s *story) unstructured(j *kubeflow.TFJob) *unstructured.Unstructured {
	s.Helper()
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(j)
	if err != nil {
		s.Fatal(err)
	}
	return &unstructured.Unstructured{Object: object}
}

// await waits until the last condition of a job that is true is the given one.
func (s *story) await(name string, kind kubeflow.JobConditionType) kubeflow.JobStatus {
	s.Helper()
	var status kubeflow.JobStatus
	// Names are used once, over all namespaces.
	err := s.AwaitGlobal(s.ctx, tfJobs, name, "it is "+string(kind), func(u *unstructured.Unstructured) bool {
		var j kubeflow.TFJob
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &j); err != nil {
			return false
		}
		status = j.Status
		return last(status) == kind
	})
	if err != nil {
		s.Fatal(err)
	}
	return status
}

func last(status kubeflow.JobStatus) kubeflow.JobConditionType {
	for _, c := range slices.Backward(status.Conditions) {
		if c.Status == corev1.ConditionTrue {
			return c.Type
		}
	}
	return ""
}

// awaitPods waits until so many pods of a job match.
func (s *story) awaitPods(job, what string, n int, matches func(*corev1.Pod) bool) []*corev1.Pod {
	s.Helper()
	var found []*corev1.Pod
	err := s.Pods.Await(s.ctx, fmt.Sprintf("%d pods of %s %s", n, job, what), func(pods []*corev1.Pod) bool {
		found = nil
		for _, pod := range pods {
			if of(job)(pod) && matches(pod) {
				found = append(found, pod)
			}
		}
		return len(found) == n
	})
	if err != nil {
		s.Fatal(err)
	}
	return found
}

func of(job string) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool { return pod.Labels[kubeflow.JobNameLabel] == job }
}

func anyPod(*corev1.Pod) bool { return true }

func runs(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil
}

func (s *story) awaitNoPods(job string) {
	s.Helper()
	err := s.Pods.Await(s.ctx, "no pod of "+job+" is left", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, of(job)) == 0
	})
	if err != nil {
		s.Fatal(err)
	}
}

// exit ends a pod with a code, as its kubelet does.
func (s *story) exit(pod *corev1.Pod, code int32) {
	s.Helper()
	pods := s.Client().CoreV1().Pods(pod.Namespace)
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		now, err := pods.Get(s.ctx, pod.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		now.Status.Phase = corev1.PodSucceeded
		if code != 0 {
			now.Status.Phase = corev1.PodFailed
		}
		now.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: kubeflow.TFJobDefaultContainerName, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}},
		}}
		_, err = pods.UpdateStatus(s.ctx, now, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
}

// pod is the pod of a job whose name ends so.
func (s *story) pod(name string) *corev1.Pod {
	s.Helper()
	found := s.Pods.List(func(pod *corev1.Pod) bool { return pod.Name == name })
	if len(found) != 1 {
		s.Fatalf("there is no pod %s", name)
	}
	return found[0]
}

func (s *story) patch(name string, spec any) {
	s.Helper()
	text, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		s.Fatal(err)
	}
	if _, err := s.Dynamic.Resource(tfJobs).Namespace(testcluster.Namespace).Patch(s.ctx, name, types.MergePatchType, text, metav1.PatchOptions{}); err != nil {
		s.Fatal(err)
	}
}

// remove deletes a job, and waits until its pods are gone.
func (s *story) remove(namespace, name string) {
	s.Helper()
	if err := s.Dynamic.Resource(tfJobs).Namespace(namespace).Delete(s.ctx, name, metav1.DeleteOptions{}); err != nil {
		s.Fatal(err)
	}
	s.awaitNoPods(name)
}

// operators is the component that is killed.
const operators = localcluster.OperatorsComponent
