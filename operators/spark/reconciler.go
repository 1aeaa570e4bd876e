package spark

import (
	"context"
	"errors"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/operators/spark/life"
	"muster.sh/muster/operators/spark/plan"
)

// Reconciler brings SparkApplications on, each by one step at a time.
type Reconciler struct {
	// Client may read from a cache that is a little behind.
	Client client.Client
	// Live reads what is stored.
	Live    client.Reader
	Events  events.EventRecorder
	Options Options
}

// errStale says that the application has changed since it was observed. The news of
// that is on its way, and leads to another step.
var errStale = errors.New("the application has changed")

// Reconcile decides what comes next for one application, and does it.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	seen, err := r.observe(ctx, request.NamespacedName)
	if err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	step := life.Next(seen)
	switch err := r.carryOut(ctx, seen, step); {
	case errors.Is(err, errStale), apierrors.IsConflict(err):
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: step.After}, nil
}

// observe reads an application, and what is there of it.
func (r *Reconciler) observe(ctx context.Context, name types.NamespacedName) (life.Seen, error) {
	seen := life.Seen{App: &v1beta2.SparkApplication{}, Now: time.Now(), MaxExecutors: r.Options.MaxExecutors, HistoryServer: r.Options.HistoryServer}
	if err := r.Client.Get(ctx, name, seen.App); err != nil {
		return seen, err
	}
	pods, err := podsOf(ctx, r.Client, name)
	if err != nil {
		return seen, err
	}
	for i := range pods {
		pod := &pods[i]
		switch role := pod.Labels[sparkconf.LabelRole]; {
		case role == sparkconf.RoleDriver && metav1.IsControlledBy(pod, seen.App):
			seen.Drivers = append(seen.Drivers, pod)
		case role == sparkconf.RoleExecutor && pod.Labels[plan.LabelSubmissionID] == seen.App.Status.SubmissionID:
			seen.Executors = append(seen.Executors, *pod)
		}
	}
	return seen, r.lookForDriver(ctx, &seen)
}

// lookForDriver makes sure that a driver is gone before that is taken for granted: the
// cache may not have heard of it yet.
func (r *Reconciler) lookForDriver(ctx context.Context, seen *life.Seen) error {
	status := &seen.App.Status
	if status.SubmissionID == "" || status.DriverInfo.PodName == "" || life.CurrentDriver(seen.App, seen.Drivers) != nil {
		return nil
	}
	driver := &corev1.Pod{}
	err := r.Live.Get(ctx, client.ObjectKey{Namespace: seen.App.Namespace, Name: status.DriverInfo.PodName}, driver)
	if err == nil && metav1.IsControlledBy(driver, seen.App) {
		seen.Drivers = append(seen.Drivers, driver)
	}
	return client.IgnoreNotFound(err)
}
