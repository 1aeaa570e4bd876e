package spark

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/operators/spark/progress"
)

// onlooker looks at the application of a world, and counts whom it asks and what it writes.
type onlooker struct {
	*world
	reconciler      *ProgressReconciler
	answer          progress.Progress
	err             error
	asked           []string
	patches         int
	beforeItIsTold  func()
	lastRequeueTime time.Duration
}

const interval = 10 * time.Second

func newOnlooker(w *world) *onlooker {
	o := &onlooker{world: w, beforeItIsTold: func() {}}
	counted := interceptor.NewClient(w.client, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, opts ...client.PatchOption) error {
			o.patches++
			return c.Patch(ctx, object, patch, opts...)
		},
	})
	o.reconciler = &ProgressReconciler{Client: counted, Interval: interval, Limit: flowcontrol.NewFakeAlwaysRateLimiter(),
		Ask: func(_ context.Context, address, id string) (progress.Progress, error) {
			o.asked = append(o.asked, address+" "+id)
			o.beforeItIsTold()
			return o.answer, o.err
		}}
	return o
}

// looks does so once, and returns what the application says then.
func (o *onlooker) looks() string {
	o.t.Helper()
	result, err := o.reconciler.Reconcile(context.Background(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(pi())})
	if err != nil {
		o.t.Fatal(err)
	}
	o.lastRequeueTime = result.RequeueAfter
	return o.app().Annotations[v1alpha1.ProgressAnnotation]
}

// runningPi is an application whose driver runs.
func runningPi(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, pi())
	w.settle()
	driver := w.driver()
	driver.Status.Phase, driver.Status.PodIP = corev1.PodRunning, "fd00::1"
	if err := w.client.Status().Update(context.Background(), driver); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.requireState(v1beta2.ApplicationStateRunning)
	return w
}

func TestProgressIsToldWhenItIsNew(t *testing.T) {
	o := newOnlooker(runningPi(t))
	o.answer = progress.Progress{Jobs: progress.Count{Done: 1, Total: 2}}
	if told := o.looks(); told != "jobs 1/2, stages 0/0, tasks 0/0" || o.lastRequeueTime != interval {
		t.Errorf("the application says %q; it is looked at again after %v", told, o.lastRequeueTime)
	}
	if want := "[fd00::1]:4040 " + o.app().Status.SparkApplicationID; len(o.asked) != 1 || o.asked[0] != want {
		t.Errorf("asked was %q, not %q", o.asked, want)
	}
	o.looks()
	if o.patches != 1 {
		t.Errorf("there were %d writes though nothing was new", o.patches)
	}
}

func TestADriverThatIsSilentIsLeftAlone(t *testing.T) {
	o := newOnlooker(runningPi(t))
	o.answer = progress.Progress{Jobs: progress.Count{Done: 1, Total: 2}}
	told := o.looks()
	o.err = errors.New("no route to host")
	if still := o.looks(); still != told || o.lastRequeueTime <= interval {
		t.Errorf("the application says %q, not %q; it is looked at again after %v", still, told, o.lastRequeueTime)
	}
}

func TestOnlyTheDriverOfARunningApplicationIsAsked(t *testing.T) {
	for name, change := range map[string]func(*world){
		"the application is over": func(w *world) {
			w.becomes(corev1.PodSucceeded)
			w.settle()
		},
		"the driver has no address": func(w *world) {
			driver := w.driver()
			driver.Status.PodIP = ""
			if err := w.client.Status().Update(context.Background(), driver); err != nil {
				w.t.Fatal(err)
			}
		},
		"the driver is another submission's": func(w *world) {
			driver := w.driver()
			driver.Labels["sparkoperator.k8s.io/submission-id"] = "another"
			w.update(driver)
		},
		"the driver has no pages": func(w *world) {
			driver := w.driver()
			driver.Spec.Containers[0].Ports = nil
			w.update(driver)
		},
		"the driver is gone": func(w *world) {
			if err := w.client.Delete(context.Background(), w.driver()); err != nil {
				w.t.Fatal(err)
			}
		},
		"the application is gone": func(w *world) {
			if err := w.client.Delete(context.Background(), w.app()); err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := runningPi(t)
			change(w)
			o := newOnlooker(w)
			if _, err := o.reconciler.Reconcile(context.Background(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(pi())}); err != nil || len(o.asked) > 0 {
				t.Errorf("asked was %q (%v)", o.asked, err)
			}
		})
	}
}

// What a driver said of a run that is over meanwhile is no progress of the next one.
func TestProgressOfARunThatIsOverIsDropped(t *testing.T) {
	o := newOnlooker(runningPi(t))
	o.beforeItIsTold = func() {
		o.becomes(corev1.PodSucceeded)
		o.settle()
	}
	if told := o.looks(); told != "" {
		t.Errorf("the application says %q", told)
	}
}

// later is a queue that remembers what is added to it for later.
type later struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	after []time.Duration
}

func (l *later) AddAfter(_ reconcile.Request, d time.Duration) { l.after = append(l.after, d) }

// An application is first asked when it has run for a while, and is then in nobody's way.
func TestAnApplicationIsLookedAtOnceItRuns(t *testing.T) {
	in := func(state v1beta2.ApplicationStateType) *v1beta2.SparkApplication {
		app := pi()
		app.Status.AppState.State = state
		return app
	}
	waits, runs := in(v1beta2.ApplicationStateSubmitted), in(v1beta2.ApplicationStateRunning)
	for name, tc := range map[string]struct {
		before, now *v1beta2.SparkApplication
		want        int
	}{
		"it comes to run":                   {waits, runs, 1},
		"it has run all the time":           {runs, runs, 0},
		"it waits":                          {waits, waits, 0},
		"it runs when the operator starts":  {nil, runs, 1},
		"it waits when the operator starts": {nil, waits, 0},
	} {
		t.Run(name, func(t *testing.T) {
			q, handler := &later{}, newOnlooker(newWorld(t, pi())).reconciler.begins()
			if tc.before == nil {
				handler.Create(t.Context(), event.TypedCreateEvent[*v1beta2.SparkApplication]{Object: tc.now}, q)
			} else {
				handler.Update(t.Context(), event.TypedUpdateEvent[*v1beta2.SparkApplication]{ObjectOld: tc.before, ObjectNew: tc.now}, q)
			}
			if len(q.after) != tc.want || len(q.after) > 0 && q.after[0] != interval {
				t.Errorf("it is looked at after %v", q.after)
			}
		})
	}
}
