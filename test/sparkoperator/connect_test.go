package sparkoperator

import (
	"context"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/test/testcluster"
)

const connectGuide = "../../docs/spark-connect.md"

// servesConnect has the guide's server start with its executors, come back when it is
// lost, and go with all that is its own.
func (s *stage) servesConnect(ctx context.Context, t *testing.T) {
	t.Helper()
	examples := testcluster.Examples(t, connectGuide, "SparkConnect")
	if len(examples) != 1 {
		t.Fatalf("the guide has %d examples", len(examples))
	}
	conn := &v1alpha1.SparkConnect{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(examples[0].Object, conn); err != nil {
		t.Fatal(err)
	}
	// The one who plays the server would end it.
	conn.Spec.SparkConf = map[string]string{"spark.muster.simulated.duration": "1h", "spark.muster.simulated.startDelay": "100ms"}
	if err := s.client.Create(ctx, conn); err != nil {
		t.Fatal(err)
	}
	whole := func(c *v1alpha1.SparkConnect) bool {
		return c.Status.State == v1alpha1.SparkConnectStateReady && c.Status.Executors["running"] == 2
	}
	status := s.awaitConnect(ctx, t, conn.Name, whole).Status
	server := &corev1.Pod{}
	if err := s.client.Get(ctx, client.ObjectKey{Namespace: conn.Namespace, Name: status.Server.PodName}, server); err != nil {
		t.Fatal(err)
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: conn.Namespace, Name: status.Server.ServiceName}}
	if err := s.client.Delete(ctx, service); err != nil {
		t.Fatal(err)
	}
	if err := s.client.Delete(ctx, server, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	s.awaitConnect(ctx, t, conn.Name, func(c *v1alpha1.SparkConnect) bool {
		another := &corev1.Pod{}
		err := s.client.Get(ctx, client.ObjectKeyFromObject(server), another)
		return err == nil && another.UID != server.UID && whole(c)
	})
	if err := s.client.Get(ctx, client.ObjectKeyFromObject(service), service); err != nil {
		t.Error(err)
	}
	if err := s.client.Delete(ctx, conn); err != nil {
		t.Fatal(err)
	}
	s.awaitGone(ctx, t, &v1beta2.SparkApplicationList{}, conn.Name)
}

// awaitConnect waits until a SparkConnect is as it should be.
func (s *stage) awaitConnect(ctx context.Context, t *testing.T, name string, good func(*v1alpha1.SparkConnect) bool) *v1alpha1.SparkConnect {
	t.Helper()
	return testcluster.AwaitSparkConnect(ctx, t, s.client, client.ObjectKey{Namespace: testcluster.Namespace, Name: name}, "is as it should be", good)
}
