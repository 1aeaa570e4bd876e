package spark

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/operators/spark/life"
	"muster.sh/muster/operators/spark/plan"
	"muster.sh/muster/operators/spark/progress"
)

const (
	// asksPerSecond bounds the drivers that are asked in a second, and so what is written
	// of them. With more applications than that makes, each is asked less often.
	asksPerSecond = 50
	// asksAtOnce bounds the drivers that are asked at the same time.
	asksAtOnce = 32
	// askTimeout is how long an answer is waited for.
	askTimeout = 2 * time.Second
	// silence is how many intervals a driver that gave no answer isn't asked again.
	silence = 6
)

// ProgressReconciler asks the drivers of running applications how far they have come. It
// is no error if one doesn't answer: it may have no pages, or be out of reach.
type ProgressReconciler struct {
	Client client.Client
	// Ask asks the driver at an address about an application that has an ID of Spark's.
	Ask      func(ctx context.Context, address, id string) (progress.Progress, error)
	Limit    flowcontrol.RateLimiter
	Interval time.Duration
}

func addProgress(mgr ctrl.Manager, own cluster.Cluster, options Options) error {
	if options.ProgressInterval == 0 {
		return nil
	}
	r := &ProgressReconciler{
		Client: own.GetClient(), Ask: progress.NewReader(askTimeout).Read, Interval: options.ProgressInterval,
		Limit: flowcontrol.NewTokenBucketRateLimiter(asksPerSecond, asksPerSecond),
	}
	return ctrl.NewControllerManagedBy(mgr).Named("sparkprogress").
		WithOptions(controller.Options{MaxConcurrentReconciles: asksAtOnce}).
		WatchesRawSource(source.Kind(own.GetCache(), &v1beta2.SparkApplication{}, r.begins())).
		Complete(r)
}

// begins has an application looked at that has come to run, when it has done so for a
// while: of a short one there is nothing to tell.
func (r *ProgressReconciler) begins() handler.TypedEventHandler[*v1beta2.SparkApplication, reconcile.Request] {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	begun := func(app *v1beta2.SparkApplication, q queue) {
		q.AddAfter(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(app)}, r.Interval)
	}
	return handler.TypedFuncs[*v1beta2.SparkApplication, reconcile.Request]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[*v1beta2.SparkApplication], q queue) {
			if runs(e.Object) {
				begun(e.Object, q)
			}
		},
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*v1beta2.SparkApplication], q queue) {
			if runs(e.ObjectNew) && !runs(e.ObjectOld) {
				begun(e.ObjectNew, q)
			}
		},
	}
}

func runs(app *v1beta2.SparkApplication) bool {
	return app.Status.AppState.State == v1beta2.ApplicationStateRunning
}

// Reconcile asks one driver, and stores what is new.
func (r *ProgressReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	if err := r.Limit.Wait(ctx); err != nil {
		return ctrl.Result{}, err
	}
	app := &v1beta2.SparkApplication{}
	if err := r.Client.Get(ctx, request.NamespacedName, app); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !runs(app) {
		return ctrl.Result{}, nil // It is heard of when it runs again.
	}
	address, err := r.address(ctx, app)
	if err != nil {
		return ctrl.Result{}, err
	}
	if address == "" {
		return ctrl.Result{RequeueAfter: silence * r.Interval}, nil
	}
	told, err := r.Ask(ctx, address, app.Status.SparkApplicationID)
	if err != nil {
		ctrl.LoggerFrom(ctx).V(1).Info("a driver doesn't tell of its progress", "address", address, "reason", err.Error())
		return ctrl.Result{RequeueAfter: silence * r.Interval}, nil
	}
	return ctrl.Result{RequeueAfter: r.Interval}, r.store(ctx, app, told.String())
}

// address is where the driver of an application serves its pages, or empty.
func (r *ProgressReconciler) address(ctx context.Context, app *v1beta2.SparkApplication) (string, error) {
	driver := &corev1.Pod{}
	key := client.ObjectKey{Namespace: app.Namespace, Name: app.Status.DriverInfo.PodName}
	if err := r.Client.Get(ctx, key, driver); err != nil {
		return "", client.IgnoreNotFound(err)
	}
	port := plan.WebUIPort(driver)
	if life.CurrentDriver(app, []*corev1.Pod{driver}) == nil || driver.Status.PodIP == "" || port == 0 {
		return "", nil
	}
	return net.JoinHostPort(driver.Status.PodIP, strconv.Itoa(int(port))), nil
}

// store writes progress that is new, unless the application has changed meanwhile: it
// may be over. Then it is asked again, or isn't.
func (r *ProgressReconciler) store(ctx context.Context, app *v1beta2.SparkApplication, told string) error {
	if app.Annotations[v1alpha1.ProgressAnnotation] == told {
		return nil
	}
	changed := app.DeepCopy()
	if changed.Annotations == nil {
		changed.Annotations = map[string]string{}
	}
	changed.Annotations[v1alpha1.ProgressAnnotation] = told
	err := r.Client.Patch(ctx, changed, client.MergeFromWithOptions(app, client.MergeFromWithOptimisticLock{}))
	if apierrors.IsConflict(err) {
		return nil
	}
	return client.IgnoreNotFound(err)
}
