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

var (
	// errForeign says that something else has the name of an object of the application.
	errForeign = errors.New("exists and belongs to something else; delete it, or choose another name")
	// errLeftOver says that an object belongs to a driver that is gone, and goes with it.
	errLeftOver = errors.New("is left over from a driver that was deleted while it was submitted")
)

// refused says whether an error is an answer, which to ask again at once would not
// change.
func refused(err error) bool {
	return errors.Is(err, errForeign) || errors.Is(err, errLeftOver) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err)
}

// overQuota says whether the namespace has no room for a pod. That passes: the submission
// waits for it, and isn't failed.
func overQuota(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota")
}

// create creates what is planned: what makes the driver's ports known, the driver, and
// what the driver owns. Whatever is there already was created before by the same
// submission.
func (r *Reconciler) create(ctx context.Context, app *v1beta2.SparkApplication, p plan.Plan) error {
	for _, exposure := range append([]plan.Exposure{p.WebUI}, p.Ports...) {
		if err := r.expose(ctx, app, exposure); err != nil {
			return err
		}
	}
	isNew, err := r.createDriver(ctx, app, p.Driver)
	if err != nil {
		return err
	}
	for _, object := range p.Owned {
		submission.Own(object, p.Driver)
		// Names are the submission's alone, so that what is there need not be read,
		// which for Secrets would be a great right to have.
		err := r.Client.Create(ctx, object)
		switch {
		case apierrors.IsAlreadyExists(err) && isNew:
			return named(errLeftOver, object)
		case err != nil && !apierrors.IsAlreadyExists(err):
			return named(err, object)
		}
	}
	return nil
}

// createDriver creates the driver, and reads it if it is there: what it owns needs its
// UID.
func (r *Reconciler) createDriver(ctx context.Context, app *v1beta2.SparkApplication, driver *corev1.Pod) (isNew bool, err error) {
	err = r.Client.Create(ctx, driver)
	if !apierrors.IsAlreadyExists(err) {
		return true, named(err, driver)
	}
	wanted := driver.Labels[plan.LabelSubmissionID]
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(driver), driver); err != nil {
		return false, named(err, driver)
	}
	switch {
	case !metav1.IsControlledBy(driver, app):
		return false, named(errForeign, driver)
	case driver.Labels[plan.LabelSubmissionID] != wanted:
		return false, fmt.Errorf("driver %s of an earlier submission is still there", driver.Name)
	}
	return false, nil
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
