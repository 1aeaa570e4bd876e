package testcluster

import (
	"context"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// SparkClient reads and writes SparkApplications, on a cluster whose operators run.
func (c *Cluster) SparkClient(t *testing.T) client.WithWatch {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1beta2.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	own, err := client.NewWithWatch(c.RESTConfig(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return own
}

// AwaitSparkApplication waits until an application is in a state.
func AwaitSparkApplication(ctx context.Context, t *testing.T, c client.WithWatch, key client.ObjectKey, state v1beta2.ApplicationStateType) *v1beta2.SparkApplication {
	t.Helper()
	return AwaitSparkApplicationThat(ctx, t, c, key, "is "+string(state), func(app *v1beta2.SparkApplication) bool {
		return app.Status.AppState.State == state
	})
}

// AwaitSparkApplicationThat waits until an application is as it should be, which the words
// say.
func AwaitSparkApplicationThat(
	ctx context.Context, t *testing.T, c client.WithWatch, key client.ObjectKey, words string, good func(*v1beta2.SparkApplication) bool,
) *v1beta2.SparkApplication {
	t.Helper()
	app, last := awaitObject(ctx, t, c, &v1beta2.SparkApplicationList{}, key, good)
	if app == nil {
		t.Fatalf("there is no %s that %s, but one with %v that is %+v", key.Name, words, last.Annotations, last.Status.AppState)
	}
	return app
}

// AwaitSparkConnect waits until a SparkConnect is as it should be, which the words say.
func AwaitSparkConnect(
	ctx context.Context, t *testing.T, c client.WithWatch, key client.ObjectKey, words string, good func(*v1alpha1.SparkConnect) bool,
) *v1alpha1.SparkConnect {
	t.Helper()
	conn, last := awaitObject(ctx, t, c, &v1alpha1.SparkConnectList{}, key, good)
	if conn == nil {
		t.Fatalf("there is no %s that %s, but one that is %+v", key.Name, words, last.Status)
	}
	return conn
}

// awaitObject watches one object until it is as it should be. If it never is, that is nil,
// and what it was at last is told.
func awaitObject[T any, P interface {
	*T
	client.Object
}](ctx context.Context, t *testing.T, c client.WithWatch, list client.ObjectList, key client.ObjectKey, good func(P) bool) (found, last P) {
	t.Helper()
	events, err := c.Watch(ctx, list, client.InNamespace(key.Namespace), client.MatchingFields{"metadata.name": key.Name})
	if err != nil {
		t.Fatal(err)
	}
	defer events.Stop()
	last = new(T)
	for event := range events.ResultChan() {
		object, ok := event.Object.(P)
		if !ok || event.Type == watch.Deleted {
			continue
		}
		if last = object; good(object) {
			return object, last
		}
	}
	return nil, last
}
