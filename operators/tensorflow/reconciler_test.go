package tensorflow

import (
	"context"
	"strings"
	"testing"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/operators/tensorflow/plan"
)

func newJob() *kubeflow.TFJob {
	return &kubeflow.TFJob{
		ObjectMeta: metav1.ObjectMeta{Name: "train", Namespace: "ns", UID: "job"},
		Spec: kubeflow.TFJobSpec{TFReplicaSpecs: map[kubeflow.ReplicaType]*kubeflow.ReplicaSpec{"Worker": {
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "tensorflow", Image: "tf"}}}},
		}}},
	}
}

// rig is a reconciler on a fake API server.
type rig struct {
	*Reconciler
	t      *testing.T
	events *events.FakeRecorder
}

func newRig(t *testing.T, calls interceptor.Funcs, objects ...client.Object) *rig {
	t.Helper()
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, kubeflow.AddToScheme, volcano.AddToScheme} {
		if err := add(known); err != nil {
			t.Fatal(err)
		}
	}
	server := fake.NewClientBuilder().WithScheme(known).WithObjects(objects...).WithStatusSubresource(&kubeflow.TFJob{}).Build()
	recorder := events.NewFakeRecorder(100)
	return &rig{t: t, events: recorder, Reconciler: &Reconciler{
		Client: interceptor.NewClient(server, calls), Live: server, Events: recorder,
		Options: plan.Options{SchedulerName: "muster", Gangs: config.GangByAnnotation},
	}}
}

func (r *rig) reconcile() error {
	_, err := r.Reconcile(r.t.Context(), ctrl.Request{NamespacedName: types.NamespacedName{Namespace: "ns", Name: "train"}})
	return err
}

func (r *rig) pods() []corev1.Pod {
	r.t.Helper()
	var pods corev1.PodList
	if err := r.Live.List(r.t.Context(), &pods); err != nil {
		r.t.Fatal(err)
	}
	return pods.Items
}

func TestAnOldViewOfAJobMakesNoPods(t *testing.T) {
	behind := newJob() // what the cache has: it has started
	behind.Status.Conditions = []kubeflow.JobCondition{{Type: kubeflow.JobCreated, Status: corev1.ConditionTrue, Reason: "TFJobCreated"}}
	behind.Status.StartTime = &metav1.Time{}
	behind.Status.ReplicaStatuses = map[kubeflow.ReplicaType]*kubeflow.ReplicaStatus{"Worker": {}}
	finished := behind.DeepCopy()
	finished.Status.Conditions = append(finished.Status.Conditions, kubeflow.JobCondition{Type: kubeflow.JobSucceeded, Status: corev1.ConditionTrue})
	for name, stored := range map[string][]client.Object{"that has finished": {finished}, "that is gone": nil} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, interceptor.Funcs{
				Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
					job, ok := o.(*kubeflow.TFJob)
					if !ok {
						return c.Get(ctx, key, o, opts...)
					}
					behind.DeepCopyInto(job)
					job.ResourceVersion = "1"
					return nil
				},
			}, stored...)
			if err := r.reconcile(); err != nil {
				t.Fatal(err)
			}
			if pods := r.pods(); len(pods) > 0 {
				t.Errorf("it has made %d pods", len(pods))
			}
		})
	}
}

func TestAPodOfSomebodyElseIsNotTaken(t *testing.T) {
	foreign := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "train-worker-0", Namespace: "ns"}}
	r := newRig(t, interceptor.Funcs{}, newJob(), foreign)
	err := r.reconcile()
	if err == nil || !strings.Contains(err.Error(), "Pod train-worker-0 exists and is not of TFJob train; delete it, or give the job another name") {
		t.Errorf("got %v", err)
	}
	if pods := r.pods(); len(pods) != 1 || len(pods[0].OwnerReferences) > 0 {
		t.Errorf("there are %v", pods)
	}
}

func TestAPodThatTheCacheDoesNotShowYetIsTakenForMade(t *testing.T) {
	r := newRig(t, interceptor.Funcs{
		List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return nil },
	}, newJob())
	for range 2 {
		if err := r.reconcile(); err != nil {
			t.Fatal(err)
		}
	}
	if pods := r.pods(); len(pods) != 1 {
		t.Errorf("there are %d pods", len(pods))
	}
}

func TestWhatTheAPIServerRefusesEndsTheJob(t *testing.T) {
	r := newRig(t, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if _, pod := o.(*corev1.Pod); pod {
				return apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("Pod").GroupKind(), o.GetName(), nil)
			}
			return c.Create(ctx, o, opts...)
		},
	}, newJob())
	for range 3 {
		if err := r.reconcile(); err != nil {
			t.Fatal(err)
		}
	}
	var job kubeflow.TFJob
	if err := r.Live.Get(t.Context(), types.NamespacedName{Namespace: "ns", Name: "train"}, &job); err != nil {
		t.Fatal(err)
	}
	var services corev1.ServiceList
	if err := r.Live.List(t.Context(), &services); err != nil {
		t.Fatal(err)
	}
	if !plan.IsTrue(&job.Status, kubeflow.JobFailed) || len(services.Items) > 0 {
		t.Errorf("it is %v, with %d services", job.Status.Conditions, len(services.Items))
	}
}

func TestEventsFitIntoTheAPI(t *testing.T) {
	for _, message := range []string{"short", strings.Repeat("a", 5000), strings.Repeat("é", 1000)} {
		if got := short(message); len(got) >= maxNote || !strings.HasPrefix(message, strings.TrimSuffix(got, "…")) {
			t.Errorf("%d bytes became %d", len(message), len(got))
		}
	}
}
