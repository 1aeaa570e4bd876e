package belowminimum

import (
	"context"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/test/testcluster"
)

func isSingle(pod *corev1.Pod) bool { return strings.HasPrefix(pod.Name, "single-") }

const label = "gang"

func of(name string) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool { return pod.Labels[label] == name }
}

func labelled(name string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Labels = map[string]string{label: name} }
}

// createReplicas makes a gang of pods that a controller replaces at once.
func createReplicas(ctx context.Context, t *testing.T, c *testcluster.Cluster, name string, annotations map[string]string) {
	t.Helper()
	pod, n := c.Pod("", cpus, 0), int32(members)
	labelled(name)(pod)
	annotations[v1alpha1.GangMembersAnnotation] = fmt.Sprint(members)
	_, err := c.Client().AppsV1().ReplicaSets(testcluster.Namespace).Create(ctx, &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.ReplicaSetSpec{Replicas: &n, Selector: &metav1.LabelSelector{MatchLabels: pod.Labels}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: pod.Labels, Annotations: annotations}, Spec: pod.Spec,
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// remove removes a controller and waits until its pods are gone.
func remove(ctx context.Context, t *testing.T, c *testcluster.Cluster, name string) {
	t.Helper()
	background := metav1.DeletePropagationBackground
	if err := c.Client().AppsV1().ReplicaSets(testcluster.Namespace).Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		t.Fatal(err)
	}
	err := c.Pods.Await(ctx, "the gang's pods are gone", func(pods []*corev1.Pod) bool { return testcluster.Count(pods, of(name)) == 0 })
	if err != nil {
		t.Fatal(err)
	}
}

// createBudget makes a budget that keeps all members of the gang "go".
func createBudget(ctx context.Context, t *testing.T, c *testcluster.Cluster) *policyv1.PodDisruptionBudget {
	t.Helper()
	least := intstr.FromInt32(members)
	budget, err := c.Client().PolicyV1().PodDisruptionBudgets(testcluster.Namespace).Create(ctx, &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: "go"},
		Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: &least, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{label: "go"}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return budget
}

func kill(ctx context.Context, t *testing.T, c *testcluster.Cluster, pod *corev1.Pod) {
	t.Helper()
	if err := c.Client().CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, *metav1.NewDeleteOptions(0)); err != nil {
		t.Fatal(err)
	}
}
