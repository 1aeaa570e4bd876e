package tensorflow

import (
	"strings"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	metrics "github.com/kubeflow/training-operator/pkg/common"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/operators/tensorflow/plan"
)

// maxNote is what the API server takes as the text of an event.
const maxNote = 1024

// action is what an event says was being done.
const action = "Reconcile"

func (r *Reconciler) tell(job *kubeflow.TFJob, e plan.Event) {
	var related runtime.Object
	if e.Pod != nil {
		related = e.Pod
	}
	r.Events.Eventf(job, related, e.Type, e.Reason, action, "%s", short(e.Message))
}

func (r *Reconciler) tellOf(job *kubeflow.TFJob, object client.Object, kind, reason, message string) {
	r.Events.Eventf(job, object, kind, reason, action, "%s", short(message))
}

func short(message string) string {
	if len(message) < maxNote {
		return message
	}
	const more = "…"
	return strings.ToValidUTF8(message[:maxNote-len(more)-1], "") + more
}

// lower is a kind as upstream's messages have it.
func lower(kind string) string { return strings.ToLower(kind) }

// countChange counts what has become of a job, in upstream's metrics.
func countChange(job *kubeflow.TFJob, old *kubeflow.JobStatus) {
	for kind, count := range map[kubeflow.JobConditionType]func(string, string){
		kubeflow.JobCreated:   metrics.CreatedJobsCounterInc,
		kubeflow.JobSucceeded: metrics.SuccessfulJobsCounterInc,
		kubeflow.JobFailed:    metrics.FailedJobsCounterInc,
	} {
		if plan.IsTrue(&job.Status, kind) && !plan.IsTrue(old, kind) {
			count(job.Namespace, kubeflow.TFJobFrameworkName)
		}
	}
}

func countRestarts(job *kubeflow.TFJob, n int) {
	for range n {
		metrics.RestartedJobsCounterInc(job.Namespace, kubeflow.TFJobFrameworkName)
	}
}

func countDeletion(job *kubeflow.TFJob) {
	metrics.DeletedJobsCounterInc(job.Namespace, kubeflow.TFJobFrameworkName)
}
