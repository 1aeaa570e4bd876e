// Package sparkoperator tells that SparkApplications run as Kubeflow's users know it, by
// the process muster-operators with the rights that the chart gives it. The control plane
// is real, nodes are simulated, and Spark's drivers are played.
package sparkoperator

import (
	"context"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/test/testcluster"
)

const guide = "../../docs/spark-applications.md"

// operatorsConfig has Ingresses made. Drivers that are played can't be asked.
const operatorsConfig = `
apiVersion: config.muster.sh/v1alpha1
kind: OperatorsConfiguration
spark:
  ingress: {urlFormat: '{{$appName}}.{{$appNamespace}}.example.com', ofPorts: true}
  progress: {interval: 0s}
`

// stage is a cluster with SparkApplications.
type stage struct {
	*testcluster.Cluster
	client client.WithWatch
}

func newStage(t *testing.T) (context.Context, *stage) {
	t.Helper()
	ctx, cluster := testcluster.Start(t, testcluster.Spec{
		Scheduler: testcluster.Muster, Nodes: 2, Shape: "cpu=4,memory=16Gi", Operators: true, OperatorsConfig: operatorsConfig,
	})
	cluster.PlaySpark(ctx, t)
	cluster.ExecutorShape = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("896Mi")}
	return ctx, &stage{cluster, cluster.SparkClient(t)}
}

// pi is an application of one driver and two executors, as large as those of the guide.
func pi(name string, change func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: testcluster.Namespace},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypeScala, Mode: v1beta2.DeployModeCluster, SparkVersion: "4.3.0", Image: ptr.To("spark"),
			MainClass: ptr.To("Pi"), MainApplicationFile: ptr.To("local:///pi.jar"),
			SparkConf: map[string]string{"spark.muster.simulated.duration": "2s", "spark.muster.simulated.startDelay": "100ms"},
			Driver:    v1beta2.DriverSpec{SparkPodSpec: v1beta2.SparkPodSpec{Memory: ptr.To("512m")}},
			Executor:  v1beta2.ExecutorSpec{SparkPodSpec: v1beta2.SparkPodSpec{Memory: ptr.To("512m")}, Instances: ptr.To[int32](2)},
		},
	}
	if change != nil {
		change(app)
	}
	return app
}

