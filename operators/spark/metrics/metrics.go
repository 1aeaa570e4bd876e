// Package metrics counts SparkApplications and their executors in the metrics that
// Kubeflow's Spark operator has, by the same names, labels and types, so that
// dashboards and alerts go on as they are. Besides, it tells how long they wait.
package metrics

import (
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"github.com/kubeflow/spark-operator/v2/pkg/common"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/internal/sparkconf"
)

// Metrics are told of every change of an application, and of a pod. They begin with the
// process: what an application came to before that isn't counted again.
type Metrics struct {
	labels labels

	applications, submissions, failedSubmissions *prometheus.CounterVec
	running                                      *prometheus.GaugeVec
	successes, failures                          *prometheus.CounterVec
	successTime, failureTime                     *prometheus.SummaryVec
	submitLatency, startLatency                  latency
	waits                                        waits

	executorsRunning                    *prometheus.GaugeVec
	executorSuccesses, executorFailures *prometheus.CounterVec
}

// Upstream's buckets, and beyond them: an application may wait for hours for its turn.
var (
	submitBuckets = []float64{0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256}
	startBuckets  = []float64{30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 600, 1200, 1800, 3600, 7200, 14400}
)

// New registers the metrics. They are told apart by labels of applications and pods, of
// which "namespace" is the namespace, unless there is a label of that name.
func New(registry prometheus.Registerer, byLabels []string) (*Metrics, error) {
	v := vectors{labels: labels(byLabels).names()}
	m := &Metrics{
		labels: byLabels,

		applications:      v.counter(common.MetricSparkApplicationCount, "Total number of SparkApplication"),
		submissions:       v.counter(common.MetricSparkApplicationSubmitCount, "Total number of submitted SparkApplication"),
		failedSubmissions: v.counter(common.MetricSparkApplicationFailedSubmissionCount, "Total number of failed SparkApplication submission"),
		running:           v.gauge(common.MetricSparkApplicationRunningCount, "Total number of running SparkApplication"),
		successes:         v.counter(common.MetricSparkApplicationSuccessCount, "Total number of successful SparkApplication"),
		failures:          v.counter(common.MetricSparkApplicationFailureCount, "Total number of failed SparkApplication"),
		successTime:       v.summary(common.MetricSparkApplicationSuccessExecutionTimeSeconds, "Time from submission to the end of a SparkApplication that succeeded"),
		failureTime:       v.summary(common.MetricSparkApplicationFailureExecutionTimeSeconds, "Time from submission to the end of a SparkApplication that failed"),
		submitLatency: latency{
			v.summary(common.MetricSparkApplicationSubmitLatencySeconds, "Time from creation to submission of a SparkApplication"),
			v.histogram(common.MetricSparkApplicationSubmitLatencySecondsHistogram, "Time from creation to submission of a SparkApplication, in buckets", submitBuckets),
		},
		startLatency: latency{
			v.summary(common.MetricSparkApplicationStartLatencySeconds, "Time from creation of a SparkApplication until its driver runs"),
			v.histogram(common.MetricSparkApplicationStartLatencySecondsHistogram, "Time from creation of a SparkApplication until its driver runs, in buckets", startBuckets),
		},

		executorsRunning:  v.gauge(common.MetricSparkExecutorRunningCount, "Total number of running Spark executors"),
		executorSuccesses: v.counter(common.MetricSparkExecutorSuccessCount, "Total number of successful Spark executors"),
		executorFailures:  v.counter(common.MetricSparkExecutorFailureCount, "Total number of failed Spark executors"),

		waits: newWaits(&v),
	}
	return m, v.register(registry)
}

