package spark

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"muster.sh/muster/operators/spark/life"
	"muster.sh/muster/operators/spark/plan"
)

var errKilled = errors.New("killed")

// world is an API server that can be cut off at any write.
type world struct {
	t      *testing.T
	client client.WithWatch
	// killAt is the write at which the operator dies, counted from one; zero is never.
	// If done is set, the write is carried out, but nobody learns of it.
	killAt, writes int
	done           bool
	// quota says that the namespace has no room for pods.
	quota bool
	// ingress is what the administrator says of Ingresses.
	ingress plan.IngressOptions
	created map[string]int
}

func newWorld(t *testing.T, app client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1beta2.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{t: t, created: map[string]int{}}
	w.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(app).
		WithIndex(&corev1.Pod{}, byApplication, nameOfApplication).
		WithStatusSubresource(&v1beta2.SparkApplication{}, &v1beta2.ScheduledSparkApplication{}, &v1alpha1.SparkConnect{}).
		WithInterceptorFuncs(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
				return w.write(func() error {
					kind := fmt.Sprintf("%T %s", o, o.GetName())
					o.SetUID(types.UID(fmt.Sprintf("%s %d", kind, w.created[kind])))
					if pod, ok := o.(*corev1.Pod); ok {
						if w.quota {
							return apierrors.NewForbidden(corev1.Resource("pods"), pod.Name, errors.New("exceeded quota: small"))
						}
						pod.Status.Phase = corev1.PodPending
					}
					err := c.Create(ctx, o, opts...)
					if err == nil {
						w.created[kind]++
					}
					return err
				})
			},
			Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
				return w.write(func() error { return c.Update(ctx, o, opts...) })
			},
			Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
				return w.write(func() error { return c.Delete(ctx, o, opts...) })
			},
			SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
				return w.write(func() error { return c.SubResource(sub).Update(ctx, o, opts...) })
			},
		}).Build()
	return w
}

func (w *world) write(do func() error) error {
	w.writes++
	if w.writes != w.killAt {
		return do()
	}
	if w.done {
		if err := do(); err != nil {
			return err
		}
	}
	return errKilled
}

// settle reconciles until nothing is written any more, each time by another operator.
func (w *world) settle() {
	w.t.Helper()
	for range 30 {
		before := w.writes
		if err := w.reconcile(); err != nil && !errors.Is(err, errKilled) {
			w.t.Fatal(err)
		}
		if w.writes == before {
			return
		}
	}
	w.t.Fatal("there is no end of writes")
}

// reconcile has a new operator do one step.
func (w *world) reconcile() error {
	r := &Reconciler{
		Client: w.client, Live: w.client, Events: events.NewFakeRecorder(100),
		Options: Options{Plan: plan.Options{SchedulerName: "muster", User: "spark", Ingress: w.ingress}, MaxExecutors: 10},
	}
	_, err := r.Reconcile(context.Background(), ctrl.Request{NamespacedName: types.NamespacedName{Namespace: "a", Name: "pi"}})
	return err
}

func (w *world) reconcileUntilKilled() {
	w.t.Helper()
	for range 30 {
		if err := w.reconcile(); errors.Is(err, errKilled) {
			return
		} else if err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Fatal("nobody was killed")
}

func (w *world) app() *v1beta2.SparkApplication {
	w.t.Helper()
	app := &v1beta2.SparkApplication{}
	if err := w.client.Get(context.Background(), client.ObjectKey{Namespace: "a", Name: "pi"}, app); err != nil {
		w.t.Fatal(err)
	}
	return app
}

func (w *world) driver() *corev1.Pod {
	w.t.Helper()
	driver := &corev1.Pod{}
	err := w.client.Get(context.Background(), client.ObjectKey{Namespace: "a", Name: "pi-driver"}, driver)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return driver
}

// becomes has the driver's pod come to a phase.
func (w *world) becomes(phase corev1.PodPhase) {
	w.t.Helper()
	driver := w.driver()
	driver.Status.Phase = phase
	if err := w.client.Status().Update(context.Background(), driver); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) edit(change func(*v1beta2.SparkApplication)) {
	w.t.Helper()
	app := w.app()
	change(app)
	app.Generation++
	if err := w.client.Update(context.Background(), app); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) requireState(state v1beta2.ApplicationStateType) {
	w.t.Helper()
	if got := w.app().Status.AppState; got.State != state {
		w.t.Fatalf("the application is %q (%s), not %q", got.State, got.ErrorMessage, state)
	}
}

func pi() *v1beta2.SparkApplication {
	return &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Name: "pi", Namespace: "a", UID: "uid"},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypeScala, SparkVersion: "4.3.0", Image: ptr.To("spark"),
			MainClass: ptr.To("Pi"), MainApplicationFile: ptr.To("local:///pi.jar"),
			Monitoring: &v1beta2.MonitoringSpec{ExposeDriverMetrics: true},
		},
	}
}

