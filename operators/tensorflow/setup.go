package tensorflow

import (
	"fmt"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/operators/tensorflow/plan"
	"muster.sh/muster/operators/view"
)

// AddToManager has a manager run TFJobs.
func AddToManager(mgr ctrl.Manager, c config.TensorFlow) error {
	for _, add := range []func(*runtime.Scheme) error{kubeflow.AddToScheme, volcano.AddToScheme} {
		if err := add(mgr.GetScheme()); err != nil {
			return err
		}
	}
	gangs, err := declaration(c.Gangs, mgr.GetRESTMapper())
	if err != nil {
		return err
	}
	own, err := view.New(mgr, map[client.Object]cache.ByObject{&corev1.Pod{}: ofJobs, &corev1.Service{}: ofJobs})
	if err != nil {
		return err
	}
	r := &Reconciler{
		Client: own.GetClient(), Live: own.GetAPIReader(), Events: mgr.GetEventRecorder(plan.OperatorName),
		Options: plan.Options{SchedulerName: c.SchedulerName, Gangs: gangs, ClusterDomain: c.ClusterDomain},
	}
	b := ctrl.NewControllerManagedBy(mgr).Named(string(config.TensorFlowController)).
		WithOptions(controller.Options{MaxConcurrentReconciles: c.Workers}).
		WatchesRawSource(source.Kind(own.GetCache(), &kubeflow.TFJob{}, &handler.TypedEnqueueRequestForObject[*kubeflow.TFJob]{})).
		WatchesRawSource(owned(mgr, own, &corev1.Pod{})).
		WatchesRawSource(owned(mgr, own, &corev1.Service{}))
	if gangs == config.GangByPodGroup {
		b = b.WatchesRawSource(owned(mgr, own, &volcano.PodGroup{}))
	}
	return b.Complete(r)
}

// ofJobs selects what is of TFJobs.
var ofJobs = cache.ByObject{Label: labels.SelectorFromSet(labels.Set{kubeflow.OperatorNameLabel: plan.OperatorName})}

// owned watches a kind of objects that TFJobs control.
func owned[T client.Object](mgr ctrl.Manager, own cluster.Cluster, kind T) source.Source {
	return source.Kind(own.GetCache(), kind, handler.TypedEnqueueRequestForOwner[T](
		mgr.GetScheme(), mgr.GetRESTMapper(), &kubeflow.TFJob{}, handler.OnlyControllerOwner()))
}

// declaration decides what Auto means on a cluster.
func declaration(c config.GangDeclaration, mapper meta.RESTMapper) (config.GangDeclaration, error) {
	if c != config.GangAuto {
		return c, nil
	}
	_, err := mapper.RESTMapping(volcano.SchemeGroupVersion.WithKind("PodGroup").GroupKind(), volcano.SchemeGroupVersion.Version)
	switch {
	case meta.IsNoMatchError(err):
		return config.GangByAnnotation, nil
	case err != nil:
		return "", fmt.Errorf("ask whether PodGroups are served: %w", err)
	}
	return config.GangByPodGroup, nil
}