func (s *stage) create(ctx context.Context, t *testing.T, apps ...*v1beta2.SparkApplication) {
	t.Helper()
	for _, app := range apps {
		if err := s.client.Create(ctx, app); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *stage) awaitState(ctx context.Context, t *testing.T, name string, state v1beta2.ApplicationStateType) *v1beta2.SparkApplication {
	t.Helper()
	return testcluster.AwaitSparkApplication(ctx, t, s.client, client.ObjectKey{Namespace: testcluster.Namespace, Name: name}, state)
}

func (s *stage) edit(ctx context.Context, t *testing.T, name string, change func(*v1beta2.SparkApplication)) {
	t.Helper()
	app := &v1beta2.SparkApplication{}
	if err := s.client.Get(ctx, client.ObjectKey{Namespace: testcluster.Namespace, Name: name}, app); err != nil {
		t.Fatal(err)
	}
	old := app.DeepCopy()
	change(app)
	if err := s.client.Patch(ctx, app, client.MergeFrom(old)); err != nil {
		t.Fatal(err)
	}
}

func TestSparkApplicationsRun(t *testing.T) {
	ctx, s := newStage(t)
	t.Run("the guide's example runs", func(t *testing.T) {
		examples := testcluster.Examples(t, guide, "SparkApplication")
		if len(examples) != 1 {
			t.Fatalf("the guide has %d examples", len(examples))
		}
		if err := s.client.Create(ctx, examples[0]); err != nil {
			t.Fatal(err)
		}
		s.awaitState(ctx, t, examples[0].GetName(), v1beta2.ApplicationStateCompleted)
	})
	t.Run("an application runs to its end", func(t *testing.T) {
		s.create(ctx, t, pi("plain", nil))
		app := s.awaitState(ctx, t, "plain", v1beta2.ApplicationStateCompleted)
		if app.Status.ExecutionAttempts != 1 || app.Status.TerminationTime.IsZero() || len(app.Status.ExecutorState) != 2 {
			t.Errorf("the status is %+v", app.Status)
		}
	})
	t.Run("an application is suspended and resumed", func(t *testing.T) {
		s.create(ctx, t, pi("paused", func(app *v1beta2.SparkApplication) { app.Spec.SparkConf["spark.muster.simulated.duration"] = "10s" }))
		s.awaitState(ctx, t, "paused", v1beta2.ApplicationStateRunning)
		s.edit(ctx, t, "paused", func(app *v1beta2.SparkApplication) { app.Spec.Suspend = ptr.To(true) })
		s.awaitState(ctx, t, "paused", v1beta2.ApplicationStateSuspended)
		s.edit(ctx, t, "paused", func(app *v1beta2.SparkApplication) { app.Spec.Suspend = nil })
		app := s.awaitState(ctx, t, "paused", v1beta2.ApplicationStateCompleted)
		if app.Status.SubmissionAttempts != 2 {
			t.Errorf("there were %d submissions, not 2", app.Status.SubmissionAttempts)
		}
	})
	t.Run("a lost driver is run again", func(t *testing.T) {
		s.create(ctx, t, pi("lost", func(app *v1beta2.SparkApplication) {
			app.Spec.RestartPolicy = v1beta2.RestartPolicy{Type: v1beta2.RestartPolicyOnFailure, OnFailureRetries: ptr.To[int32](1), OnFailureRetryInterval: ptr.To[int64](1)}
		}))
		s.awaitState(ctx, t, "lost", v1beta2.ApplicationStateRunning)
		driver := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "lost-driver", Namespace: testcluster.Namespace}}
		if err := s.client.Delete(ctx, driver, client.GracePeriodSeconds(0)); err != nil {
			t.Fatal(err)
		}
		app := s.awaitState(ctx, t, "lost", v1beta2.ApplicationStateCompleted)
		if app.Status.ExecutionAttempts != 2 {
			t.Errorf("there were %d runs, not 2", app.Status.ExecutionAttempts)
		}
	})
	t.Run("what can't be done is told", func(t *testing.T) {
		s.create(ctx, t, pi("wrong", func(app *v1beta2.SparkApplication) { app.Spec.SparkConf["spark.driver.memoryOverhead"] = "much" }))
		app := s.awaitState(ctx, t, "wrong", v1beta2.ApplicationStateFailed)
		if message := app.Status.AppState.ErrorMessage; message == "" {
			t.Error("the reason of the failure isn't told")
		}
	})
	t.Run("metrics tell of all that", func(t *testing.T) {
		s.tellsMetrics(ctx, t, "spark_application_count 5", "spark_application_submit_count 6", "spark_application_failed_submission_count 1",
			"spark_application_success_count 4", "spark_application_failure_count 1", "spark_application_running_count 0",
			"spark_application_start_latency_seconds_count 4", "spark_executor_running_count 0")
	})
	t.Run("a driver that is evicted costs no retry", func(t *testing.T) { s.sparesLosses(ctx, t) })
	t.Run("what would be refused is not even stored", func(t *testing.T) { s.refusesAtOnce(ctx, t) })
	t.Run("what is stored can be told of, whatever it says", func(t *testing.T) { s.bearsOldMistakes(ctx, t) })
	t.Run("a template that is none fails its own application alone", func(t *testing.T) { s.failsAlone(ctx, t) })
	t.Run("a driver owns what its settings ask for", func(t *testing.T) { s.ownsAll(ctx, t) })
	t.Run("an operator goes on where the last one was", func(t *testing.T) {
		s.create(ctx, t, pi("handed", nil))
		s.awaitState(ctx, t, "handed", v1beta2.ApplicationStateRunning)
		if err := s.Outage(ctx, localcluster.OperatorsComponent); err != nil {
			t.Fatal(err)
		}
		s.awaitState(ctx, t, "handed", v1beta2.ApplicationStateCompleted)
	})
	t.Run("the guide's schedule waits for its time", func(t *testing.T) { s.guidesSchedule(ctx, t) })
	t.Run("a schedule makes each run once, though the operator is killed", func(t *testing.T) { s.runsAtItsTimes(ctx, t) })
	t.Run("a run has as much company as it is allowed", func(t *testing.T) { s.heedsItsPolicy(ctx, t) })
	t.Run("a schedule that can't be read is told, and mended", func(t *testing.T) { s.refusesSchedule(ctx, t) })
	t.Run("the guide's Connect server serves, comes back, and goes", func(t *testing.T) { s.servesConnect(ctx, t) })
	t.Run("a standby takes over what its leader had begun", func(t *testing.T) { s.handsOver(ctx, t) })
	t.Run("an application that is over goes, and leaves nothing", func(t *testing.T) { s.leavesNothing(ctx, t) })
	requireOnce(t, s.RequireNoFault(t, 2))
	t.Run("whatever is stored, the operators bear it", func(t *testing.T) { s.bearsAnything(ctx, t) })
}

