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
	if err := keep(ctx, r.Client, r.Live, app, e.Service, service, func() bool { return sameService(e.Service, service) }); err != nil {
		return err
	}
	if e.Service.Spec.ClusterIP == "" {
		e.Service.Spec.ClusterIP = service.Spec.ClusterIP
	}
	if e.Ingress == nil {
		return nil
	}
	ingress := &networkingv1.Ingress{}
	return keep(ctx, r.Client, r.Live, app, e.Ingress, ingress, func() bool {
		return equality.Semantic.DeepDerivative(e.Ingress.Spec, ingress.Spec) && sameMetadata(e.Ingress, ingress)
	})
}

// keep creates an object of an owner's, unless it is there already, which is read into
// stored then. One that is not the same is replaced.
func keep(ctx context.Context, c client.Client, live client.Reader, owner metav1.Object, wanted, stored client.Object, same func() bool) error {
	err := c.Create(ctx, wanted)
	if !apierrors.IsAlreadyExists(err) {
		return named(err, wanted)
	}
	if err := live.Get(ctx, client.ObjectKeyFromObject(wanted), stored); err != nil {
		return named(err, wanted)
	}
	switch {
	case !metav1.IsControlledBy(stored, owner):
		return named(errForeign, wanted)
	case same():
		return nil
	}
	if err := deleteSeen(ctx, c, stored); err != nil {
		return err
	}
	return named(c.Create(ctx, wanted), wanted)
}

// sameService says whether a Service is as it is wanted, whatever the API server and
// others have added.
func sameService(wanted, stored *corev1.Service) bool {
	return equality.Semantic.DeepDerivative(wanted.Spec, stored.Spec) && sameMetadata(wanted, stored)
}

// sameMetadata says whether an object has the labels and annotations that are wanted.
func sameMetadata(wanted, stored client.Object) bool {
	return equality.Semantic.DeepDerivative(wanted.GetLabels(), stored.GetLabels()) &&
		equality.Semantic.DeepDerivative(wanted.GetAnnotations(), stored.GetAnnotations())
}
