package spark

import (
	"context"
	"fmt"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	registry "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"muster.sh/muster/operators/spark/metrics"
	"muster.sh/muster/operators/spark/plan"
	"muster.sh/muster/operators/spark/schedule"
	"muster.sh/muster/operators/view"
)

// OperatorName is who tells events of SparkApplications.
const OperatorName = "spark-operator"

// Options are the administrator's.
type Options struct {
	Plan plan.Options
	// MaxExecutors bounds the executors of an application whose state is kept in its
	// status, which has to fit into one object. Zero keeps none.
	MaxExecutors int
	// Workers is how many applications are brought on at a time.
	Workers int
	// MetricLabels are labels of applications and pods by which metrics are told apart.
	MetricLabels []string
	// ProgressInterval is how long a driver isn't asked again how far it has come. Zero
	// asks none.
	ProgressInterval time.Duration
	// HistoryServer is the URL of Spark's history server, or empty.
	HistoryServer string
	// Connect has SparkConnects looked after.
	Connect bool
}

// AddToManager has a manager run SparkApplications, and make them at their times.
func AddToManager(mgr ctrl.Manager, options Options) error {
	for _, add := range []func(*runtime.Scheme) error{v1beta2.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(mgr.GetScheme()); err != nil {
			return err
		}
	}
	own, err := view.New(mgr, map[client.Object]cache.ByObject{&corev1.Pod{}: launched, &corev1.Service{}: ofConnect}, looseKinds...)
	if err != nil {
		return err
	}
	if err := indexPods(context.Background(), own.GetFieldIndexer()); err != nil {
		return fmt.Errorf("index pods: %w", err)
	}
	if err := addApplications(mgr, own, options); err != nil {
		return err
	}
	if err := addSchedules(mgr, own, options); err != nil {
		return err
	}
	if err := addConnects(mgr, own, options); err != nil {
		return err
	}
	return addProgress(mgr, own, options)
}

func addApplications(mgr ctrl.Manager, own cluster.Cluster, options Options) error {
	counts, err := metrics.New(registry.Registry, options.MetricLabels)
	if err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	r := &Reconciler{
		Client: own.GetClient(), Live: own.GetAPIReader(), Events: mgr.GetEventRecorder(OperatorName), Options: options,
	}
	return ctrl.NewControllerManagedBy(mgr).Named("sparkapplication").
		WithOptions(controller.Options{MaxConcurrentReconciles: options.Workers, UsePriorityQueue: ptr.To(true)}).
		WatchesRawSource(source.Kind(own.GetCache(), &v1beta2.SparkApplication{},
			&handler.TypedEnqueueRequestForObject[*v1beta2.SparkApplication]{})).
		WatchesRawSource(source.Kind(own.GetCache(), &corev1.Pod{}, urgently(applicationOf))).
		WatchesRawSource(source.Kind(own.GetCache(), &v1beta2.SparkApplication{}, counting(func(before, now *v1beta2.SparkApplication) {
			counts.Application(before, now, time.Now())
		}))).
		WatchesRawSource(source.Kind(own.GetCache(), &corev1.Pod{}, counting(counts.Executor))).
		WatchesRawSource(source.Kind(own.GetCache(), &corev1.Pod{}, counting(counts.Driver))).
		Complete(r)
}

func addSchedules(mgr ctrl.Manager, own cluster.Cluster, options Options) error {
	r := &ScheduleReconciler{Client: own.GetClient(), Live: own.GetAPIReader(), Events: mgr.GetEventRecorder(OperatorName)}
	return ctrl.NewControllerManagedBy(mgr).Named("scheduledsparkapplication").
		WithOptions(controller.Options{MaxConcurrentReconciles: options.Workers}).
		WatchesRawSource(source.Kind(own.GetCache(), &v1beta2.ScheduledSparkApplication{},
			&handler.TypedEnqueueRequestForObject[*v1beta2.ScheduledSparkApplication]{})).
		WatchesRawSource(source.Kind(own.GetCache(), &v1beta2.SparkApplication{}, handler.TypedEnqueueRequestsFromMapFunc(scheduleOf))).
		Complete(r)
}

// counting has changes counted, and nothing else done. Before is nil for an object that is
// new, and now for one that is gone.
func counting[T client.Object](count func(before, now T)) handler.TypedEventHandler[T, reconcile.Request] {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	var none T
	return handler.TypedFuncs[T, reconcile.Request]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[T], _ queue) { count(none, e.Object) },
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[T], _ queue) { count(e.ObjectOld, e.ObjectNew) },
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[T], _ queue) { count(e.Object, none) },
	}
}

// urgent is the priority of an application with news of its pods; one with news of itself
// has none.
const urgent = 1

// urgently has applications looked at before those that wait to be submitted: what is said
// of pods that run must not wait until a burst of others is submitted.
func urgently(of func(*corev1.Pod) []reconcile.Request) handler.TypedEventHandler[*corev1.Pod, reconcile.Request] {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	add := func(pod *corev1.Pod, q queue) {
		// The controller is told to have such a queue.
		q.(priorityqueue.PriorityQueue[reconcile.Request]).AddWithOpts(priorityqueue.AddOpts{Priority: ptr.To(urgent)}, of(pod)...)
	}
	return handler.TypedFuncs[*corev1.Pod, reconcile.Request]{
		CreateFunc: func(_ context.Context, e event.TypedCreateEvent[*corev1.Pod], q queue) { add(e.Object, q) },
		UpdateFunc: func(_ context.Context, e event.TypedUpdateEvent[*corev1.Pod], q queue) { add(e.ObjectNew, q) },
		DeleteFunc: func(_ context.Context, e event.TypedDeleteEvent[*corev1.Pod], q queue) { add(e.Object, q) },
	}
}

// scheduleOf finds the schedule of a run.
func scheduleOf(_ context.Context, run *v1beta2.SparkApplication) []reconcile.Request {
	return requestFor(run.Namespace, run.Labels[schedule.Label])
}

// applicationOf finds the application of a pod. Executors belong to their driver, so
// that owners would not tell.
func applicationOf(pod *corev1.Pod) []reconcile.Request {
	return requestFor(pod.Namespace, pod.Labels[plan.LabelAppName])
}

func requestFor(namespace, name string) []reconcile.Request {
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}}
}
