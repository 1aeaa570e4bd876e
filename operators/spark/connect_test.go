package spark

import (
	"context"
	"strings"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/operators/spark/connect"
)

// connected is a world with a SparkConnect, whose application has its name.
type connected struct{ *world }

func newConnected(t *testing.T, change func(*v1alpha1.SparkConnect), others ...client.Object) connected {
	t.Helper()
	conn := &v1alpha1.SparkConnect{
		ObjectMeta: metav1.ObjectMeta{Name: "pi", Namespace: "a", UID: "connect", Generation: 1},
		Spec:       v1alpha1.SparkConnectSpec{SparkVersion: "4.3.0", Image: ptr.To("spark")},
	}
	if change != nil {
		change(conn)
	}
	c := connected{newWorld(t, conn)}
	for _, other := range others {
		if err := c.client.Create(context.Background(), other); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// step brings the SparkConnect on once, and its application to its rest.
func (c connected) step() error {
	c.t.Helper()
	r := &ConnectReconciler{Client: c.client, Live: c.client, Events: events.NewFakeRecorder(100)}
	_, err := r.Reconcile(context.Background(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "a", Name: "pi"}})
	c.settle()
	return err
}

func (c connected) steps(n int) {
	c.t.Helper()
	for range n {
		if err := c.step(); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c connected) get(name string, into client.Object) {
	c.t.Helper()
	if err := c.client.Get(context.Background(), client.ObjectKey{Namespace: "a", Name: name}, into); err != nil {
		c.t.Fatal(err)
	}
}

func (c connected) connect() *v1alpha1.SparkConnect {
	c.t.Helper()
	conn := &v1alpha1.SparkConnect{}
	c.get("pi", conn)
	return conn
}

func (c connected) server() *corev1.Pod {
	c.t.Helper()
	server := &corev1.Pod{}
	c.get("pi-server", server)
	return server
}

// serverBecomes has the server's pod come to a phase, and be ready if it runs.
func (c connected) serverBecomes(phase corev1.PodPhase) {
	c.t.Helper()
	server := c.server()
	server.Status.Phase, server.Status.PodIP = phase, "10.0.0.1"
	server.Status.Conditions = nil
	if phase == corev1.PodRunning {
		server.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	if err := c.client.Status().Update(context.Background(), server); err != nil {
		c.t.Fatal(err)
	}
}

func (c connected) requireState(want v1alpha1.SparkConnectState) {
	c.t.Helper()
	if status := c.connect().Status; status.State != want {
		c.t.Fatalf("it is %q (%v), not %q", status.State, status.Conditions, want)
	}
}

func TestAConnectServerIsSubmittedAndRunsAgain(t *testing.T) {
	c := newConnected(t, nil)
	c.steps(2)
	c.requireState(v1alpha1.SparkConnectStateNotReady)
	c.serverBecomes(corev1.PodRunning)
	executor := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "exec", Namespace: "a", Labels: map[string]string{
		"spark-role": "executor", "sparkoperator.k8s.io/app-name": "pi", "sparkoperator.k8s.io/submission-id": c.app().Status.SubmissionID,
	}}}
	if err := c.client.Create(context.Background(), executor); err != nil {
		t.Fatal(err)
	}
	c.steps(2)
	c.requireState(v1alpha1.SparkConnectStateReady)
	status := c.connect().Status
	if status.Server != (v1alpha1.SparkConnectServerStatus{PodName: "pi-server", PodIP: "10.0.0.1", ServiceName: "pi-server"}) ||
		status.Executors["pending"] != 1 || status.StartTime.IsZero() || status.LastUpdateTime.IsZero() {
		t.Errorf("the status is %+v", status)
	}
	args := c.server().Spec.Containers[0].Args
	if last := args[len(args)-2:]; last[0] != "org.apache.spark.sql.connect.service.SparkConnectServer" || last[1] != "spark-internal" {
		t.Errorf("the server is started by %q", args)
	}
	first := c.server().UID
	c.serverBecomes(corev1.PodSucceeded)
	c.steps(2)
	if c.server().UID == first {
		t.Error("a server that has ended isn't started again")
	}
}

func TestNothingIsWrittenWhereNothingIsNew(t *testing.T) {
	c := newConnected(t, nil)
	c.steps(3)
	before := c.writes
	c.steps(1)
	if c.writes != before {
		t.Errorf("there were %d writes", c.writes-before)
	}
}

func TestAConnectServerFollowsEdits(t *testing.T) {
	c := newConnected(t, nil)
	c.steps(2)
	first := c.server().UID
	conn := c.connect()
	conn.Spec.SparkConf = map[string]string{"spark.connect.grpc.binding.port": "15003"}
	conn.Generation++
	if err := c.client.Update(context.Background(), conn); err != nil {
		t.Fatal(err)
	}
	c.steps(1)
	// The API server counts what is written to a specification.
	c.edit(func(*v1beta2.SparkApplication) {})
	c.steps(2)
	service := &corev1.Service{}
	c.get("pi-server", service)
	if c.app().Spec.SparkConf["spark.connect.grpc.binding.port"] != "15003" || service.Spec.Ports[0].Port != 15003 || c.server().UID == first {
		t.Errorf("the server has the settings %v, the Service the port %v", c.app().Spec.SparkConf, service.Spec.Ports)
	}
	if err := c.client.Delete(context.Background(), service); err != nil {
		t.Fatal(err)
	}
	c.steps(1)
	c.get("pi-server", service)
}

// Errors of the application name the fields of the SparkConnect.
func TestWhatIsWrongWithAConnectServerIsTold(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*v1alpha1.SparkConnect)
		want   string
	}{
		"memory of the server": {func(c *v1alpha1.SparkConnect) { c.Spec.Server.Memory = ptr.To("1.5g") }, "spec.server.memory"},
		"no image":             {func(c *v1alpha1.SparkConnect) { c.Spec.Image = nil }, "spark.kubernetes.container.image"},
		"a port that isn't one": {func(c *v1alpha1.SparkConnect) {
			c.Spec.SparkConf = map[string]string{"spark.connect.grpc.binding.port": "grpc"}
		}, "spec.sparkConf[spark.connect.grpc.binding.port]"},
		"a Service that can't be": {func(c *v1alpha1.SparkConnect) {
			c.Spec.Server.Service = &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "A"}}
		}, "spec.server.service.metadata.name"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConnected(t, tc.change)
			for range 3 {
				if _, err := (&ConnectReconciler{Client: c.client, Live: c.client, Events: events.NewFakeRecorder(100)}).Reconcile(
					context.Background(), ctrl.Request{NamespacedName: client.ObjectKey{Namespace: "a", Name: "pi"}}); err != nil {
					t.Fatal(err)
				}
				if err := c.reconcile(); err != nil {
					t.Fatal(err)
				}
			}
			c.requireState(v1alpha1.SparkConnectStateFailed)
			if message := c.connect().Status.Conditions[0].Message; !strings.Contains(message, tc.want) {
				t.Errorf("it says %q, without %s", message, tc.want)
			}
		})
	}
}

func TestWhatBelongsToOthersIsNotTaken(t *testing.T) {
	for name, foreign := range map[string]client.Object{
		"an application": &v1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Name: "pi", Namespace: "a"}, Spec: pi().Spec},
		"a Service":      &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "pi-server", Namespace: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConnected(t, nil, foreign)
			for range 2 {
				if err := c.step(); err == nil || !refused(err) {
					t.Fatalf("it is not tried again: %v", err)
				}
			}
			c.requireState(v1alpha1.SparkConnectStateFailed)
			if message := c.connect().Status.Conditions[0].Message; !strings.Contains(message, foreign.GetName()) {
				t.Errorf("it says %q", message)
			}
			c.get(foreign.GetName(), foreign)
			if foreign.GetLabels()[connect.Label] != "" {
				t.Error("it was taken")
			}
		})
	}
}
