package tensorflow

import (
	"context"
	"errors"
	"time"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/operators/tensorflow/plan"
)

// Reconciler brings TFJobs on, each by one plan at a time.
type Reconciler struct {
	// Client may read from a cache that is a little behind.
	Client client.Client
	// Live reads what is stored.
	Live    client.Reader
	Events  events.EventRecorder
	Options plan.Options
}

// errStale says that the job has changed since it was observed. The news of that is on
// its way, and leads to another plan.
var errStale = errors.New("the job has changed")

// Reconcile plans for one job, and does what is planned.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, request.NamespacedName)
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	p := plan.Make(seen, r.Options)
	switch err := r.carryOut(ctx, &seen, &p); {
	case errors.Is(err, errStale), apierrors.IsConflict(err):
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: p.Again}, nil
}

// observe reads a job, and what is there of it.
func (r *Reconciler) observe(ctx context.Context, name types.NamespacedName) (plan.Observed, error) {
	seen := plan.Observed{Job: &kubeflow.TFJob{}, Now: time.Now()}
	if err := r.Client.Get(ctx, name, seen.Job); err != nil {
		return seen, err
	}
	of := []client.ListOption{client.InNamespace(name.Namespace), client.MatchingLabels(plan.Labels(name.Name))}
	var pods corev1.PodList
	if err := r.Client.List(ctx, &pods, of...); err != nil {
		return seen, err
	}
	var services corev1.ServiceList
	if err := r.Client.List(ctx, &services, of...); err != nil {
		return seen, err
	}
	for i := range pods.Items {
		if metav1.IsControlledBy(&pods.Items[i], seen.Job) {
			seen.Pods = append(seen.Pods, &pods.Items[i])
		}
	}
	for i := range services.Items {
		if metav1.IsControlledBy(&services.Items[i], seen.Job) {
			seen.Services = append(seen.Services, &services.Items[i])
		}
	}
	return seen, r.observeGroup(ctx, name, &seen)
}

func (r *Reconciler) observeGroup(ctx context.Context, name types.NamespacedName, seen *plan.Observed) error {
	if r.Options.Gangs != config.GangByPodGroup {
		return nil
	}
	var group volcano.PodGroup
	err := r.Client.Get(ctx, name, &group)
	if err == nil {
		seen.Group = &group
	}
	return client.IgnoreNotFound(err)
}
