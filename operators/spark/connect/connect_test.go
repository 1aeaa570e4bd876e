package connect

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

var now = time.Unix(1700000000, 0)

func connect(t *testing.T, more string) *v1alpha1.SparkConnect {
	t.Helper()
	conn := &v1alpha1.SparkConnect{}
	const base = `
metadata: {name: shell, namespace: team-a, uid: uid, generation: 3, labels: {muster.sh/queue: q}}
spec: {sparkVersion: 4.3.0, image: spark}
`
	for _, text := range []string{base, more} {
		if err := yaml.UnmarshalStrict([]byte(text), conn); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

func TestAServerIsAnApplication(t *testing.T) {
	conn := connect(t, `
spec:
  sparkConf: {a: b}
  hadoopConf: {spark.hadoop.fs.a: x, fs.b: z}
  server:
    cores: 2
    memory: 2g
    template: {spec: {serviceAccountName: spark, containers: [{name: sidecar, image: s}, {name: spark-kubernetes-driver, image: mine}]}}
  executor: {instances: 3, cores: 4, template: {spec: {containers: [{name: other, image: theirs}]}}}
  dynamicAllocation: {enabled: true, minExecutors: 1}
`)
	app := Application(conn)
	spec := app.Spec
	for what, good := range map[string]bool{
		"program":    *spec.MainClass == serverClass && *spec.MainApplicationFile == "spark-internal" && spec.Mode == v1beta2.DeployModeCluster && spec.SparkVersion == "4.3.0",
		"owner":      metav1.IsControlledBy(app, conn) && app.Name == "shell" && app.Namespace == "team-a",
		"labels":     app.Labels[Label] == "shell" && app.Labels["muster.sh/queue"] == "q",
		"settings":   cmp.Equal(spec.SparkConf, map[string]string{"a": "b"}) && cmp.Equal(spec.HadoopConf, map[string]string{"fs.a": "x", "fs.b": "z"}),
		"server":     *spec.Driver.PodName == "shell-server" && *spec.Driver.Cores == 2 && *spec.Driver.Memory == "2g" && spec.Driver.Template.Spec.ServiceAccountName == "spark",
		"images":     *spec.Image == "spark" && *spec.Driver.Image == "mine" && *spec.Executor.Image == "theirs",
		"executors":  *spec.Executor.Instances == 3 && *spec.Executor.Cores == 4,
		"allocation": spec.DynamicAllocation.Enabled && *spec.DynamicAllocation.MinExecutors == 1,
		"restarts":   spec.RestartPolicy.Type == v1beta2.RestartPolicyAlways,
		"generation": IsCurrent(app, conn),
	} {
		if !good {
			t.Errorf("its %s is not as asked for", what)
		}
	}
	conn.Generation++
	if IsCurrent(app, conn) {
		t.Error("an edit isn't seen")
	}
	if again := connect(t, "").Labels; again[Label] != "" {
		t.Error("the SparkConnect is changed")
	}
}

func TestAServerIsReadyWhenItListens(t *testing.T) {
	for name, c := range map[string]struct {
		more      string
		container int   // that Spark takes
		port      int32 // that is asked; 0 is the user's own probe
	}{
		"nothing is said of its pod": {"", 0, 15002},
		"another port":               {`spec: {sparkConf: {spark.connect.grpc.binding.port: "15003"}}`, 0, 15003},
		"a template without containers": {
			"spec: {server: {template: {spec: {serviceAccountName: spark}}}}", 0, 15002},
		"a template with a sidecar": {
			"spec: {server: {template: {spec: {containers: [{name: sidecar}, {name: spark-kubernetes-driver}]}}}}", 1, 15002},
		"a probe of the user's own": {
			"spec: {server: {template: {spec: {containers: [{name: spark-kubernetes-driver, readinessProbe: {exec: {command: [ask]}}}]}}}}", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			conn := connect(t, c.more)
			template := Application(conn).Spec.Driver.Template
			for i, container := range template.Spec.Containers {
				probe := container.ReadinessProbe
				switch {
				case i != c.container:
					if probe != nil {
						t.Errorf("container %s is asked", container.Name)
					}
				case probe == nil:
					t.Error("the server isn't asked")
				case c.port == 0:
					if probe.Exec == nil || probe.TCPSocket != nil {
						t.Errorf("the user's own probe has become %+v", probe)
					}
				case probe.TCPSocket == nil || probe.TCPSocket.Port.IntVal != c.port:
					t.Errorf("the server is asked by %+v", probe)
				}
			}
			if diff := cmp.Diff(connect(t, c.more), conn); diff != "" {
				t.Errorf("the SparkConnect is changed: %s", diff)
			}
		})
	}
}

func TestClientsFindTheServerByAService(t *testing.T) {
	service, err := Service(connect(t, `
spec:
  sparkConf: {spark.connect.grpc.binding.port: "15003"}
  server:
    service:
      metadata: {name: mine, namespace: elsewhere, labels: {a: b}, annotations: {c: d}}
      spec: {type: LoadBalancer, selector: {x: y}, ports: [{port: 1}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	if service.Name != "mine" || service.Namespace != "team-a" || service.Labels["a"] != "b" || service.Labels[Label] != "shell" ||
		service.Annotations["c"] != "d" || service.Spec.Type != corev1.ServiceTypeLoadBalancer {
		t.Errorf("the user's own is not kept: %+v", service)
	}
	want := map[string]string{"sparkoperator.k8s.io/app-name": "shell", "spark-role": "driver"}
	if diff := cmp.Diff(want, service.Spec.Selector); diff != "" || len(service.Spec.Ports) != 2 || service.Spec.Ports[0].Port != 15003 || service.Spec.Ports[1].Port != 4040 {
		t.Errorf("it leads to %s, %v", diff, service.Spec.Ports)
	}
	if usual, err := Service(connect(t, "")); err != nil || usual.Name != "shell-server" || usual.Spec.Ports[0].Port != 15002 {
		t.Errorf("the usual one is %+v (%v)", usual, err)
	}
}

func TestAStatusTellsHowTheServerIs(t *testing.T) {
	app := func(state v1beta2.ApplicationStateType, message string) *v1beta2.SparkApplication {
		a := &v1beta2.SparkApplication{}
		a.Status.AppState = v1beta2.ApplicationState{State: state, ErrorMessage: message}
		return a
	}
	pod := func(ready corev1.ConditionStatus) *corev1.Pod {
		p := &corev1.Pod{}
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}
		return p
	}
	leaving := pod(corev1.ConditionTrue)
	leaving.DeletionTimestamp = &metav1.Time{Time: now}
	for name, tc := range map[string]struct {
		seen    Seen
		state   v1alpha1.SparkConnectState
		message string
	}{
		"nothing is there":         {Seen{}, v1alpha1.SparkConnectStateProvisioning, "The server is not submitted yet"},
		"it can't be":              {Seen{Problem: errors.New("no")}, v1alpha1.SparkConnectStateFailed, "no"},
		"it waits for its gang":    {Seen{App: app(v1beta2.ApplicationStateSubmitted, "no room"), Server: pod(corev1.ConditionFalse)}, v1alpha1.SparkConnectStateNotReady, "no room"},
		"it is refused":            {Seen{App: app(v1beta2.ApplicationStateFailed, "spec.driver.memory: x")}, v1alpha1.SparkConnectStateFailed, "spec.server.memory: x"},
		"it will be tried again":   {Seen{App: app(v1beta2.ApplicationStateFailing, "exit 1")}, v1alpha1.SparkConnectStateProvisioning, "exit 1"},
		"it is ready":              {Seen{App: app(v1beta2.ApplicationStateRunning, ""), Server: pod(corev1.ConditionTrue)}, v1alpha1.SparkConnectStateReady, "Server pod is ready"},
		"it is not ready any more": {Seen{App: app(v1beta2.ApplicationStateRunning, ""), Server: leaving}, v1alpha1.SparkConnectStateNotReady, "Server pod is not ready"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.seen.Connect, tc.seen.Now = connect(t, ""), now
			status := Status(tc.seen)
			condition := status.Conditions[0]
			if status.State != tc.state || condition.Message != tc.message || (condition.Status == metav1.ConditionTrue) != (tc.state == v1alpha1.SparkConnectStateReady) {
				t.Errorf("it is %s: %+v", status.State, condition)
			}
			tc.seen.Connect.Status, tc.seen.Now = status, now.Add(time.Hour)
			if diff := cmp.Diff(status, Status(tc.seen)); diff != "" {
				t.Errorf("the same is told anew: %s", diff)
			}
		})
	}
}
