package cli

import (
	"cmp"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"muster.sh/muster/api/v1alpha1"
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
	version   schema.GroupVersion
	// typed makes an object of the Go type, whatever is stored.
	typed func(*unstructured.Unstructured) client.Object
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

// stored is an object of the kind as it is stored, still empty; list is one of such objects.
// A typed list would be refused as a whole for one object that doesn't fit the type.
func (k *kind) stored() *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(k.version.WithKind(k.api))
	return o
}

func (k *kind) list() *unstructured.UnstructuredList {
	l := &unstructured.UnstructuredList{}
	l.SetGroupVersionKind(k.version.WithKind(k.api + "List"))
	return l
}

// jobOf is what there is to show of an object that is stored. What can't be read of it is
// the reason, if there is no other.
func (k *kind) jobOf(stored *unstructured.Unstructured) job {
	o := k.typed(stored)
	j := k.job(o)
	j.reason = cmp.Or(j.reason, o.GetAnnotations()[v1alpha1.UnreadableAnnotation])
	return j
}

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
