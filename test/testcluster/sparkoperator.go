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
	events, err := c.Watch(ctx, &v1beta2.SparkApplicationList{}, client.InNamespace(key.Namespace), client.MatchingFields{"metadata.name": key.Name})
	if err != nil {
		t.Fatal(err)
	}
	defer events.Stop()
	last := &v1beta2.SparkApplication{}
	for event := range events.ResultChan() {
		app, ok := event.Object.(*v1beta2.SparkApplication)
		if !ok || event.Type == watch.Deleted {
			continue
		}
		if last = app; good(app) {
			return app
		}
	}
	t.Fatalf("there is no %s that %s, but one with %v that is %+v", key.Name, words, last.Annotations, last.Status.AppState)
	return nil
}