// Application is told that an application has changed: before is nil if it is new here,
// and now is nil if it is gone.
func (m *Metrics) Application(before, now *v1beta2.SparkApplication, at time.Time) {
	if isRunning(before) {
		m.running.WithLabelValues(m.labels.of(before)...).Dec()
	}
	if isRunning(now) {
		m.running.WithLabelValues(m.labels.of(now)...).Inc()
	}
	if before != nil && now != nil {
		m.executorsBegan(before, now, at)
	}
	switch {
	case now == nil:
	case before == nil:
		if now.Status.AppState.State == v1beta2.ApplicationStateNew {
			m.applications.WithLabelValues(m.labels.of(now)...).Inc()
		}
	case before.Status.AppState.State != now.Status.AppState.State:
		m.stateChanged(before.Status.AppState.State, now, at)
	}
}

func isRunning(app *v1beta2.SparkApplication) bool {
	return app != nil && app.Status.AppState.State == v1beta2.ApplicationStateRunning
}

// stateChanged counts the state that an application has come to.
func (m *Metrics) stateChanged(from v1beta2.ApplicationStateType, app *v1beta2.SparkApplication, at time.Time) {
	values, status := m.labels.of(app), &app.Status
	age := at.Sub(app.CreationTimestamp.Time)
	// What is edited begins its attempts anew, long after it was created.
	unedited := app.Generation <= 1
	switch status.AppState.State {
	case v1beta2.ApplicationStateSubmitted:
		if !isSubmitting(from) {
			return // It was lost from sight for a while.
		}
		m.submissions.WithLabelValues(values...).Inc()
		if unedited && status.SubmissionAttempts == 1 {
			m.submitLatency.observe(values, age)
		}
	case v1beta2.ApplicationStateFailedSubmission:
		m.failedSubmissions.WithLabelValues(values...).Inc()
	case v1beta2.ApplicationStateRunning:
		if unedited && status.ExecutionAttempts == 1 && from == v1beta2.ApplicationStateSubmitted {
			m.startLatency.observe(values, age)
		}
	case v1beta2.ApplicationStateCompleted:
		m.successes.WithLabelValues(values...).Inc()
		observeRun(m.successTime, values, status)
	case v1beta2.ApplicationStateFailed:
		if isSubmitting(from) { // It can't be submitted at all.
			m.failedSubmissions.WithLabelValues(values...).Inc()
		}
		m.failures.WithLabelValues(values...).Inc()
		observeRun(m.failureTime, values, status)
	}
}

// isSubmitting says whether a state is one from which an application is submitted.
func isSubmitting(state v1beta2.ApplicationStateType) bool {
	return state == v1beta2.ApplicationStateNew || state == v1beta2.ApplicationStatePendingRerun || state == v1beta2.ApplicationStateResuming
}

func observeRun(times *prometheus.SummaryVec, values []string, status *v1beta2.SparkApplicationStatus) {
	if began, ended := status.LastSubmissionAttemptTime, status.TerminationTime; !began.IsZero() && !ended.IsZero() {
		times.WithLabelValues(values...).Observe(ended.Sub(began.Time).Seconds())
	}
}

// Executor is told that a pod has changed, as Application is of applications. Pods that
// are no executors don't count.
func (m *Metrics) Executor(before, now *corev1.Pod) {
	from, to := executorPhase(before), executorPhase(now)
	if from == corev1.PodRunning {
		m.executorsRunning.WithLabelValues(m.labels.of(before)...).Dec()
	}
	if to == corev1.PodRunning {
		m.executorsRunning.WithLabelValues(m.labels.of(now)...).Inc()
	}
	switch {
	case from == to, from == "":
	case to == corev1.PodSucceeded:
		m.executorSuccesses.WithLabelValues(m.labels.of(now)...).Inc()
	case to == corev1.PodFailed:
		m.executorFailures.WithLabelValues(m.labels.of(now)...).Inc()
	}
}

// executorPhase is empty for what is no executor, or isn't there.
func executorPhase(pod *corev1.Pod) corev1.PodPhase {
	if pod == nil || pod.Labels[sparkconf.LabelRole] != sparkconf.RoleExecutor {
		return ""
	}
	return pod.Status.Phase
}
