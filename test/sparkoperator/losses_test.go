package sparkoperator

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"

	muster "muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/test/testcluster"
)

// sparesLosses evicts the driver of a program that has no retry left. It runs again, and
// says so.
func (s *stage) sparesLosses(ctx context.Context, t *testing.T) {
	s.create(ctx, t, pi("evicted", func(app *application) {
		app.Spec.RestartPolicy = v1beta2.RestartPolicy{Type: v1beta2.RestartPolicyOnFailure, OnFailureRetries: ptr.To[int32](0), OnFailureRetryInterval: ptr.To[int64](1)}
	}))
	s.awaitState(ctx, t, "evicted", v1beta2.ApplicationStateRunning)
	driver := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "evicted-driver", Namespace: testcluster.Namespace}}
	if err := s.client.SubResource("eviction").Create(ctx, driver, &policyv1.Eviction{}); err != nil {
		t.Fatal(err)
	}
	app := s.awaitState(ctx, t, "evicted", v1beta2.ApplicationStateCompleted)
	if losses := app.Annotations[muster.LossesAnnotation]; app.Status.ExecutionAttempts != 2 || !strings.HasPrefix(losses, `{"count":1,`) {
		t.Errorf("there were %d runs, and lost were %s", app.Status.ExecutionAttempts, losses)
	}
	err := s.AwaitAll(ctx, corev1.SchemeGroupVersion.WithResource("events"), "one tells of the loss", func(all []unstructured.Unstructured) bool {
		return slices.ContainsFunc(all, func(event unstructured.Unstructured) bool {
			of, _, _ := unstructured.NestedString(event.Object, "involvedObject", "uid")
			message, _, _ := unstructured.NestedString(event.Object, "message")
			return of == string(app.UID) && strings.Contains(message, "as loss 1 of 3 that cost no retry")
		})
	})
	if err != nil {
		t.Error(err)
	}
}
