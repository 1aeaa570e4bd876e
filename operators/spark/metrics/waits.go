package metrics

import (
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/internal/sparkspec"
)

// waits are what upstream has no metrics of: how long an application has to wait for room,
// for its first executor, and for all that it begins with.
type waits struct {
	queue, firstExecutor, gang *prometheus.HistogramVec
}

var waitBuckets = []float64{1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400}

func newWaits(v *vectors) waits {
	return waits{
		queue:         v.histogram("spark_application_queue_wait_seconds", "Time from creation of a driver until it has a node", waitBuckets),
		firstExecutor: v.histogram("spark_application_first_executor_seconds", "Time from submission of a SparkApplication until its first executor runs", waitBuckets),
		gang:          v.histogram("spark_application_gang_wait_seconds", "Time from submission of a SparkApplication until all executors run that it begins with", waitBuckets),
	}
}

// Driver is told that a pod has changed, as Executor is. Pods that are no drivers don't
// count.
func (m *Metrics) Driver(before, now *corev1.Pod) {
	if before == nil || now == nil || now.Labels[sparkconf.LabelRole] != sparkconf.RoleDriver || scheduledAt(before) != nil {
		return
	}
	if at := scheduledAt(now); at != nil {
		m.waits.queue.WithLabelValues(m.labels.of(now)...).Observe(max(at.Sub(now.CreationTimestamp.Time), 0).Seconds())
	}
}

// scheduledAt is when a pod was given a node, or nil.
func scheduledAt(pod *corev1.Pod) *time.Time {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionTrue {
			return &condition.LastTransitionTime.Time
		}
	}
	return nil
}

// executorsBegan observes the waits that are over with a change of an application.
func (m *Metrics) executorsBegan(before, now *v1beta2.SparkApplication, at time.Time) {
	submitted := now.Status.LastSubmissionAttemptTime.Time
	if before.Status.SubmissionID != now.Status.SubmissionID || submitted.IsZero() {
		return
	}
	values, wait := m.labels.of(now), at.Sub(submitted).Seconds()
	then, began, first := begun(before), begun(now), sparkspec.FirstExecutors(&now.Spec)
	if then == 0 && began > 0 {
		m.waits.firstExecutor.WithLabelValues(values...).Observe(wait)
	}
	if then < first && began >= first {
		m.waits.gang.WithLabelValues(values...).Observe(wait)
	}
}

// begun is how many executors of a run have got beyond waiting.
func begun(app *v1beta2.SparkApplication) int {
	n := 0
	for _, state := range app.Status.ExecutorState {
		if state != v1beta2.ExecutorStatePending {
			n++
		}
	}
	return n
}
