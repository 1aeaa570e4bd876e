package spark

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/operators/spark/plan"
	"muster.sh/muster/operators/spark/submission"
)

// errForeign says that something else has the name of an object of the application.
var errForeign = errors.New("exists and is not of this application; delete it, or give the application another name")

// refused says whether an error is an answer, which to ask again at once would not
// change.
func refused(err error) bool {
	return errors.Is(err, errForeign) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err)
}

// create creates what is planned: what the application owns, the driver, and what the
// driver owns. Whatever is there already was created before by the same submission.
func (r *Reconciler) create(ctx context.Context, app *v1beta2.SparkApplication, p plan.Plan) error {
	for _, object := range p.OfApplication {
		if err := r.createOrUpdate(ctx, app, object); err != nil {
			return err
		}
	}
	if err := r.createDriver(ctx, app, p.Driver); err != nil {
		return err
	}
	for _, object := range p.Owned {
		submission.Own(object, p.Driver)
		if err := r.createOwned(ctx, p.Driver, object); err != nil {
			return err
		}
	}
	return nil
}

// createOrUpdate keeps an object that lives as long as the application, and so longer
// than a submission.
func (r *Reconciler) createOrUpdate(ctx context.Context, app *v1beta2.SparkApplication, wanted client.Object) error {
	err := r.Client.Create(ctx, wanted)
	if !apierrors.IsAlreadyExists(err) {
		return named(err, wanted)
	}
	stored := wanted.DeepCopyObject().(client.Object)
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(wanted), stored); err != nil {
		return named(err, wanted)
	}
	if !metav1.IsControlledBy(stored, app) {
		return named(errForeign, wanted)
	}
	wanted.SetResourceVersion(stored.GetResourceVersion())
	if service, ok := wanted.(*corev1.Service); ok {
		service.Spec.ClusterIP = stored.(*corev1.Service).Spec.ClusterIP
	}
	return named(r.Client.Update(ctx, wanted), wanted)
}

// createDriver creates the driver, and reads it if it is there: what it owns needs its
// UID.
func (r *Reconciler) createDriver(ctx context.Context, app *v1beta2.SparkApplication, driver *corev1.Pod) error {
	err := r.Client.Create(ctx, driver)
	if !apierrors.IsAlreadyExists(err) {
		return named(err, driver)
	}
	wanted := driver.Labels[plan.LabelSubmissionID]
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(driver), driver); err != nil {
		return named(err, driver)
	}
	switch {
	case !metav1.IsControlledBy(driver, app):
		return named(errForeign, driver)
	case driver.Labels[plan.LabelSubmissionID] != wanted:
		return fmt.Errorf("driver %s of an earlier submission is still there", driver.Name)
	}
	return nil
}

func (r *Reconciler) createOwned(ctx context.Context, driver *corev1.Pod, object client.Object) error {
	err := r.Client.Create(ctx, object)
	if !apierrors.IsAlreadyExists(err) {
		return named(err, object)
	}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
		return named(err, object)
	}
	if !metav1.IsControlledBy(object, driver) {
		return named(errForeign, object)
	}
	return nil
}

func named(err error, object client.Object) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("create %T %s: %w", object, object.GetName(), err)
}

// maxNote is what the API server takes as the text of an event.
const maxNote = 1024

func short(message string) string {
	if len(message) < maxNote {
		return message
	}
	const more = "…"
	return strings.ToValidUTF8(message[:maxNote-len(more)-1], "") + more
}
