package tensorflow

import (
	"fmt"
	"slices"
	"strings"
	"time"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/test/testcluster"
)

func wholeOrNothing(s *story) {
	// There is room for eight replicas.
	s.submit(job("large", map[kubeflow.ReplicaType]int32{"Chief": 1, "PS": 2, "Worker": 6}))
	s.awaitPods("large", "exist", 9, anyPod)
	s.submit(job("small", map[kubeflow.ReplicaType]int32{"Chief": 1, "Worker": 3}))
	s.await("small", kubeflow.JobRunning)
	s.awaitPods("small", "run", 4, runs)
	if n := testcluster.Count(s.Pods.List(of("large")), testcluster.Bound); n > 0 {
		s.Errorf("%d pods of a job that has no room have a node", n)
	}
	s.remove(testcluster.Namespace, "small")

	// With a minimum below its size it starts, and the last worker waits.
	s.remove(testcluster.Namespace, "large")
	s.submit(job("elastic", map[kubeflow.ReplicaType]int32{"Chief": 1, "PS": 2, "Worker": 6}, func(j *kubeflow.TFJob) {
		j.Spec.RunPolicy.SchedulingPolicy = &kubeflow.SchedulingPolicy{MinAvailable: ptr.To[int32](5)}
	}))
	s.awaitPods("elastic", "run", 8, runs)
	s.remove(testcluster.Namespace, "elastic")
}

func suspendAndResume(s *story) {
	s.submit(job("pause", map[kubeflow.ReplicaType]int32{"Chief": 1, "Worker": 2}))
	s.awaitPods("pause", "run", 3, runs)
	s.patch("pause", map[string]any{"runPolicy": map[string]any{"suspend": true}})
	s.await("pause", kubeflow.JobSuspended)
	s.awaitNoPods("pause")
	s.requireNothing("pause")

	s.patch("pause", map[string]any{"runPolicy": map[string]any{"suspend": false}})
	s.awaitPods("pause", "run", 3, runs)
	s.await("pause", kubeflow.JobRunning)
	s.remove(testcluster.Namespace, "pause")
}

func failedWorker(s *story) {
	s.submit(job("retry", map[kubeflow.ReplicaType]int32{"Chief": 1, "Worker": 2}, func(j *kubeflow.TFJob) {
		j.Spec.TFReplicaSpecs["Worker"].RestartPolicy = kubeflow.RestartPolicyExitCode
		j.Spec.RunPolicy.BackoffLimit = ptr.To[int32](1)
	}))
	s.awaitPods("retry", "run", 3, runs)
	before := s.pod("retry-worker-1")
	s.exit(before, 137)
	s.awaitPods("retry", "run again", 1, func(pod *corev1.Pod) bool {
		return pod.Name == before.Name && pod.UID != before.UID && runs(pod)
	})
	s.exit(s.pod("retry-worker-0"), 137)
	status := s.await("retry", kubeflow.JobFailed)
	if message := status.Conditions[len(status.Conditions)-1].Message; !strings.Contains(message, "backoff limit") {
		s.Errorf("it has failed: %s", message)
	}
	s.remove(testcluster.Namespace, "retry")
}

func cleanUp(s *story) {
	s.submit(job("brief", map[kubeflow.ReplicaType]int32{"Chief": 1, "PS": 1, "Worker": 1}, func(j *kubeflow.TFJob) {
		j.Spec.RunPolicy.CleanPodPolicy = ptr.To(kubeflow.CleanPodPolicyAll)
		j.Spec.RunPolicy.TTLSecondsAfterFinished = ptr.To[int32](0)
	}))
	s.awaitPods("brief", "run", 3, runs)
	s.exit(s.pod("brief-chief-0"), 0)
	s.awaitNoPods("brief")
	jobs := s.Dynamic.Resource(tfJobs).Namespace(testcluster.Namespace)
	err := s.AwaitAll(s.ctx, tfJobs, "the job is gone", func(all []unstructured.Unstructured) bool {
		return !slices.ContainsFunc(all, func(u unstructured.Unstructured) bool { return u.GetName() == "brief" })
	})
	if err != nil {
		s.Fatal(err)
	}
	if _, err := jobs.Get(s.ctx, "brief", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		s.Errorf("the job is there: %v", err)
	}
	s.requireNothing("brief")
}

