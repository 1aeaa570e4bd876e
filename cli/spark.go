package cli

import (
	"cmp"

	sparkv1beta2 "github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/sparkconf"
	"muster.sh/muster/internal/sparkspec"
)

var spark = &kind{
	name: "spark", api: "SparkApplication",
	version: sparkv1beta2.SchemeGroupVersion,
	typed:   sparkspec.Read,
	read:    func(o client.Object) job { return readSpark(o.(*sparkv1beta2.SparkApplication)) },
	suspend: func(o client.Object, yes bool) {
		o.(*sparkv1beta2.SparkApplication).Spec.Suspend = &yes
	},
	labelled: "sparkoperator.k8s.io/app-name",
	role: func(p *corev1.Pod) string {
		if id := p.Labels["spark-exec-id"]; id != "" {
			return "executor-" + id
		}
		return p.Labels[sparkconf.LabelRole]
	},
	lead: []string{"driver"},
}

func readSpark(app *sparkv1beta2.SparkApplication) job {
	state := app.Status.AppState
	j := job{
		state: cmp.Or(string(state.State), "NEW"), reason: state.ErrorMessage,
		queue:  cmp.Or(app.Spec.Driver.Labels[v1alpha1.QueueLabel], app.Spec.SparkConf["spark.kubernetes.driver.label."+v1alpha1.QueueLabel]),
		wanted: 1 + sparkspec.FirstExecutors(&app.Spec),
	}
	if o := app.Spec.BatchSchedulerOptions; o != nil {
		j.queue = cmp.Or(ptr.Deref(o.Queue, ""), j.queue)
	}
	j.failed = state.State == sparkv1beta2.ApplicationStateFailed
	if state.State == sparkv1beta2.ApplicationStateRunning {
		j.progress = app.Annotations[v1alpha1.ProgressAnnotation]
	}
	j.ended = j.failed || state.State == sparkv1beta2.ApplicationStateCompleted
	return j
}
