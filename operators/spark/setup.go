package spark

import (
	"context"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"muster.sh/muster/operators/spark/plan"
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
}

// AddToManager has a manager run SparkApplications.
func AddToManager(mgr ctrl.Manager, options Options) error {
	if err := v1beta2.AddToScheme(mgr.GetScheme()); err != nil {
		return err
	}
	own, err := view.New(mgr, map[client.Object]cache.ByObject{&corev1.Pod{}: launched})
	if err != nil {
		return err
	}
	r := &Reconciler{
		Client: own.GetClient(), Live: own.GetAPIReader(), Events: mgr.GetEventRecorder(OperatorName), Options: options,
	}
	return ctrl.NewControllerManagedBy(mgr).Named("sparkapplication").
		WithOptions(controller.Options{MaxConcurrentReconciles: options.Workers}).
		WatchesRawSource(source.Kind(own.GetCache(), &v1beta2.SparkApplication{},
			&handler.TypedEnqueueRequestForObject[*v1beta2.SparkApplication]{})).
		WatchesRawSource(source.Kind(own.GetCache(), &corev1.Pod{}, handler.TypedEnqueueRequestsFromMapFunc(applicationOf))).
		Complete(r)
}

// launched selects the pods that were submitted by an operator.
var launched = cache.ByObject{Label: labels.SelectorFromSet(labels.Set{plan.LabelLaunched: "true"})}

// applicationOf finds the application of a pod. Executors belong to their driver, so
// that owners would not tell.
func applicationOf(_ context.Context, pod *corev1.Pod) []reconcile.Request {
	name := pod.Labels[plan.LabelAppName]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: pod.Namespace, Name: name}}}
}
