package life

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/operators/spark/plan"
)

// world is an application with its pods, and an operator that may die at any moment.
type world struct {
	t    *rapid.T
	app  *v1beta2.SparkApplication
	pods map[string]*corev1.Pod
	now  time.Time
	// lost counts the drivers that were lost.
	lost int32
}

// dies says whether the operator dies before what it would do next.
func (w *world) dies() bool { return rapid.IntRange(0, 4).Draw(w.t, "dies") == 0 }

// operate is one step of an operator.
func (w *world) operate(mortal bool) {
	dies := func() bool { return mortal && w.dies() }
	seen := Seen{App: w.app.DeepCopy(), Now: w.now, MaxExecutors: 10}
	for _, name := range slices.Sorted(maps.Keys(w.pods)) {
		seen.Drivers = append(seen.Drivers, w.pods[name].DeepCopy())
	}
	step := Next(seen)
	if dies() {
		return
	}
	if step.Losses != nil {
		w.app.Annotations = map[string]string{v1alpha1.LossesAnnotation: step.Losses.Annotation()}
		if dies() {
			return
		}
	}
	w.app.Status = step.Status
	for _, driver := range step.Delete {
		if dies() {
			return
		}
		w.pods[driver.Name].DeletionTimestamp = ptr.To(metav1.NewTime(w.now))
	}
	if !step.Submit || dies() {
		return
	}
	w.submit(dies)
}

// submit creates a driver, and what belongs to it, which the API server may refuse.
func (w *world) submit(dies func() bool) {
	name, id := plan.DriverPodName(w.app), w.app.Status.SubmissionID
	switch there := w.pods[name]; {
	case there == nil:
		w.pods[name] = &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{plan.LabelSubmissionID: id}},
			Status:     corev1.PodStatus{Phase: corev1.PodPending},
		}
	case there.Labels[plan.LabelSubmissionID] != id:
		return
	}
	switch {
	case dies():
	case rapid.IntRange(0, 9).Draw(w.t, "refused") == 0: // What the driver owns, for instance.
		w.app.Status = Failed(w.app, errors.New("refused"), rapid.Bool().Draw(w.t, "for good"), w.now).Status
	default:
		w.app.Status = Submitted(w.app, plan.Plan{WebUI: plan.Exposure{Service: &corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}}}).Status
	}
}

// live lets the pods come on: each to its next phase, or to its end.
func (w *world) live() {
	for _, name := range slices.Sorted(maps.Keys(w.pods)) {
		pod := w.pods[name]
		switch {
		case pod.DeletionTimestamp != nil:
			delete(w.pods, name)
		case pod.Status.Phase == corev1.PodPending:
			pod.Status.Phase = corev1.PodRunning
		case pod.Status.Phase == corev1.PodRunning:
			pod.Status.Phase = rapid.SampledFrom([]corev1.PodPhase{corev1.PodRunning, corev1.PodSucceeded, corev1.PodFailed}).Draw(w.t, "phase")
		}
	}
}

// lose deletes a driver, as a user does, or a node that is gone.
func (w *world) lose() {
	if len(w.pods) > 0 {
		delete(w.pods, rapid.SampledFrom(slices.Sorted(maps.Keys(w.pods))).Draw(w.t, "lost"))
		w.lost++
	}
}

// edit changes what a user may change.
func (w *world) edit() {
	w.app.Generation++
	switch rapid.IntRange(0, 3).Draw(w.t, "edit") {
	case 0:
		w.app.Spec.Suspend = ptr.To(!ptr.Deref(w.app.Spec.Suspend, false))
	case 1:
		w.app.Spec.Arguments = append(w.app.Spec.Arguments, "more")
	case 2:
		w.app.Spec.Driver.PodName = ptr.To(rapid.SampledFrom([]string{"one", "two"}).Draw(w.t, "name"))
	default:
		w.app.Spec.RestartPolicy = v1beta2.RestartPolicy{
			Type:             rapid.SampledFrom([]v1beta2.RestartPolicyType{v1beta2.RestartPolicyNever, v1beta2.RestartPolicyOnFailure, v1beta2.RestartPolicyAlways}).Draw(w.t, "policy"),
			OnFailureRetries: ptr.To[int32](1), OnSubmissionFailureRetries: ptr.To[int32](1),
		}
	}
}

// requireOneDriver is what must always hold: there is one driver at a time, those that
// are on their way out counted as well.
func (w *world) requireOneDriver() {
	if len(w.pods) > 1 {
		w.t.Fatalf("there are %d drivers in state %q: %v", len(w.pods), w.app.Status.AppState.State, slices.Sorted(maps.Keys(w.pods)))
	}
}

// requireLosses is what must always hold: no loss is counted twice, and none that was
// not.
func (w *world) requireLosses() {
	if counted := losses(w.app).Count; counted > w.lost {
		w.t.Fatalf("%d losses are counted of %d", counted, w.lost)
	}
}

// requireRest is what must hold once nothing happens any more but what the operator
// does: a suspended application has no driver, and any other one has the driver of its
// last submission, or is over.
func (w *world) requireRest() {
	for range 20 {
		w.now = w.now.Add(time.Hour)
		for name, pod := range w.pods {
			if pod.DeletionTimestamp != nil {
				delete(w.pods, name)
			}
		}
		w.operate(false)
		w.requireOneDriver()
	}
	state := w.app.Status.AppState.State
	over := state == v1beta2.ApplicationStateCompleted || state == v1beta2.ApplicationStateFailed
	running := state == v1beta2.ApplicationStateSubmitted || state == v1beta2.ApplicationStateRunning
	switch suspended := ptr.Deref(w.app.Spec.Suspend, false); {
	case suspended && !over && (state != v1beta2.ApplicationStateSuspended || len(w.pods) > 0):
		w.t.Fatalf("a suspended application is %q and has %d drivers", state, len(w.pods))
	case !suspended && !over && !running:
		w.t.Fatalf("the application stays %q", state)
	case running && plan.Edited(w.app):
		w.t.Fatal("an edit is never heeded")
	}
	for _, pod := range w.pods {
		if pod.Labels[plan.LabelSubmissionID] != w.app.Status.SubmissionID {
			w.t.Fatalf("a driver of another submission stays, in state %q", state)
		}
		if phase := pod.Status.Phase; state == v1beta2.ApplicationStateFailed && (phase == corev1.PodPending || phase == corev1.PodRunning) {
			w.t.Fatalf("a driver is %s though the application failed", phase)
		}
	}
}

func TestHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, app: application(nil), pods: map[string]*corev1.Pod{}, now: now}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				w.edit()
			case 1:
				w.lose()
			case 2, 3, 4:
				w.live()
			default:
				w.operate(true)
			}
			w.requireOneDriver()
			w.requireLosses()
		}
		w.requireRest()
	})
}
