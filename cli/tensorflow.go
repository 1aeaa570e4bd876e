package cli

import (
	"cmp"
	"strings"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/loose"
)

var tensorflow = &kind{
	name: "tf", api: kubeflow.TFJobKind,
	version: kubeflow.SchemeGroupVersion,
	typed:   loose.Reader[kubeflow.TFJob](),
	read:    func(o client.Object) job { return readTF(o.(*kubeflow.TFJob)) },
	suspend: func(o client.Object, yes bool) {
		o.(*kubeflow.TFJob).Spec.RunPolicy.Suspend = &yes
	},
	labelled: kubeflow.JobNameLabel,
	role: func(p *corev1.Pod) string {
		return p.Labels[kubeflow.ReplicaTypeLabel] + "-" + p.Labels[kubeflow.ReplicaIndexLabel]
	},
	lead: []string{"chief-0", "master-0", "worker-0"},
}

func readTF(tf *kubeflow.TFJob) job {
	j := job{state: "New", queue: tf.Labels[v1alpha1.QueueLabel]}
	if p := tf.Spec.RunPolicy.SchedulingPolicy; p != nil {
		j.queue = cmp.Or(p.Queue, j.queue)
	}
	for _, r := range tf.Spec.TFReplicaSpecs {
		if r != nil {
			j.wanted += int(ptr.Deref(r.Replicas, 1))
		}
	}
	for _, c := range tf.Status.Conditions {
		if c.Status == corev1.ConditionTrue {
			j.state, j.reason = string(c.Type), c.Message
		}
	}
	j.failed = j.state == string(kubeflow.JobFailed)
	j.ended = j.failed || j.state == string(kubeflow.JobSucceeded)
	if !j.failed && !strings.EqualFold(j.state, string(kubeflow.JobSuspended)) {
		j.reason = "" // it only says the state once more
	}
	return j
}
