package spark

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/operators/spark/life"
	"muster.sh/muster/operators/spark/plan"
)

// What users have complained of most about Kubeflow's operator must not come true here.
// The numbers are those of issues at github.com/kubeflow/spark-operator.

func withRetries(app *v1beta2.SparkApplication) *v1beta2.SparkApplication {
	app.Spec.RestartPolicy = v1beta2.RestartPolicy{Type: v1beta2.RestartPolicyOnFailure, OnFailureRetries: ptr.To[int32](1), OnFailureRetryInterval: ptr.To[int64](0)}
	return app
}

func (w *world) update(object client.Object) {
	w.t.Helper()
	if err := w.client.Update(context.Background(), object); err != nil {
		w.t.Fatal(err)
	}
}

// #1737, #2667
func TestAnApplicationWhoseImageIsMissingSaysSo(t *testing.T) {
	w := newWorld(t, pi())
	w.settle()
	driver := w.driver()
	driver.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "spark-kubernetes-driver", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such image"}},
	}}
	if err := w.client.Status().Update(context.Background(), driver); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.requireState(v1beta2.ApplicationStateSubmitted)
	if message := w.app().Status.AppState.ErrorMessage; !strings.Contains(message, "ImagePullBackOff: no such image") {
		t.Errorf("the status says %q", message)
	}
}

// #795, #2755
func TestADriverIsNotTakenForLostBecauseItIsNotYetSeen(t *testing.T) {
	w := newWorld(t, pi())
	w.settle()
	behind := interceptor.NewClient(w.client, interceptor.Funcs{
		List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return nil },
	})
	w.reconcileBy(&Reconciler{Client: behind, Live: w.client})
	w.requireState(v1beta2.ApplicationStateSubmitted)
}