// ownsAll has the operator create an object of each kind that it may create. The claim
// is never bound, so that the driver waits.
func (s *stage) ownsAll(ctx context.Context, t *testing.T) {
	t.Helper()
	const claim = "spark.kubernetes.driver.volumes.persistentVolumeClaim.data."
	app := pi("owner", func(app *v1beta2.SparkApplication) {
		app.Spec.Monitoring = &v1beta2.MonitoringSpec{ExposeDriverMetrics: true}
		app.Spec.DriverIngressOptions = []v1beta2.DriverIngressConfiguration{{
			ServicePort: ptr.To[int32](5000), ServicePortName: ptr.To("app"), IngressURLFormat: "https://example.com/{{$appName}}",
		}}
		for key, value := range map[string]string{
			"spark.kubernetes.authenticate.driver.oauthToken": "token",
			claim + "mount.path":                              "/data",
			claim + "options.claimName":                       "OnDemand",
			claim + "options.storageClass":                    "none",
			claim + "options.sizeLimit":                       "1Gi",
		} {
			app.Spec.SparkConf[key] = value
		}
	})
	s.create(ctx, t, app)
	driver := s.awaitState(ctx, t, "owner", v1beta2.ApplicationStateSubmitted).Status.DriverInfo
	if driver.WebUIIngressAddress != "http://owner."+testcluster.Namespace+".example.com" {
		t.Errorf("the driver's pages are told to be at %q", driver.WebUIIngressAddress)
	}
	owned := []client.ObjectList{&corev1.SecretList{}, &corev1.PersistentVolumeClaimList{}, &networkingv1.IngressList{}, &networkingv1.NetworkPolicyList{}, &corev1.ServiceList{}}
	for _, list := range owned {
		if err := s.client.List(ctx, list, client.InNamespace(testcluster.Namespace)); err != nil {
			t.Fatal(err)
		}
		if count(list) == 0 {
			t.Errorf("there is nothing in %T", list)
		}
	}
	if err := s.client.Delete(ctx, app); err != nil {
		t.Fatal(err)
	}
	for _, list := range owned[:2] {
		s.awaitGone(ctx, t, list, "")
	}
}

// leavesNothing lets all applications go at the end of their time.
func (s *stage) leavesNothing(ctx context.Context, t *testing.T) {
	t.Helper()
	var apps v1beta2.SparkApplicationList
	if err := s.client.List(ctx, &apps); err != nil {
		t.Fatal(err)
	}
	if len(apps.Items) == 0 {
		t.Fatal("there is no application that could go")
	}
	for _, app := range apps.Items {
		s.edit(ctx, t, app.Name, func(app *v1beta2.SparkApplication) { app.Spec.TimeToLiveSeconds = ptr.To[int64](0) })
		s.awaitGone(ctx, t, &v1beta2.SparkApplicationList{}, app.Name)
	}
	for _, list := range []client.ObjectList{&corev1.PodList{}, &networkingv1.IngressList{}, &networkingv1.NetworkPolicyList{}, &corev1.ServiceList{}} {
		s.awaitGone(ctx, t, list, "")
	}
}

// awaitGone waits until there is no object, of a name or at all.
func (s *stage) awaitGone(ctx context.Context, t *testing.T, list client.ObjectList, name string) {
	t.Helper()
	options := []client.ListOption{client.InNamespace(testcluster.Namespace)}
	if name != "" {
		options = append(options, client.MatchingFields{"metadata.name": name})
	}
	events, err := s.client.Watch(ctx, list, options...)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Stop()
	for {
		if err := s.client.List(ctx, list, options...); err != nil {
			t.Fatal(err)
		}
		if left := count(list); left == 0 {
			return
		}
		if _, open := <-events.ResultChan(); !open {
			t.Fatalf("there are still %T", list)
		}
	}
}

// count is how many objects there are, but for the Service of the API server.
func count(list client.ObjectList) int {
	switch l := list.(type) {
	case *v1beta2.SparkApplicationList:
		return len(l.Items)
	case *corev1.PodList:
		return len(l.Items)
	case *networkingv1.IngressList:
		return len(l.Items)
	case *networkingv1.NetworkPolicyList:
		return len(l.Items)
	case *corev1.SecretList:
		return len(l.Items)
	case *corev1.PersistentVolumeClaimList:
		return len(l.Items)
	case *corev1.ServiceList:
		left := 0
		for _, service := range l.Items {
			if service.Name != "kubernetes" {
				left++
			}
		}
		return left
	}
	return -1
}
