package tensorflow

import (
	"context"
	"fmt"
	"time"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/operators/tensorflow/plan"
)

// carryOut does what is planned, in the plan's order.
func (r *Reconciler) carryOut(ctx context.Context, seen *plan.Observed, p *plan.Plan) error {
	job := seen.Job.DeepCopy()
	if err := r.remember(ctx, job, p.Restarts); err != nil {
		return err
	}
	if err := r.setStatus(ctx, job, p.Status, p.Events); err != nil {
		return err
	}
	if err := r.deleteAll(ctx, job, p); err != nil {
		return err
	}
	if !p.Creates() {
		return nil
	}
	if err := r.checkStored(ctx, job); err != nil {
		return err
	}
	return r.createAll(ctx, job, seen, p)
}

// remember stores restarts, unless the job has changed since it was read.
func (r *Reconciler) remember(ctx context.Context, job *kubeflow.TFJob, restarts *plan.Restarts) error {
	if restarts == nil {
		return nil
	}
	old := job.DeepCopy()
	metav1.SetMetaDataAnnotation(&job.ObjectMeta, v1alpha1.RestartsAnnotation, restarts.Annotation())
	if err := r.Client.Patch(ctx, job, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}
	countRestarts(job, restarts.New)
	return nil
}

// setStatus stores a status that is new, and tells of it.
func (r *Reconciler) setStatus(ctx context.Context, job *kubeflow.TFJob, status kubeflow.JobStatus, events []plan.Event) error {
	if old := job.Status; !equality.Semantic.DeepEqual(old, status) {
		job.Status = status
		if err := r.Client.Status().Update(ctx, job); err != nil {
			return err
		}
		countChange(job, &old)
	}
	for _, e := range events {
		r.tell(job, e)
	}
	return nil
}

// deleteAll deletes what was observed and nothing that has come in its place.
func (r *Reconciler) deleteAll(ctx context.Context, job *kubeflow.TFJob, p *plan.Plan) error {
	for _, pod := range p.DeletePods {
		if err := r.delete(ctx, job, pod, "Pod"); err != nil {
			return err
		}
	}
	for _, service := range p.DeleteServices {
		if err := r.delete(ctx, job, service, "Service"); err != nil {
			return err
		}
	}
	if p.DeleteGroup != nil {
		if err := r.delete(ctx, job, p.DeleteGroup, "PodGroup"); err != nil {
			return err
		}
	}
	if !p.DeleteJob {
		return nil
	}
	if err := r.Client.Delete(ctx, job, client.Preconditions{UID: &job.UID}); err != nil {
		return client.IgnoreNotFound(err)
	}
	countDeletion(job)
	return nil
}

func (r *Reconciler) delete(ctx context.Context, job *kubeflow.TFJob, object client.Object, kind string) error {
	err := r.Client.Delete(ctx, object, client.Preconditions{UID: ptr.To(object.GetUID())})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err): // it is gone, and maybe another is there
		return nil
	case err != nil:
		r.tellOf(job, object, corev1.EventTypeWarning, "FailedDelete"+kind, fmt.Sprintf("Error deleting: %v", err))
		return fmt.Errorf("delete %s %s: %w", kind, object.GetName(), err)
	}
	r.tellOf(job, object, corev1.EventTypeNormal, "SuccessfulDelete"+kind, fmt.Sprintf("Deleted %s: %s", lower(kind), object.GetName()))
	return nil
}

// checkStored makes sure that the job is still what was planned for. A plan that is
// made from an old status would bring the pods of a finished job back, and one for a job
// that is gone would make pods of nobody's.
func (r *Reconciler) checkStored(ctx context.Context, job *kubeflow.TFJob) error {
	stored := metav1.PartialObjectMetadata{}
	stored.SetGroupVersionKind(kubeflow.SchemeGroupVersion.WithKind(kubeflow.TFJobKind))
	switch err := r.Live.Get(ctx, client.ObjectKeyFromObject(job), &stored); {
	case apierrors.IsNotFound(err):
		return errStale
	case err != nil:
		return err
	}
	if stored.UID != job.UID || stored.ResourceVersion != job.ResourceVersion {
		return errStale
	}
	return nil
}

// createAll creates what members look for before the members.
func (r *Reconciler) createAll(ctx context.Context, job *kubeflow.TFJob, seen *plan.Observed, p *plan.Plan) error {
	for _, service := range p.CreateServices {
		if err := r.create(ctx, job, service, "Service"); err != nil {
			return err
		}
	}
	if err := r.setGroup(ctx, job, seen, p); err != nil {
		return err
	}
	for _, pod := range p.CreatePods {
		if err := r.create(ctx, job, pod, "Pod"); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) setGroup(ctx context.Context, job *kubeflow.TFJob, seen *plan.Observed, p *plan.Plan) error {
	switch {
	case p.Group == nil:
		return nil
	case seen.Group == nil:
		return r.create(ctx, job, p.Group, "PodGroup")
	default:
		return client.IgnoreNotFound(r.Client.Patch(ctx, p.Group, client.MergeFrom(seen.Group)))
	}
}

// create creates an object of the job. It may be there already: the cache is behind.
func (r *Reconciler) create(ctx context.Context, job *kubeflow.TFJob, object client.Object, kind string) error {
	err := r.Client.Create(ctx, object)
	switch {
	case err == nil:
		r.tellOf(job, object, corev1.EventTypeNormal, "SuccessfulCreate"+kind, fmt.Sprintf("Created %s: %s", lower(kind), object.GetName()))
		return nil
	case apierrors.IsAlreadyExists(err):
		if err = r.checkOwner(ctx, job, object); err == nil {
			return nil
		}
	case apierrors.IsInvalid(err):
		return r.refuse(ctx, job, err)
	}
	r.tellOf(job, object, corev1.EventTypeWarning, "FailedCreate"+kind, fmt.Sprintf("Error creating: %v", err))
	return fmt.Errorf("create %s %s: %w", kind, object.GetName(), err)
}

// checkOwner makes sure that what has the name of an object of the job is one.
func (r *Reconciler) checkOwner(ctx context.Context, job *kubeflow.TFJob, object client.Object) error {
	gvk, err := r.Client.GroupVersionKindFor(object)
	if err != nil {
		return err
	}
	stored := metav1.PartialObjectMetadata{}
	stored.SetGroupVersionKind(gvk)
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(object), &stored); err != nil {
		return err
	}
	if !metav1.IsControlledBy(&stored, job) {
		return fmt.Errorf("%s %s exists and is not of TFJob %s; delete it, or give the job another name", gvk.Kind, object.GetName(), job.Name)
	}
	return nil
}

// refuse ends a job whose pods or services the API server does not take.
func (r *Reconciler) refuse(ctx context.Context, job *kubeflow.TFJob, why error) error {
	status := plan.Refused(job, why, time.Now())
	last := status.Conditions[len(status.Conditions)-1]
	return r.setStatus(ctx, job, status, []plan.Event{{Type: corev1.EventTypeWarning, Reason: last.Reason, Message: last.Message}})
}