// reconcileBy has an operator whose view isn't the world's do some steps.
func (w *world) reconcileBy(r *Reconciler) {
	w.t.Helper()
	r.Events, r.Options.Plan.SchedulerName = events.NewFakeRecorder(100), "muster"
	for range 5 {
		if _, err := r.Reconcile(context.Background(), ctrl.Request{NamespacedName: types.NamespacedName{Namespace: "a", Name: "pi"}}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// #1574, #1627
func TestADriverGetsItsConfigurationThoughTheOperatorDied(t *testing.T) {
	left := 0
	for killAt := 1; ; killAt++ {
		w := newWorld(t, pi())
		w.killAt = killAt
		for w.writes < killAt && w.app().Status.AppState.State == v1beta2.ApplicationStateNew {
			_ = w.reconcile() // it is killed at one of them
		}
		if w.writes < killAt {
			break
		}
		if driver := w.driver(); driver == nil || w.hasConfiguration(driver) {
			continue
		}
		left++
		w.settle()
		if !w.hasConfiguration(w.driver()) {
			t.Errorf("killed at write %d, the driver has no configuration", killAt)
		}
	}
	if left == 0 {
		t.Error("no driver was ever left without")
	}
}

func (w *world) hasConfiguration(driver *corev1.Pod) bool {
	w.t.Helper()
	source, found := sparkconf.PropertiesSource(driver)
	if !found {
		w.t.Fatal("the driver needs none")
	}
	err := w.client.Get(context.Background(), client.ObjectKey{Namespace: driver.Namespace, Name: source.ConfigMap}, &corev1.ConfigMap{})
	return err == nil
}

// #883, #968, #1343, #2244
func TestAGangIsAsLargeAsItsPods(t *testing.T) {
	app := pi()
	app.Spec.Driver.SparkPodSpec = v1beta2.SparkPodSpec{Cores: ptr.To[int32](2), Memory: ptr.To("1g"), MemoryOverhead: ptr.To("512m")}
	app.Spec.Driver.CoreRequest = ptr.To("500m")
	app.Spec.Executor.SparkPodSpec = v1beta2.SparkPodSpec{Memory: ptr.To("512m"), GPU: &v1beta2.GPUSpec{Name: "nvidia.com/gpu", Quantity: 2}}
	app.Spec.Executor.Instances, app.Spec.Executor.CoreRequest = ptr.To[int32](3), ptr.To("250m")
	planned, err := plan.Make(app, plan.NewSubmission(app), plan.Options{SchedulerName: "muster"})
	if err != nil {
		t.Fatal(err)
	}
	properties, err := sparkconf.ReadProperties(stored(t, planned, sparkconf.PropertiesSource))
	if err != nil {
		t.Fatal(err)
	}
	template, err := sparkconf.ReadTemplate(stored(t, planned, sparkconf.TemplateSource))
	if err != nil {
		t.Fatal(err)
	}
	gang, err := sparkconf.Parse(properties, sparkconf.Inputs{Driver: planned.Driver, Template: template})
	if err != nil {
		t.Fatal(err)
	}
	driver, executor := planned.Driver.Spec.Containers[0].Resources.Requests, gang.ExecutorPod.Containers[0].Resources
	if driver.Cpu().String() != "500m" || driver.Memory().String() != "1536Mi" {
		t.Errorf("the driver asks for %v", driver)
	}
	gpus := executor.Limits["nvidia.com/gpu"]
	if gang.Executors.Min != 3 || executor.Requests.Cpu().String() != "250m" || executor.Requests.Memory().String() != "896Mi" || gpus.String() != "2" {
		t.Errorf("%d executors ask for %v each", gang.Executors.Min, executor)
	}
}

// stored is a file that the driver reads.
func stored(t *testing.T, planned plan.Plan, source func(*corev1.Pod) (sparkconf.Source, bool)) string {
	t.Helper()
	where, _ := source(planned.Driver)
	for _, object := range planned.Owned {
		if files, ok := object.(*corev1.ConfigMap); ok && files.Name == where.ConfigMap {
			return files.Data[where.Key]
		}
	}
	t.Fatalf("there is no %+v", where)
	return ""
}

// #1414, #2766, #2803
func TestAnEditThatNeedsNoRestartCausesNone(t *testing.T) {
	w := newWorld(t, pi())
	w.settle()
	w.becomes(corev1.PodRunning)
	w.settle()
	kept := w.driver().UID
	for _, change := range []func(*v1beta2.SparkApplication){
		func(app *v1beta2.SparkApplication) { app.Spec.TimeToLiveSeconds = ptr.To[int64](60) },
		func(app *v1beta2.SparkApplication) { withRetries(app) },
		func(app *v1beta2.SparkApplication) { app.Spec.Suspend = ptr.To(false) },
		func(app *v1beta2.SparkApplication) { app.Labels = map[string]string{"team": "x"} },
	} {
		w.edit(change)
		w.settle()
		w.requireState(v1beta2.ApplicationStateRunning)
		if driver := w.driver(); driver == nil || driver.UID != kept {
			t.Fatal("the driver is another one")
		}
	}
}

// #2961, and of Services #2984
func TestNothingIsLeftWithoutAnOwner(t *testing.T) {
	w := newWorld(t, withRetries(pi()))
	w.settle()
	w.becomes(corev1.PodFailed)
	w.settle()
	known := map[types.UID]bool{w.app().UID: true, w.driver().UID: true}
	for _, list := range []client.ObjectList{&corev1.PodList{}, &corev1.ServiceList{}, &corev1.ConfigMapList{}, &networkingv1.NetworkPolicyList{}} {
		if err := w.client.List(context.Background(), list); err != nil {
			t.Fatal(err)
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			object := item.(client.Object)
			owner := metav1.GetControllerOf(object)
			// What the first driver owned goes with it, which nobody sees to here.
			if owner == nil || !known[owner.UID] && owner.Name != w.driver().Name {
				t.Errorf("%T %s belongs to %v", object, object.GetName(), owner)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// #1260, #2291
func TestALongNameMakesAServiceOfItsOwn(t *testing.T) {
	names := map[string]bool{}
	for _, end := range []string{"a", "b"} {
		app := pi()
		app.Name = strings.Repeat("x", validation.DNS1035LabelMaxLength-1) + end
		planned, err := plan.Make(app, plan.NewSubmission(app), plan.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if problems := validation.IsDNS1035Label(planned.WebUI.Service.Name); len(problems) > 0 {
			t.Errorf("%s: %v", planned.WebUI.Service.Name, problems)
		}
		names[planned.WebUI.Service.Name] = true
	}
	if len(names) != 2 {
		t.Errorf("two applications have the Services %v", names)
	}
}

// #2025
func TestTheStatusOfManyExecutorsFitsIntoAnObject(t *testing.T) {
	const (
		executors = 100_000
		bound     = 256 << 10 // a sixth of what etcd takes
	)
	app := pi()
	app.Status.AppState.State, app.Status.SubmissionID = v1beta2.ApplicationStateRunning, "id"
	seen := life.Seen{
		App: app, MaxExecutors: *config.NewOperatorsConfiguration().Spark.MaxTrackedExecutors,
		Drivers: []*corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{plan.LabelSubmissionID: "id"}}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}},
	}
	for id := range executors {
		seen.Executors = append(seen.Executors, corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-exec-%d", strings.Repeat("x", 47), id+1), Labels: map[string]string{"spark-exec-id": fmt.Sprint(id + 1)}},
			Status:     corev1.PodStatus{Phase: corev1.PodRunning},
		})
	}
	text, err := json.Marshal(life.Next(seen).Status)
	if err != nil || len(text) > bound {
		t.Errorf("the status has %d bytes (%v)", len(text), err)
	}
}

// #858, #1191, #1847, #2348, #2658
func TestARerunWaitsForADriverOnALostNodeAndGoesOn(t *testing.T) {
	w := newWorld(t, withRetries(pi()))
	w.settle()
	w.becomes(corev1.PodRunning)
	w.settle()
	lost := w.driver()
	lost.Finalizers = []string{"example.com/kubelet"} // Nobody is there to end it.
	w.update(lost)
	w.becomes(corev1.PodFailed)
	w.settle()
	w.requireState(v1beta2.ApplicationStatePendingRerun)
	if driver := w.driver(); driver == nil || driver.UID != lost.UID || driver.DeletionTimestamp == nil {
		t.Fatal("the lost driver is not on its way out")
	}
	lost = w.driver()
	lost.Finalizers = nil
	w.update(lost)
	w.settle()
	w.requireState(v1beta2.ApplicationStateSubmitted)
	if driver := w.driver(); driver == nil || driver.UID == lost.UID {
		t.Error("there is no other driver")
	}
}

// #1558
func TestAnApplicationThatIsDeletedBeforeItIsSubmittedGetsNoDriver(t *testing.T) {
	w := newWorld(t, pi())
	gone := interceptor.NewClient(w.client, interceptor.Funcs{
		Get: func(_ context.Context, _ client.WithWatch, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
			return apierrors.NewNotFound(v1beta2.SchemeGroupVersion.WithResource("sparkapplications").GroupResource(), key.Name)
		},
	})
	w.reconcileBy(&Reconciler{Client: w.client, Live: gone})
	if driver := w.driver(); driver != nil {
		t.Errorf("%s is of nobody's", driver.Name)
	}
}
