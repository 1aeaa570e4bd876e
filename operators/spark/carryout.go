package spark

import (
	"context"
	"fmt"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/operators/spark/life"
	"muster.sh/muster/operators/spark/plan"
)

// carryOut does what a step asks for, what is stored of the application first.
func (r *Reconciler) carryOut(ctx context.Context, seen life.Seen, step life.Step) error {
	app := seen.App.DeepCopy()
	if err := r.remember(ctx, app, step.Losses); err != nil {
		return err
	}
	if err := r.setStatus(ctx, app, step); err != nil {
		return err
	}
	for _, driver := range step.Delete {
		if err := deleteSeen(ctx, r.Client, driver); err != nil {
			return err
		}
	}
	if step.DeleteApp {
		return deleteSeen(ctx, r.Client, app)
	}
	if !step.Submit {
		return nil
	}
	if err := r.checkStored(ctx, app); err != nil {
		return err
	}
	return r.submit(ctx, app)
}

// remember stores losses, unless the application has changed since it was observed.
func (r *Reconciler) remember(ctx context.Context, app *v1beta2.SparkApplication, losses *life.Losses) error {
	if losses == nil {
		return nil
	}
	old := app.DeepCopy()
	metav1.SetMetaDataAnnotation(&app.ObjectMeta, v1alpha1.LossesAnnotation, losses.Annotation())
	return r.Client.Patch(ctx, app, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{}))
}

// setStatus stores a status that is new, and tells of it.
func (r *Reconciler) setStatus(ctx context.Context, app *v1beta2.SparkApplication, step life.Step) error {
	if !equality.Semantic.DeepEqual(app.Status, step.Status) {
		app.Status = step.Status
		if err := updateStatus(ctx, r.Client, app); err != nil {
			return err
		}
	}
	for _, e := range step.Events {
		r.Events.Eventf(app, nil, e.Type, e.Reason, "Reconcile", "%s", short(e.Message))
	}
	return nil
}

// updateStatus stores the status of an object, if it hasn't changed since it was observed.
// The answer isn't read into it: it needn't fit the type.
func updateStatus(ctx context.Context, c client.Client, object client.Object) error {
	kind, err := c.GroupVersionKindFor(object)
	if err != nil {
		return err
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	stored := &unstructured.Unstructured{Object: fields}
	stored.SetGroupVersionKind(kind)
	if err := c.Status().Update(ctx, stored); err != nil {
		return err
	}
	object.SetResourceVersion(stored.GetResourceVersion())
	return nil
}

// deleteSeen deletes what was observed, and nothing that has come in its place.
func deleteSeen(ctx context.Context, c client.Client, object client.Object) error {
	err := c.Delete(ctx, object, client.Preconditions{UID: ptr.To(object.GetUID())})
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return fmt.Errorf("delete %s: %w", object.GetName(), err)
}

// checkStored makes sure that the application is still what was decided for. A step
// that is made from an old status would start a driver a second time, and one for an
// application that is gone a driver of nobody's.
func (r *Reconciler) checkStored(ctx context.Context, app *v1beta2.SparkApplication) error {
	stored := metav1.PartialObjectMetadata{}
	stored.SetGroupVersionKind(v1beta2.SchemeGroupVersion.WithKind("SparkApplication"))
	switch err := r.Live.Get(ctx, client.ObjectKeyFromObject(app), &stored); {
	case apierrors.IsNotFound(err):
		return errStale
	case err != nil:
		return err
	}
	if stored.UID != app.UID || stored.ResourceVersion != app.ResourceVersion {
		return errStale
	}
	return nil
}

// submit creates the objects of a submission, and stores what has become of that.
func (r *Reconciler) submit(ctx context.Context, app *v1beta2.SparkApplication) error {
	planned, err := plan.Make(app, plan.NewSubmission(app), r.Options.Plan)
	if err != nil {
		return r.setStatus(ctx, app, life.Failed(app, err, true, time.Now()))
	}
	switch err := r.create(ctx, app, planned); {
	case err == nil:
		return r.setStatus(ctx, app, life.Submitted(app, planned))
	case overQuota(err):
		r.Events.Eventf(app, nil, corev1.EventTypeWarning, "SparkApplicationWaitsForQuota", "Reconcile", "%s", short(err.Error()))
		return err
	case apierrors.IsInvalid(err):
		return r.setStatus(ctx, app, life.Failed(app, err, true, time.Now()))
	case refused(err):
		return r.setStatus(ctx, app, life.Failed(app, err, false, time.Now()))
	default:
		// The same submission is tried again.
		return err
	}
}
