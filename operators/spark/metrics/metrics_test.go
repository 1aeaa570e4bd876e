package metrics

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var created = time.Unix(1700000000, 0)

// in is an application that was submitted 10 s after its creation, and ended after 50 s,
// in a state.
func in(state v1beta2.ApplicationStateType, changes ...func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{
		Namespace: "a", Name: "pi", Generation: 1, CreationTimestamp: metav1.NewTime(created),
	}}
	app.Status.AppState.State = state
	app.Status.SubmissionAttempts, app.Status.ExecutionAttempts = 1, 1
	app.Status.LastSubmissionAttemptTime = metav1.NewTime(created.Add(10 * time.Second))
	app.Status.TerminationTime = metav1.NewTime(created.Add(60 * time.Second))
	for _, change := range changes {
		change(app)
	}
	return app
}

func again(app *v1beta2.SparkApplication) {
	app.Status.SubmissionAttempts, app.Status.ExecutionAttempts = 2, 2
}

func edited(app *v1beta2.SparkApplication) { app.Generation = 2 }

func neverSubmitted(app *v1beta2.SparkApplication) {
	app.Status.LastSubmissionAttemptTime = metav1.Time{}
}

func TestApplicationsAreCountedByTheirStates(t *testing.T) {
	const (
		fresh, submitted, running = v1beta2.ApplicationStateNew, v1beta2.ApplicationStateSubmitted, v1beta2.ApplicationStateRunning
		succeeding, completed     = v1beta2.ApplicationStateSucceeding, v1beta2.ApplicationStateCompleted
		failing, failed           = v1beta2.ApplicationStateFailing, v1beta2.ApplicationStateFailed
		refused, rerun, unknown   = v1beta2.ApplicationStateFailedSubmission, v1beta2.ApplicationStatePendingRerun, v1beta2.ApplicationStateUnknown
	)
	for name, tc := range map[string]struct {
		// seen are the states of an application, one after the other; nil is none.
		seen []*v1beta2.SparkApplication
		want map[string]float64
	}{
		"one that succeeds": {
			[]*v1beta2.SparkApplication{nil, in(fresh), in(submitted), in(running), in(succeeding), in(completed)},
			map[string]float64{
				"spark_application_count": 1, "spark_application_submit_count": 1, "spark_application_success_count": 1, "spark_application_running_count": 0,
				"spark_application_submit_latency_seconds_sum": 200, "spark_application_submit_latency_seconds_count": 1,
				"spark_application_submit_latency_seconds_histogram_sum": 200, "spark_application_submit_latency_seconds_histogram_count": 1,
				"spark_application_start_latency_seconds_sum": 300, "spark_application_start_latency_seconds_count": 1,
				"spark_application_start_latency_seconds_histogram_sum": 300, "spark_application_start_latency_seconds_histogram_count": 1,
				"spark_application_success_execution_time_seconds_sum": 50, "spark_application_success_execution_time_seconds_count": 1,
			}},
		"one that fails and is run again": {
			[]*v1beta2.SparkApplication{nil, in(fresh), in(submitted), in(failing), in(rerun), in(submitted, again), in(running, again), in(failing, again), in(failed, again)},
			map[string]float64{
				"spark_application_count": 1, "spark_application_submit_count": 2, "spark_application_failure_count": 1, "spark_application_running_count": 0,
				"spark_application_submit_latency_seconds_sum": 200, "spark_application_submit_latency_seconds_count": 1,
				"spark_application_submit_latency_seconds_histogram_sum": 200, "spark_application_submit_latency_seconds_histogram_count": 1,
				"spark_application_failure_execution_time_seconds_sum": 50, "spark_application_failure_execution_time_seconds_count": 1,
			}},
		"one that is refused, and then has no more tries": {
			[]*v1beta2.SparkApplication{in(fresh), in(refused), in(failed)},
			map[string]float64{
				"spark_application_failed_submission_count": 1, "spark_application_failure_count": 1,
				"spark_application_failure_execution_time_seconds_sum": 50, "spark_application_failure_execution_time_seconds_count": 1,
			}},
		"one that is refused for good": {
			[]*v1beta2.SparkApplication{in(fresh), in(failed, neverSubmitted)},
			map[string]float64{"spark_application_failed_submission_count": 1, "spark_application_failure_count": 1}},
		"one that was edited has no latency": {
			[]*v1beta2.SparkApplication{in(rerun, edited), in(submitted, edited), in(running, edited)},
			map[string]float64{"spark_application_submit_count": 1, "spark_application_running_count": 1}},
		"one that was out of sight is submitted and started once": {
			[]*v1beta2.SparkApplication{in(submitted), in(running), in(unknown), in(submitted), in(unknown), in(running)},
			map[string]float64{
				"spark_application_running_count":             1,
				"spark_application_start_latency_seconds_sum": 100, "spark_application_start_latency_seconds_count": 1,
				"spark_application_start_latency_seconds_histogram_sum": 100, "spark_application_start_latency_seconds_histogram_count": 1,
			}},
		"what is over when the process starts isn't counted again": {
			[]*v1beta2.SparkApplication{nil, in(completed)}, map[string]float64{}},
		"what runs when the process starts is running": {
			[]*v1beta2.SparkApplication{nil, in(running)}, map[string]float64{"spark_application_running_count": 1}},
		"what is gone does not run": {
			[]*v1beta2.SparkApplication{nil, in(running), nil}, map[string]float64{"spark_application_running_count": 0}},
		"nothing but its state counts": {
			[]*v1beta2.SparkApplication{in(submitted), in(submitted, edited)}, map[string]float64{}},
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

func executor(phase corev1.PodPhase) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "a", Labels: map[string]string{"spark-role": "executor", "example.com/team": "x"}},
		Status:     corev1.PodStatus{Phase: phase},
	}
}

