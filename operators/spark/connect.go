package spark

import (
	"context"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1alpha1"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	muster "muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/operators/spark/connect"
	"muster.sh/muster/operators/spark/life"
	"muster.sh/muster/operators/spark/plan"
)

// ConnectReconciler keeps the servers of SparkConnects.
type ConnectReconciler struct {
	// Client may read from a cache that is a little behind.
	Client client.Client
	// Live reads what is stored.
	Live   client.Reader
	Events events.EventRecorder
}

// Reconcile makes what one SparkConnect lacks, and tells how it is.
func (r *ConnectReconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	conn := &v1alpha1.SparkConnect{}
	if err := r.Client.Get(ctx, request.NamespacedName, conn); err != nil || conn.DeletionTimestamp != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	seen := connect.Seen{Connect: conn, Now: time.Now()}
	service, err := connect.Service(conn)
	if err == nil {
		seen.Service = service.Name
		err = r.make(ctx, &seen, service)
	}
	switch {
	case err == nil, service == nil, refused(err), apierrors.IsInvalid(err): // It is told.
		seen.Problem = err
	case apierrors.IsConflict(err): // News of what has changed is on its way.
		return ctrl.Result{}, nil
	default:
		return ctrl.Result{}, err
	}
	if err := r.observe(ctx, &seen); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.tell(ctx, conn.DeepCopy(), connect.Status(seen)); err != nil && !apierrors.IsConflict(err) {
		return ctrl.Result{}, err
	}
	if refused(err) {
		return ctrl.Result{}, err // What is in the way may go without any news here.
	}
	return ctrl.Result{}, nil
}

// make has the application and the Service be there, as they are wanted now.
func (r *ConnectReconciler) make(ctx context.Context, seen *connect.Seen, service *corev1.Service) error {
	app, err := r.application(ctx, seen.Connect)
	if err != nil {
		return err
	}
	seen.App = app
	stored := &corev1.Service{}
	switch err := r.Client.Get(ctx, client.ObjectKeyFromObject(service), stored); {
	case err == nil && metav1.IsControlledBy(stored, seen.Connect) && sameService(service, stored):
		return nil
	case client.IgnoreNotFound(err) != nil:
		return err
	}
	return keep(ctx, r.Client, r.Live, seen.Connect, service, stored, func() bool { return sameService(service, stored) })
}

// application returns the one that runs the server, which is created, or follows an edit.
func (r *ConnectReconciler) application(ctx context.Context, conn *v1alpha1.SparkConnect) (*v1beta2.SparkApplication, error) {
	wanted, app := connect.Application(conn), &v1beta2.SparkApplication{}
	err := r.Client.Get(ctx, client.ObjectKeyFromObject(wanted), app)
	if apierrors.IsNotFound(err) {
		err = r.Client.Create(ctx, wanted)
		if !apierrors.IsAlreadyExists(err) {
			return wanted, named(err, wanted)
		}
		err = r.Live.Get(ctx, client.ObjectKeyFromObject(wanted), app)
	}
	switch {
	case err != nil:
		return nil, err
	case !metav1.IsControlledBy(app, conn):
		return nil, named(errForeign, wanted)
	case app.DeletionTimestamp != nil || connect.IsCurrent(app, conn):
		return app, nil
	}
	changed := app.DeepCopy()
	changed.Spec, changed.Labels = wanted.Spec, wanted.Labels
	metav1.SetMetaDataAnnotation(&changed.ObjectMeta, muster.ConnectGenerationAnnotation, wanted.Annotations[muster.ConnectGenerationAnnotation])
	return changed, r.Client.Patch(ctx, changed, client.MergeFromWithOptions(app, client.MergeFromWithOptimisticLock{}))
}

// observe finds the pods of the application as it runs now.
func (r *ConnectReconciler) observe(ctx context.Context, seen *connect.Seen) error {
	if seen.App == nil || seen.App.Status.SubmissionID == "" {
		return nil
	}
	pods, err := podsOf(ctx, r.Client, client.ObjectKeyFromObject(seen.App))
	if err != nil {
		return err
	}
	var drivers []*corev1.Pod
	for i := range pods {
		switch pod := &pods[i]; {
		case pod.Labels[plan.LabelSubmissionID] != seen.App.Status.SubmissionID:
		case pod.Labels[sparkconf.LabelRole] == sparkconf.RoleExecutor:
			seen.Executors = append(seen.Executors, pod)
		case metav1.IsControlledBy(pod, seen.App):
			drivers = append(drivers, pod)
		}
	}
	seen.Server = life.CurrentDriver(seen.App, drivers)
	return nil
}

// tell stores a status that is new, and has an event say what it has come to.
func (r *ConnectReconciler) tell(ctx context.Context, conn *v1alpha1.SparkConnect, status v1alpha1.SparkConnectStatus) error {
	before := conn.Status.State
	if equality.Semantic.DeepEqual(conn.Status, status) {
		return nil
	}
	conn.Status = status
	if err := updateStatus(ctx, r.Client, conn); err != nil {
		return err
	}
	if status.State == before {
		return nil
	}
	switch status.State {
	case v1alpha1.SparkConnectStateFailed:
		r.Events.Eventf(conn, nil, corev1.EventTypeWarning, "SparkConnectFailed", "Reconcile", "%s", short(status.Conditions[0].Message))
	case v1alpha1.SparkConnectStateReady:
		r.Events.Eventf(conn, nil, corev1.EventTypeNormal, "SparkConnectReady", "Reconcile", "Server %s is ready", status.Server.PodName)
	}
	return nil
}
