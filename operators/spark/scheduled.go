package spark

import (
	"context"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/operators/spark/schedule"
)

// ScheduleReconciler brings ScheduledSparkApplications on, each by one step at a time.
type ScheduleReconciler struct {
	// Client may read from a cache that is a little behind.
	Client client.Client
	// Live reads what is stored.
	Live   client.Reader
	Events events.EventRecorder
}

// Reconcile decides what comes next for one schedule, and does it.
func (r *ScheduleReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	seen, err := observeSchedule(ctx, r.Client, request.NamespacedName)
	if err == nil && schedule.Due(seen.App, seen.Now) {
		seen, err = observeSchedule(ctx, r.Live, request.NamespacedName)
	}
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	step := schedule.Next(seen)
	switch err := r.carryOut(ctx, seen.App.DeepCopy(), step); {
	case apierrors.IsConflict(err): // News of what has changed is on its way.
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: step.After}, nil
}

// observeSchedule reads a schedule, and its runs.
func observeSchedule(ctx context.Context, c client.Reader, name types.NamespacedName) (schedule.Seen, error) {
	seen := schedule.Seen{App: &v1beta2.ScheduledSparkApplication{}, Now: time.Now()}
	if err := c.Get(ctx, name, seen.App); err != nil {
		return seen, err
	}
	var runs v1beta2.SparkApplicationList
	if err := c.List(ctx, &runs, client.InNamespace(name.Namespace), client.MatchingLabels{schedule.Label: name.Name}); err != nil {
		return seen, err
	}
	for i := range runs.Items {
		if run := &runs.Items[i]; schedule.IsRunOf(run, seen.App) {
			seen.Runs = append(seen.Runs, run)
		}
	}
	return seen, nil
}

// carryOut does what a step asks for, the status first.
func (r *ScheduleReconciler) carryOut(ctx context.Context, app *v1beta2.ScheduledSparkApplication, step schedule.Step) error {
	if !equality.Semantic.DeepEqual(app.Status, step.Status) {
		app.Status = step.Status
		if err := updateStatus(ctx, r.Client, app); err != nil {
			return err
		}
	}
	for _, e := range step.Events {
		r.Events.Eventf(app, nil, e.Type, e.Reason, "Reconcile", "%s", short(e.Message))
	}
	for _, run := range step.Delete {
		if err := deleteSeen(ctx, r.Client, run); err != nil {
			return err
		}
	}
	if step.Start == nil {
		return nil
	}
	return r.start(ctx, app, step.Start)
}

// start creates a run. It is tried again until it is there: a run is late rather than
// lost.
func (r *ScheduleReconciler) start(ctx context.Context, app *v1beta2.ScheduledSparkApplication, run *v1beta2.SparkApplication) error {
	err := r.Client.Create(ctx, run)
	if apierrors.IsAlreadyExists(err) {
		err = errForeign
	}
	switch err = named(err, run); {
	case err == nil:
		r.Events.Eventf(app, run, corev1.EventTypeNormal, "RunStarted", "Reconcile", "%s has started", run.Name)
	case refused(err), apierrors.IsInvalid(err):
		r.Events.Eventf(app, nil, corev1.EventTypeWarning, "RunRefused", "Reconcile", "%s", short(err.Error()))
	}
	return err
}
