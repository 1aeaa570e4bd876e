package testcluster

import (
	"context"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	chart "muster.sh/muster/charts/muster"
	"muster.sh/muster/operators/spark"
	"muster.sh/muster/operators/spark/plan"
)

// SparkDefinitions are those of SparkApplications, as a manifest.
func SparkDefinitions(t *testing.T) []byte {
	t.Helper()
	var manifest []byte
	for _, crd := range chart.SparkDefinitions() {
		text, err := yaml.Marshal(crd)
		if err != nil {
			t.Fatal(err)
		}
		manifest = append(append(manifest, "---\n"...), text...)
	}
	return manifest
}

// SparkClient reads and writes SparkApplications, whose definitions must be in the
// cluster.
func (c *Cluster) SparkClient(t *testing.T) client.WithWatch {
	t.Helper()
	own, err := client.NewWithWatch(c.RESTConfig(), client.Options{Scheme: sparkScheme(t)})
	if err != nil {
		t.Fatal(err)
	}
	return own
}

func sparkScheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1beta2.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return scheme
}

// OperateSpark runs an operator of SparkApplications until the returned function is
// called, once at least before the test ends.
func (c *Cluster) OperateSpark(ctx context.Context, t *testing.T) (stop func()) {
	t.Helper()
	mgr, err := ctrl.NewManager(c.RESTConfig(), ctrl.Options{
		Scheme: sparkScheme(t), Logger: klog.Background(), Metrics: metricsserver.Options{BindAddress: "0"},
		// One test has several operators, one after the other.
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
	options := spark.Options{Plan: plan.Options{SchedulerName: c.Scheduler, User: "spark"}, MaxExecutors: 100, Workers: 2}
	if err := spark.AddToManager(mgr, options); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the operator ended: %v", err)
		}
	}
}

// AwaitSparkApplication waits until an application is in a state.
func AwaitSparkApplication(ctx context.Context, t *testing.T, c client.WithWatch, key client.ObjectKey, state v1beta2.ApplicationStateType) *v1beta2.SparkApplication {
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
		if last = app; app.Status.AppState.State == state {
			return app
		}
	}
	t.Fatalf("%s is not %s, but %+v", key.Name, state, last.Status.AppState)
	return nil
}