func TestAnApplicationRunsToItsEnd(t *testing.T) {
	w := newWorld(t, pi())
	w.settle()
	w.requireState(v1beta2.ApplicationStateSubmitted)
	w.becomes(corev1.PodRunning)
	w.settle()
	w.requireState(v1beta2.ApplicationStateRunning)
	w.becomes(corev1.PodSucceeded)
	w.settle()
	w.requireState(v1beta2.ApplicationStateCompleted)
	status := w.app().Status
	if status.SubmissionAttempts != 1 || status.ExecutionAttempts != 1 || status.TerminationTime.IsZero() ||
		status.DriverInfo.WebUIServiceName != "pi-ui-svc" || status.SparkApplicationID != plan.NewSubmission(w.app()).AppID {
		t.Errorf("the status is %+v", status)
	}
}

// An operator may die at any write, having been heard or not: there is one driver, and
// all that belongs to it.
func TestASubmissionSurvivesADeathAtAnyWrite(t *testing.T) {
	whole := newWorld(t, pi())
	whole.settle()
	for killAt := 1; killAt <= whole.writes; killAt++ {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("write %d, done %v", killAt, done), func(t *testing.T) {
				w := newWorld(t, pi())
				w.killAt, w.done = killAt, done
				w.settle()
				w.settle()
				w.requireState(v1beta2.ApplicationStateSubmitted)
				requireOneSubmission(t, w, whole)
			})
		}
	}
}

// requireOneSubmission compares what was created with what an operator that doesn't die
// creates.
func requireOneSubmission(t *testing.T, w, whole *world) {
	t.Helper()
	for object, count := range w.created {
		if count != 1 {
			t.Errorf("%s was created %d times", object, count)
		}
	}
	if len(w.created) != len(whole.created) {
		t.Errorf("created were %v, not %v", w.created, whole.created)
	}
	if status := w.app().Status; status.SubmissionAttempts != 1 || status.ExecutionAttempts != 1 {
		t.Errorf("there were %d submissions and %d runs", status.SubmissionAttempts, status.ExecutionAttempts)
	}
	driver := w.driver()
	if life.CurrentDriver(w.app(), []*corev1.Pod{driver}) == nil || !metav1.IsControlledBy(driver, w.app()) {
		t.Errorf("the driver is %v", driver.ObjectMeta)
	}
	var policies networkingv1.NetworkPolicyList
	if err := w.client.List(context.Background(), &policies); err != nil || len(policies.Items) != 1 ||
		!metav1.IsControlledBy(&policies.Items[0], driver) {
		t.Errorf("the network policy doesn't belong to the driver: %v (%v)", policies.Items, err)
	}
}

func TestAFailedApplicationIsRunAgain(t *testing.T) {
	app := pi()
	app.Spec.RestartPolicy = v1beta2.RestartPolicy{Type: v1beta2.RestartPolicyOnFailure, OnFailureRetries: ptr.To[int32](1), OnFailureRetryInterval: ptr.To[int64](0)}
	w := newWorld(t, app)
	w.settle()
	first := w.driver()
	w.becomes(corev1.PodFailed)
	w.settle()
	w.requireState(v1beta2.ApplicationStateSubmitted)
	second := w.driver()
	if first.UID == second.UID || first.Labels[plan.LabelSubmissionID] == second.Labels[plan.LabelSubmissionID] {
		t.Error("the second run has the first one's driver")
	}
	w.becomes(corev1.PodFailed)
	w.settle()
	w.requireState(v1beta2.ApplicationStateFailed)
}

func TestAnApplicationIsSuspendedAndResumed(t *testing.T) {
	w := newWorld(t, pi())
	w.settle()
	w.edit(func(app *v1beta2.SparkApplication) { app.Spec.Suspend = ptr.To(true) })
	w.settle()
	w.requireState(v1beta2.ApplicationStateSuspended)
	if w.driver() != nil {
		t.Error("a suspended application has a driver")
	}
	w.edit(func(app *v1beta2.SparkApplication) { app.Spec.Suspend = nil })
	w.settle()
	w.requireState(v1beta2.ApplicationStateSubmitted)
}

func TestAnEditedApplicationIsRunAnew(t *testing.T) {
	w := newWorld(t, pi())
	w.settle()
	w.edit(func(app *v1beta2.SparkApplication) { app.Spec.Arguments = []string{"10"} })
	w.settle()
	w.requireState(v1beta2.ApplicationStateSubmitted)
	args := w.driver().Spec.Containers[0].Args
	if args[len(args)-1] != "10" {
		t.Errorf("the driver's arguments are %q", args)
	}
	w.edit(func(app *v1beta2.SparkApplication) { app.Spec.TimeToLiveSeconds = ptr.To[int64](1000) })
	kept := w.driver().UID
	w.settle()
	if w.driver().UID != kept {
		t.Error("an edit that needs no restart ended the driver")
	}
}

func TestWhatIsWrongIsToldAndMended(t *testing.T) {
	app := pi()
	app.Spec.Image = nil
	w := newWorld(t, app)
	w.settle()
	w.requireState(v1beta2.ApplicationStateFailed)
	w.edit(func(app *v1beta2.SparkApplication) { app.Spec.Image = ptr.To("spark") })
	w.settle()
	w.requireState(v1beta2.ApplicationStateSubmitted)
}

