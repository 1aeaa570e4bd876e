package spark

import (
	"context"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/operators/spark/plan"
)

// expose keeps the objects that make a port of the driver known, which outlive a
// submission.
func (r *Reconciler) expose(ctx context.Context, app *v1beta2.SparkApplication, e plan.Exposure) error {
	service := &corev1.Service{}
	if err := r.keep(ctx, app, e.Service, service, func() bool {
		return equality.Semantic.DeepDerivative(e.Service.Spec, service.Spec)
	}); err != nil {
		return err
	}
	if e.Service.Spec.ClusterIP == "" {
		e.Service.Spec.ClusterIP = service.Spec.ClusterIP
	}
	if e.Ingress == nil {
		return nil
	}
	ingress := &networkingv1.Ingress{}
	return r.keep(ctx, app, e.Ingress, ingress, func() bool {
		return equality.Semantic.DeepDerivative(e.Ingress.Spec, ingress.Spec)
	})
}

// keep creates an object, unless it is there already, which is read into stored then. One
// that is out of date is replaced.
func (r *Reconciler) keep(ctx context.Context, app *v1beta2.SparkApplication, wanted, stored client.Object, same func() bool) error {
	err := r.Client.Create(ctx, wanted)
	if !apierrors.IsAlreadyExists(err) {
		return named(err, wanted)
	}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(wanted), stored); err != nil {
		return named(err, wanted)
	}
	switch {
	case !metav1.IsControlledBy(stored, app):
		return named(errForeign, wanted)
	case same() && sameMetadata(wanted, stored):
		return nil
	}
	if err := deleteSeen(ctx, r.Client, stored); err != nil {
		return err
	}
	return named(r.Client.Create(ctx, wanted), wanted)
}

// sameMetadata says whether an object has the labels and annotations that are wanted,
// whatever others have added.
func sameMetadata(wanted, stored client.Object) bool {
	return equality.Semantic.DeepDerivative(wanted.GetLabels(), stored.GetLabels()) &&
		equality.Semantic.DeepDerivative(wanted.GetAnnotations(), stored.GetAnnotations())
}
