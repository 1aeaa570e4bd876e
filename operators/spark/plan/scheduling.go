package plan

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/api/v1alpha1"
)

// batchSchedulers are those that an application may ask for. All of them stand for
// Muster, which needs no group of the user's to start an application whole.
var batchSchedulers = []string{"muster", "volcano", "yunikorn", "kube-scheduler"}

// schedule says who schedules the pods, from which queue and how urgently.
func (p *planner) schedule() {
	spec, path := &p.app.Spec, specPath.Child("batchScheduler")
	if name := text(spec.BatchScheduler); name != "" {
		if !slices.Contains(batchSchedulers, name) {
			p.errs = append(p.errs, field.NotSupported(path, name, batchSchedulers))
		}
		if p.options.SchedulerName != "" {
			name = p.options.SchedulerName
		}
		spec.Driver.SchedulerName, spec.Executor.SchedulerName = &name, &name
	} else if p.options.SchedulerName != "" && !p.namesScheduler() {
		p.settings.set(path, "spark.kubernetes.scheduler.name", p.options.SchedulerName)
	}
	options := spec.BatchSchedulerOptions
	if options == nil {
		return
	}
	if queue := text(options.Queue); queue != "" {
		p.setQueue(queue)
	}
	for _, class := range []**string{&spec.Driver.PriorityClassName, &spec.Executor.PriorityClassName} {
		if text(*class) == "" {
			*class = options.PriorityClassName
		}
	}
	if len(options.Resources) > 0 {
		p.plan.Notes = append(p.plan.Notes, "spec.batchSchedulerOptions.resources has no effect: "+
			"what an application needs is computed from its driver and executors")
	}
}

// namesScheduler says whether the user chose a scheduler for any of the pods.
func (p *planner) namesScheduler() bool {
	spec := &p.app.Spec
	for key := range spec.SparkConf {
		if strings.HasPrefix(key, "spark.kubernetes.") && strings.HasSuffix(key, "scheduler.name") {
			return true
		}
	}
	for _, template := range []*string{spec.Driver.SchedulerName, spec.Executor.SchedulerName} {
		if text(template) != "" {
			return true
		}
	}
	return spec.Driver.Template != nil && spec.Driver.Template.Spec.SchedulerName != "" ||
		spec.Executor.Template != nil && spec.Executor.Template.Spec.SchedulerName != ""
}

func (p *planner) setQueue(queue string) {
	path := specPath.Child("batchSchedulerOptions", "queue")
	for _, r := range []role{p.driver(), p.executor()} {
		prefix := "spark.kubernetes." + r.name + "."
		p.settings.set(path, prefix+"label."+v1alpha1.QueueLabel, queue)
		p.settings.set(path, prefix+"annotation."+v1beta1.QueueNameAnnotationKey, queue)
	}
}
