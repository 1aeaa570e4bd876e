package cli

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// job is one of any kind, as it is shown.
type job struct {
	kind   *kind
	object client.Object
	queue  string
	// state is a word of the kind's own, and reason why it is in it, if there is more to
	// say.
	state, reason string
	// progress is how far it has come, if that is known.
	progress string
	// ended says that nothing more becomes of it, and failed that it did not end well.
	ended, failed bool
	// wanted is how many pods it has when it is complete, of those that are known.
	wanted int
}

// kind is a kind of jobs.
type kind struct {
	// name as users write it, such as spark, and as the API has it.
	name, api string
	// list returns all that there are in a namespace, or in all.
	list func() client.ObjectList
	each func(client.ObjectList) []client.Object
	make func() client.Object
	// read tells what there is to show of one. Use job.
	read func(client.Object) job
	// suspend has it suspended, or resumed.
	suspend func(client.Object, bool)
	// labelled is the label of its pods that has its name.
	labelled string
	// role of a pod, such as driver or worker-1.
	role func(*corev1.Pod) string
	// lead is in which order roles are looked for whose log is shown by default.
	lead []string
}

var kinds = []*kind{spark, tensorflow}

// job is what there is to show of an object.
func (k *kind) job(o client.Object) job {
	j := k.read(o)
	j.kind, j.object = k, o
	return j
}

func (j *job) name() string { return j.kind.name + "/" + j.object.GetName() }

func (j *job) age() time.Duration { return time.Since(j.object.GetCreationTimestamp().Time) }

// running counts the pods of a job that run.
func running(pods []corev1.Pod) int {
	n := 0
	for i := range pods {
		if pods[i].Status.Phase == corev1.PodRunning {
			n++
		}
	}
	return n
}

// waitsFor is why the first of some pods is not scheduled that says so.
func waitsFor(pods []corev1.Pod) string {
	for i := range pods {
		for _, c := range pods[i].Status.Conditions {
			if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Message != "" {
				return c.Message
			}
		}
	}
	return ""
}
