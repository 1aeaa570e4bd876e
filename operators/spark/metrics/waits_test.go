package metrics

import (
	"testing"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestADriversWaitIsObservedOnce(t *testing.T) {
	pod := func(role string, status corev1.ConditionStatus) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"spark-role": role}, CreationTimestamp: metav1.NewTime(created)},
			Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{
				Type: corev1.PodScheduled, Status: status, LastTransitionTime: metav1.NewTime(created.Add(40 * time.Second)),
			}}},
		}
	}
	waiting, placed := pod("driver", corev1.ConditionFalse), pod("driver", corev1.ConditionTrue)
	for name, tc := range map[string]struct {
		seen []*corev1.Pod
		want map[string]float64
	}{
		"one that waits and is placed": {
			[]*corev1.Pod{nil, waiting, placed, placed, nil},
			map[string]float64{"spark_application_queue_wait_seconds_sum": 40, "spark_application_queue_wait_seconds_count": 1}},
		"one that goes while it waits":                   {[]*corev1.Pod{nil, waiting, nil}, map[string]float64{}},
		"one that has its place when the process starts": {[]*corev1.Pod{nil, placed}, map[string]float64{}},
		"an executor": {[]*corev1.Pod{nil, pod("executor", corev1.ConditionFalse), pod("executor", corev1.ConditionTrue)}, map[string]float64{}},
	} {
		t.Run(name, func(t *testing.T) {
			m, registry := newMetrics(t)
			for i := range tc.seen[1:] {
				m.Driver(tc.seen[i], tc.seen[i+1])
			}
			requireValues(t, registry, tc.want)
		})
	}
}

// with is a running application of some executors, of which so many have begun.
func with(instances int32, begun int, changes ...func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	app := in(v1beta2.ApplicationStateUnknown, changes...)
	app.Spec.Executor.Instances = &instances
	app.Status.ExecutorState = map[string]v1beta2.ExecutorState{"later": v1beta2.ExecutorStatePending}
	for i := range begun {
		app.Status.ExecutorState[string(rune('a'+i))] = []v1beta2.ExecutorState{v1beta2.ExecutorStateRunning, v1beta2.ExecutorStateFailed}[i%2]
	}
	return app
}

func anotherRun(app *v1beta2.SparkApplication) { app.Status.SubmissionID = "another" }

func TestWaitsForExecutorsAreObservedOnceARun(t *testing.T) {
	const first, gang = "spark_application_first_executor_seconds", "spark_application_gang_wait_seconds"
	for name, tc := range map[string]struct {
		seen []*v1beta2.SparkApplication
		want map[string]float64
	}{
		"executors that come one after the other": {
			[]*v1beta2.SparkApplication{with(3, 0), with(3, 1), with(3, 2), with(3, 3), with(3, 4)},
			map[string]float64{first + "_sum": 90, first + "_count": 1, gang + "_sum": 290, gang + "_count": 1}},
		"executors that come at once": {
			[]*v1beta2.SparkApplication{with(2, 0), with(2, 2), with(2, 2)},
			map[string]float64{first + "_sum": 90, first + "_count": 1, gang + "_sum": 90, gang + "_count": 1}},
		"a driver alone": {
			[]*v1beta2.SparkApplication{with(0, 0), with(0, 1)},
			map[string]float64{first + "_sum": 90, first + "_count": 1}},
		"another run": {
			[]*v1beta2.SparkApplication{with(1, 1), with(1, 0, anotherRun), with(1, 1, anotherRun)},
			map[string]float64{first + "_sum": 190, first + "_count": 1, gang + "_sum": 190, gang + "_count": 1}},
		"what ran before the process":  {[]*v1beta2.SparkApplication{nil, with(1, 1), with(1, 1)}, map[string]float64{}},
		"one that was never submitted": {[]*v1beta2.SparkApplication{with(1, 0, neverSubmitted), with(1, 1, neverSubmitted)}, map[string]float64{}},
	} {
		t.Run(name, func(t *testing.T) {
			m, registry := newMetrics(t)
			for i := range tc.seen[1:] {
				m.Application(tc.seen[i], tc.seen[i+1], created.Add(time.Duration(i+1)*100*time.Second))
			}
			requireValues(t, registry, tc.want)
		})
	}
}