// requireNothing waits until there is nothing of a job but the job.
func (s *story) requireNothing(name string) {
	s.Helper()
	services := corev1.SchemeGroupVersion.WithResource("services")
	groups := volcano.SchemeGroupVersion.WithResource("podgroups")
	ofJob := func(u unstructured.Unstructured) bool { return u.GetLabels()[kubeflow.JobNameLabel] == name }
	none := func(all []unstructured.Unstructured) bool { return !slices.ContainsFunc(all, ofJob) }
	if err := s.AwaitAll(s.ctx, services, "none is of "+name, none); err != nil {
		s.Error(err)
	}
	if err := s.AwaitAll(s.ctx, groups, "none is of "+name, none); err != nil {
		s.Error(err)
	}
	unreserved := func(all []unstructured.Unstructured) bool {
		return !slices.ContainsFunc(all, func(u unstructured.Unstructured) bool {
			owner, _, _ := unstructured.NestedString(u.Object, "spec", "owner", "name")
			return owner == name
		})
	}
	if err := s.AwaitAll(s.ctx, v1alpha1.ReservationResource, "none is for "+name, unreserved); err != nil {
		s.Error(err)
	}
}

func notValid(s *story) {
	// What only the operator knows.
	name := strings.Repeat("w", 60)
	s.submit(job(name, map[kubeflow.ReplicaType]int32{"Worker": 1}))
	s.requireRefused(name, "metadata.name: Invalid value")

	// What only the API server knows of pods.
	bad := job("worse", map[kubeflow.ReplicaType]int32{"Chief": 1, "Worker": 1})
	bad.Spec.TFReplicaSpecs["Worker"].Template.Spec.Containers[0].ImagePullPolicy = "Sometimes"
	s.submit(bad)
	s.requireRefused("worse", `spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes"`)
	s.awaitNoPods("worse")
}

func (s *story) requireRefused(name, why string) {
	s.Helper()
	status := s.await(name, kubeflow.JobFailed)
	c := status.Conditions[len(status.Conditions)-1]
	if c.Reason != "TFJobFailedValidation" || !strings.Contains(c.Message, why) {
		s.Errorf("%s: %s: %s", name, c.Reason, c.Message)
	}
	s.remove(testcluster.Namespace, name)
}

// killedOperator kills the operator again and again while jobs run, which last for a
// second.
func killedOperator(s *story) {
	const jobs = 8
	for i := range jobs {
		s.submit(job(fmt.Sprintf("many-%d", i), map[kubeflow.ReplicaType]int32{"Chief": 1, "Worker": 2}, func(j *kubeflow.TFJob) {
			for _, spec := range j.Spec.TFReplicaSpecs {
				spec.Template.Annotations = map[string]string{localcluster.DurationAnnotation: time.Second.String()}
			}
			j.Spec.RunPolicy.CleanPodPolicy = ptr.To(kubeflow.CleanPodPolicyAll)
		}))
	}
	for i := range jobs {
		if i%2 == 0 {
			if err := s.Outage(s.ctx, operators); err != nil {
				s.Fatal(err)
			}
		}
		s.await(fmt.Sprintf("many-%d", i), kubeflow.JobSucceeded)
	}
	for i := range jobs {
		name := fmt.Sprintf("many-%d", i)
		s.awaitNoPods(name)
		s.requireNothing(name)
	}
}

// lostNode takes a node away. Its pods fail, and are deleted, when the controller
// manager has found out.
func lostNode(s *story) {
	s.submit(job("moves", map[kubeflow.ReplicaType]int32{"Chief": 1, "Worker": 2}))
	pods := s.awaitPods("moves", "run", 3, runs)
	lost := s.pod("moves-worker-1")
	if err := s.Client().CoreV1().Nodes().Delete(s.ctx, lost.Spec.NodeName, metav1.DeleteOptions{}); err != nil {
		s.Fatal(err)
	}
	gone := testcluster.Count(pods, func(pod *corev1.Pod) bool { return pod.Spec.NodeName == lost.Spec.NodeName })
	s.awaitPods("moves", "run on another node", gone, func(pod *corev1.Pod) bool {
		return runs(pod) && pod.Spec.NodeName != lost.Spec.NodeName &&
			!slices.ContainsFunc(pods, func(old *corev1.Pod) bool { return old.UID == pod.UID })
	})
	s.exit(s.pod("moves-chief-0"), 0)
	s.await("moves", kubeflow.JobSucceeded)
	s.remove(testcluster.Namespace, "moves")
}
