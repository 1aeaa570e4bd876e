package life

import (
	"strings"
	"testing"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"muster.sh/muster/api/v1alpha1"
)

func disrupted(pod *corev1.Pod) {
	exited(143)(pod)
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "EvictionByEvictionAPI"}}
}

func TestADriverThatIsLostIsRememberedOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		drivers func(*v1beta2.SparkApplication) []*corev1.Pod
		known   Losses
		want    *Losses
	}{
		"it is evicted, preempted, or its node is gone": {of(corev1.PodFailed, disrupted), Losses{}, &Losses{1, "this"}},
		"a kubelet has evicted it":                      {of(corev1.PodFailed, func(pod *corev1.Pod) { pod.Status.Reason = "Evicted" }), Losses{}, &Losses{1, "this"}},
		"it is deleted while it runs": {of(corev1.PodFailed, func(pod *corev1.Pod) {
			exited(143)(pod)
			pod.DeletionTimestamp = ptr.To(metav1.NewTime(now))
		}), Losses{}, &Losses{1, "this"}},
		"it is gone":                       {func(*v1beta2.SparkApplication) []*corev1.Pod { return nil }, Losses{}, &Losses{1, "this"}},
		"it is not the first":              {of(corev1.PodFailed, disrupted), Losses{2, "other"}, &Losses{3, "this"}},
		"it is remembered already":         {of(corev1.PodFailed, disrupted), Losses{2, "this"}, nil},
		"its program fails":                {of(corev1.PodFailed, exited(1)), Losses{}, nil},
		"its program takes too much room":  {of(corev1.PodFailed, exited(137)), Losses{}, nil},
		"it has succeeded all the same":    {of(corev1.PodSucceeded, func(pod *corev1.Pod) { disrupted(pod); exited(0)(pod) }), Losses{}, nil},
		"it runs, and is about to be lost": {of(corev1.PodRunning, func(pod *corev1.Pod) { disrupted(pod); pod.Status.ContainerStatuses = nil }), Losses{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			app := submitted(v1beta2.ApplicationStateRunning, nil)
			app.Status.SubmissionID = "this"
			app.Annotations = map[string]string{v1alpha1.LossesAnnotation: tc.known.Annotation()}
			got := Next(Seen{App: app, Drivers: tc.drivers(app), Now: now}).Losses
			if (got == nil) != (tc.want == nil) || got != nil && *got != *tc.want {
				t.Errorf("it is remembered as %v, not %v", got, tc.want)
			}
		})
	}
}

func of(phase corev1.PodPhase, change func(*corev1.Pod)) func(*v1beta2.SparkApplication) []*corev1.Pod {
	return func(app *v1beta2.SparkApplication) []*corev1.Pod { return driverOf(app, phase, change) }
}

func TestALossCostsNoRetry(t *testing.T) {
	for name, tc := range map[string]struct {
		policy  v1beta2.RestartPolicyType
		retries string // the annotation
		runs    int32
		losses  Losses
		later   time.Duration
		state   v1beta2.ApplicationStateType
		after   time.Duration
	}{
		"the first of a program without retries":  {policy: "OnFailure", runs: 1, losses: Losses{1, "this"}, later: time.Minute, state: "PENDING_RERUN"},
		"it waits a while":                        {policy: "OnFailure", runs: 1, losses: Losses{1, "this"}, state: "FAILING", after: 10 * time.Second},
		"and longer each time":                    {policy: "OnFailure", runs: 3, losses: Losses{3, "this"}, state: "FAILING", after: 30 * time.Second},
		"the last that is spared":                 {policy: "OnFailure", runs: 3, losses: Losses{3, "this"}, later: time.Minute, state: "PENDING_RERUN"},
		"one too many":                            {policy: "OnFailure", runs: 4, losses: Losses{4, "this"}, later: time.Minute, state: "FAILED"},
		"the program's own failure after a loss":  {policy: "OnFailure", runs: 2, losses: Losses{1, "other"}, later: time.Minute, state: "FAILED"},
		"as many as the user allows":              {policy: "OnFailure", retries: "5", runs: 5, losses: Losses{5, "this"}, later: time.Hour, state: "PENDING_RERUN"},
		"none, if the user allows none":           {policy: "OnFailure", retries: "0", runs: 1, losses: Losses{1, "this"}, later: time.Minute, state: "FAILED"},
		"none of what is never to be run again":   {policy: "Never", runs: 1, losses: Losses{1, "this"}, later: time.Minute, state: "FAILED"},
		"unless the user allows it":               {policy: "Never", retries: "1", runs: 1, losses: Losses{1, "this"}, later: time.Minute, state: "PENDING_RERUN"},
		"what is always run again needs no count": {policy: "Always", runs: 9, losses: Losses{9, "this"}, later: time.Hour, state: "PENDING_RERUN"},
	} {
		t.Run(name, func(t *testing.T) {
			app := submitted(v1beta2.ApplicationStateFailing, withPolicy(tc.policy, 0, 10))
			app.Status.SubmissionID, app.Status.ExecutionAttempts, app.Status.AppState.ErrorMessage = "this", tc.runs, "driver pod not found"
			app.Annotations = map[string]string{v1alpha1.LossesAnnotation: tc.losses.Annotation()}
			if tc.retries != "" {
				app.Annotations[v1alpha1.InfrastructureRetriesAnnotation] = tc.retries
			}
			step := Next(Seen{App: app, Now: now.Add(tc.later)})
			if step.Status.AppState.State != tc.state || step.After != tc.after {
				t.Errorf("it is %s and looked at after %s", step.Status.AppState.State, step.After)
			}
			told := false
			for _, event := range step.Events {
				told = told || strings.Contains(event.Message, "that cost no retry")
			}
			if spared := tc.state == "PENDING_RERUN" && tc.policy != "Always"; told != spared {
				t.Errorf("it is told: %v", step.Events)
			}
		})
	}
}
