package spark

import (
	"context"
	"fmt"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"muster.sh/muster/operators/spark/connect"
)

// ofConnect selects the Services of SparkConnects.
var ofConnect = cache.ByObject{Label: labels.SelectorFromSet(labels.Set{connect.CreatedLabel: "true"})}

// addConnects looks after SparkConnects, if the cluster knows them: an upgrade of the
// chart doesn't define what is new, and without it nothing else would start either.
func addConnects(mgr ctrl.Manager, own cluster.Cluster, options Options) error {
	if !options.Connect {
		return nil
	}
	kind := v1alpha1.SchemeGroupVersion.WithKind("SparkConnect")
	switch _, err := mgr.GetRESTMapper().RESTMapping(kind.GroupKind(), kind.Version); {
	case meta.IsNoMatchError(err):
		mgr.GetLogger().Info("there are no SparkConnects in this cluster; to have them, apply charts/muster/crds and start anew")
		return nil
	case err != nil:
		return fmt.Errorf("find out whether there are SparkConnects: %w", err)
	}
	r := &ConnectReconciler{Client: own.GetClient(), Live: own.GetAPIReader(), Events: mgr.GetEventRecorder(OperatorName)}
	return ctrl.NewControllerManagedBy(mgr).Named("sparkconnect").
		WithOptions(controller.Options{MaxConcurrentReconciles: options.Workers}).
		WatchesRawSource(source.Kind(own.GetCache(), &v1alpha1.SparkConnect{},
			&handler.TypedEnqueueRequestForObject[*v1alpha1.SparkConnect]{})).
		WatchesRawSource(source.Kind(own.GetCache(), &v1beta2.SparkApplication{}, handler.TypedEnqueueRequestsFromMapFunc(connectOf[*v1beta2.SparkApplication]))).
		WatchesRawSource(source.Kind(own.GetCache(), &corev1.Pod{}, handler.TypedEnqueueRequestsFromMapFunc(connectOf[*corev1.Pod]))).
		WatchesRawSource(source.Kind(own.GetCache(), &corev1.Service{}, handler.TypedEnqueueRequestsFromMapFunc(connectOf[*corev1.Service]))).
		Complete(r)
}

// connectOf finds the SparkConnect of an object.
func connectOf[T client.Object](_ context.Context, object T) []reconcile.Request {
	return requestFor(object.GetNamespace(), object.GetLabels()[connect.Label])
}