func TestAPodOfAnotherOwnerIsLeftAlone(t *testing.T) {
	w := newWorld(t, pi())
	foreign := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pi-driver", Namespace: "a"}}
	if err := w.client.Create(context.Background(), foreign); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.requireState(v1beta2.ApplicationStateFailed)
	if driver := w.driver(); driver == nil || driver.UID != foreign.UID {
		t.Error("the pod of another owner is gone")
	}
}

// What belongs to the deleted driver will go with it, so that another driver would wait
// for it in vain.
func TestADriverThatIsDeletedWhileItIsSubmitted(t *testing.T) {
	app := pi()
	app.Spec.RestartPolicy = v1beta2.RestartPolicy{
		Type: v1beta2.RestartPolicyOnFailure, OnSubmissionFailureRetries: ptr.To[int32](1), OnSubmissionFailureRetryInterval: ptr.To[int64](0)}
	w := newWorld(t, app)
	whole := newWorld(t, app.DeepCopy())
	whole.settle()
	w.killAt = whole.writes // It is the status that isn't written.
	w.reconcileUntilKilled()
	first := w.driver()
	if err := w.client.Delete(context.Background(), first); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.requireState(v1beta2.ApplicationStateSubmitted)
	if second := w.driver(); second.Labels[plan.LabelSubmissionID] == first.Labels[plan.LabelSubmissionID] {
		t.Error("the driver is of the submission whose objects go")
	}
}

func TestAServiceThatIsOutOfDateIsReplaced(t *testing.T) {
	w := newWorld(t, pi())
	w.settle()
	w.edit(func(app *v1beta2.SparkApplication) {
		app.Spec.SparkUIOptions = &v1beta2.SparkUIConfiguration{ServicePort: ptr.To[int32](80)}
	})
	w.settle()
	service := &corev1.Service{}
	if err := w.client.Get(context.Background(), client.ObjectKey{Namespace: "a", Name: "pi-ui-svc"}, service); err != nil {
		t.Fatal(err)
	}
	if port := service.Spec.Ports[0]; port.Port != 80 || port.TargetPort.IntValue() != 4040 {
		t.Errorf("the port is %+v", port)
	}
	if got := w.app().Status.DriverInfo.WebUIPort; got != 80 {
		t.Errorf("the status tells of port %d", got)
	}
}

// An Ingress outlives the run that it was made for, follows an edit, and is the
// application's own.
func TestAnIngressFollowsItsApplication(t *testing.T) {
	w := newWorld(t, pi())
	w.ingress.URLFormat = "{{$appName}}.example.com"
	get := func() *networkingv1.Ingress {
		ingress := &networkingv1.Ingress{}
		if err := w.client.Get(context.Background(), client.ObjectKey{Namespace: "a", Name: "pi-ui-ingress"}, ingress); err != nil {
			t.Fatal(err)
		}
		return ingress
	}
	w.settle()
	if status := w.app().Status.DriverInfo; status.WebUIIngressName != "pi-ui-ingress" || status.WebUIIngressAddress != "http://pi.example.com" {
		t.Errorf("the status is %+v", status)
	}
	first := get()
	w.edit(func(app *v1beta2.SparkApplication) { app.Spec.Arguments = []string{"10"} })
	w.settle()
	if get().UID != first.UID || !metav1.IsControlledBy(first, w.app()) {
		t.Error("another run has another Ingress")
	}
	w.edit(func(app *v1beta2.SparkApplication) {
		app.Spec.SparkUIOptions = &v1beta2.SparkUIConfiguration{IngressAnnotations: map[string]string{"a": "b"}}
	})
	w.settle()
	if get().Annotations["a"] != "b" {
		t.Error("the Ingress doesn't follow an edit")
	}
}

func TestAnIngressOfAnotherOwnerIsLeftAlone(t *testing.T) {
	w := newWorld(t, pi())
	w.ingress.URLFormat = "{{$appName}}.example.com"
	foreign := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: "pi-ui-ingress", Namespace: "a"}}
	if err := w.client.Create(context.Background(), foreign); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.requireState(v1beta2.ApplicationStateFailed)
	if why := w.app().Status.AppState.ErrorMessage; !strings.Contains(why, "pi-ui-ingress") || w.driver() != nil {
		t.Errorf("the application says %q", why)
	}
}

// #690, #1863 and #2290 of Kubeflow's operator
func TestAQuotaIsWaitedFor(t *testing.T) {
	w := newWorld(t, pi())
	w.quota = true
	for range 3 {
		if err := w.reconcile(); err == nil || apierrors.IsForbidden(err) {
			continue
		}
		t.Fatal("the API server's refusal isn't handed on")
	}
	w.requireState(v1beta2.ApplicationStateNew)
	w.quota = false
	w.settle()
	w.requireState(v1beta2.ApplicationStateSubmitted)
}