func TestExecutorsAreCountedByTheirPhases(t *testing.T) {
	driver := executor(corev1.PodRunning)
	driver.Labels["spark-role"] = "driver"
	for name, tc := range map[string]struct {
		seen []*corev1.Pod
		want map[string]float64
	}{
		"one that succeeds": {
			[]*corev1.Pod{nil, executor(corev1.PodPending), executor(corev1.PodRunning), executor(corev1.PodSucceeded), nil},
			map[string]float64{"spark_executor_running_count": 0, "spark_executor_success_count": 1}},
		"one that fails": {
			[]*corev1.Pod{nil, executor(corev1.PodRunning), executor(corev1.PodFailed), executor(corev1.PodFailed), nil},
			map[string]float64{"spark_executor_running_count": 0, "spark_executor_failure_count": 1}},
		"one that is killed": {
			[]*corev1.Pod{nil, executor(corev1.PodRunning), executor(corev1.PodRunning), nil},
			map[string]float64{"spark_executor_running_count": 0}},
		"one that runs when the process starts": {
			[]*corev1.Pod{nil, executor(corev1.PodRunning)}, map[string]float64{"spark_executor_running_count": 1}},
		"what is over when the process starts isn't counted again": {
			[]*corev1.Pod{nil, executor(corev1.PodSucceeded)}, map[string]float64{}},
		"a driver is none": {
			[]*corev1.Pod{nil, driver}, map[string]float64{}},
	} {
		t.Run(name, func(t *testing.T) {
			m, registry := newMetrics(t)
			for i := range tc.seen[1:] {
				m.Executor(tc.seen[i], tc.seen[i+1])
			}
			requireValues(t, registry, tc.want)
		})
	}
}

func TestMetricsAreToldApartByLabels(t *testing.T) {
	m, registry := newMetrics(t, "namespace", "example.com/team", "tier")
	m.Executor(nil, executor(corev1.PodRunning))
	m.Application(nil, in(v1beta2.ApplicationStateNew, func(app *v1beta2.SparkApplication) { app.Labels = map[string]string{"tier": "1"} }), created)
	requireValues(t, registry, map[string]float64{
		"spark_executor_running_count{example_com_team=x,namespace=a,tier=Unknown}": 1,
		"spark_application_count{example_com_team=Unknown,namespace=a,tier=1}":      1,
	})
}

func TestLabelsThatMeanTheSameAreRefused(t *testing.T) {
	if _, err := New(prometheus.NewPedanticRegistry(), []string{"a-b", "a.b"}); err == nil || !strings.Contains(err.Error(), "a_b") {
		t.Errorf("error %v", err)
	}
}

func newMetrics(t *testing.T, byLabels ...string) (*Metrics, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	m, err := New(registry, byLabels)
	if err != nil {
		t.Fatal(err)
	}
	return m, registry
}

// requireValues compares all that there is in a registry.
func requireValues(t *testing.T, registry *prometheus.Registry, want map[string]float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				labels = append(labels, label.GetName()+"="+label.GetValue())
			}
			name, suffix := family.GetName(), ""
			if len(labels) > 0 {
				suffix = fmt.Sprintf("{%s}", strings.Join(labels, ","))
			}
			if metric.GetSummary() == nil && metric.GetHistogram() == nil {
				got[name+suffix] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
				continue
			}
			got[name+"_sum"+suffix] = metric.GetSummary().GetSampleSum() + metric.GetHistogram().GetSampleSum()
			got[name+"_count"+suffix] = float64(metric.GetSummary().GetSampleCount() + metric.GetHistogram().GetSampleCount())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counted is something else (-want +got):\n%s", diff)
	}
}
