package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/operators/tensorflow/plan"
)

var start = time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)

// newJob makes a job of roles such as "Chief=1 Worker=2", with further changes.
func newJob(roles string, changes ...func(*kubeflow.TFJob)) *kubeflow.TFJob {
	job := &kubeflow.TFJob{
		ObjectMeta: metav1.ObjectMeta{Name: "train", Namespace: "ns", UID: "job"},
		Spec:       kubeflow.TFJobSpec{TFReplicaSpecs: map[kubeflow.ReplicaType]*kubeflow.ReplicaSpec{}},
	}
	for _, role := range strings.Fields(roles) {
		var n int32
		kind, count, _ := strings.Cut(role, "=")
		if _, err := fmt.Sscan(count, &n); err != nil {
			panic(err)
		}
		job.Spec.TFReplicaSpecs[kubeflow.ReplicaType(kind)] = &kubeflow.ReplicaSpec{
			Replicas: &n,
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "tensorflow", Image: "tf"}}}},
		}
	}
	for _, change := range changes {
		change(job)
	}
	return job
}

func restarts(policy kubeflow.RestartPolicy) func(*kubeflow.TFJob) {
	return func(job *kubeflow.TFJob) {
		for _, spec := range job.Spec.TFReplicaSpecs {
			spec.RestartPolicy = policy
		}
	}
}

func cleans(policy kubeflow.CleanPodPolicy) func(*kubeflow.TFJob) {
	return func(job *kubeflow.TFJob) { job.Spec.RunPolicy.CleanPodPolicy = &policy }
}

func backoffLimit(n int32) func(*kubeflow.TFJob) {
	return func(job *kubeflow.TFJob) { job.Spec.RunPolicy.BackoffLimit = &n }
}

func suspended(yes bool) func(*kubeflow.TFJob) {
	return func(job *kubeflow.TFJob) { job.Spec.RunPolicy.Suspend = &yes }
}

func scheduled(policy kubeflow.SchedulingPolicy) func(*kubeflow.TFJob) {
	return func(job *kubeflow.TFJob) { job.Spec.RunPolicy.SchedulingPolicy = &policy }
}

// world is an API server with one job, and all that a plan changes.
type world struct {
	opts     plan.Options
	job      *kubeflow.TFJob // nil once it is deleted
	pods     map[string]*corev1.Pod
	services map[string]*corev1.Service
	group    *volcano.PodGroup
	now      time.Time

	made int // pods so far, for their UIDs
	// events so far, as "Reason: message".
	events []string
	// replaced counts pods that were deleted because they had failed.
	replaced int
}

func newWorld(job *kubeflow.TFJob) *world {
	return &world{
		opts: plan.Options{SchedulerName: "muster", Gangs: config.GangByPodGroup},
		job:  job, pods: map[string]*corev1.Pod{}, services: map[string]*corev1.Service{}, now: start,
	}
}

func (w *world) observe() plan.Observed {
	return plan.Observed{
		Job: w.job, Pods: sorted(w.pods), Services: sorted(w.services), Group: w.group, Now: w.now,
	}
}

func sorted[K ~string, T any](objects map[K]T) []T {
	var all []T
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		all = append(all, objects[name])
	}
	return all
}

func (w *world) plan() plan.Plan { return plan.Make(w.observe(), w.opts) }

// writes are what a plan has the API server do, in order.
func (w *world) writes(p plan.Plan) []func() {
	var writes []func()
	write := func(f func()) { writes = append(writes, f) }
	if p.Restarts != nil {
		write(func() {
			metav1.SetMetaDataAnnotation(&w.job.ObjectMeta, v1alpha1.RestartsAnnotation, p.Restarts.Annotation())
		})
	}
	write(func() {
		w.job.Status = p.Status
		for _, e := range p.Events {
			w.events = append(w.events, e.Reason+": "+e.Message)
		}
	})
	for _, pod := range p.DeletePods {
		write(func() { w.delete(pod) })
	}
	for _, service := range p.DeleteServices {
		write(func() { delete(w.services, service.Name) })
	}
	if p.DeleteGroup != nil {
		write(func() { w.group = nil })
	}
	if p.DeleteJob {
		write(func() { w.job = nil })
	}
	for _, service := range p.CreateServices {
		write(func() { w.services[service.Name] = service })
	}
	if p.Group != nil {
		write(func() { w.group = p.Group })
	}
	for _, pod := range p.CreatePods {
		write(func() { w.create(pod) })
	}
	return writes
}

// delete deletes a pod as the API server does: at once if nothing of it runs.
func (w *world) delete(pod *corev1.Pod) {
	old := w.pods[pod.Name]
	if old == nil || old.UID != pod.UID {
		return
	}
	if old.Status.Phase == corev1.PodFailed && !lost(old) && slices.Contains(w.wanted(), pod.Name) {
		w.replaced++
	}
	if old.Status.Phase != corev1.PodRunning {
		delete(w.pods, pod.Name)
		return
	}
	leaving := old.DeepCopy()
	leaving.DeletionTimestamp = &metav1.Time{Time: w.now}
	w.pods[pod.Name] = leaving
}

func (w *world) create(pod *corev1.Pod) {
	if w.pods[pod.Name] != nil {
		panic("pod " + pod.Name + " exists")
	}
	w.made++
	made := pod.DeepCopy()
	made.UID = types.UID(fmt.Sprint("pod-", w.made))
	made.Status.Phase = corev1.PodPending
	w.pods[pod.Name] = made
}

// step plans once and does all of it.
func (w *world) step() plan.Plan {
	p := w.plan()
	for _, write := range w.writes(p) {
		write()
	}
	return p
}

// settle plans until nothing is left to do. What is being deleted goes in between.
func (w *world) settle() error {
	const enough = 10
	for range enough {
		if w.job == nil {
			return nil
		}
		p, before := w.plan(), w.job.Status.DeepCopy()
		if quiet(p) && equal(*before, p.Status) {
			return nil
		}
		for _, write := range w.writes(p) {
			write()
		}
		w.gone()
	}
	return fmt.Errorf("after %d plans there is still one: %+v", enough, w.plan())
}

func quiet(p plan.Plan) bool {
	return !p.Creates() && p.Restarts == nil && len(p.DeletePods)+len(p.DeleteServices) == 0 && p.DeleteGroup == nil && !p.DeleteJob
}

// gone lets pods go that are being deleted.
func (w *world) gone() {
	maps.DeleteFunc(w.pods, func(_ string, pod *corev1.Pod) bool { return pod.DeletionTimestamp != nil })
}

// set changes a pod's status, as its kubelet does.
func (w *world) set(name string, status corev1.PodStatus) {
	pod := w.pods["train-"+name]
	if pod == nil {
		panic("no pod train-" + name)
	}
	pod = pod.DeepCopy()
	pod.Status = status
	w.pods[pod.Name] = pod
}

func (w *world) run(names ...string) {
	for _, name := range names {
		w.set(name, corev1.PodStatus{Phase: corev1.PodRunning})
	}
}

func (w *world) exit(name string, code int32) {
	phase := corev1.PodSucceeded
	if code != 0 {
		phase = corev1.PodFailed
	}
	w.set(name, corev1.PodStatus{Phase: phase, ContainerStatuses: []corev1.ContainerStatus{{
		Name: "tensorflow", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}},
	}}})
}

func (w *world) lose(name string) {
	w.set(name, corev1.PodStatus{Phase: corev1.PodFailed, Conditions: []corev1.PodCondition{
		{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue},
	}})
}

func lost(pod *corev1.Pod) bool { return len(pod.Status.Conditions) > 0 }

// is reports the job's condition that came last and is true.
func (w *world) is() kubeflow.JobConditionType {
	for _, c := range slices.Backward(w.job.Status.Conditions) {
		if c.Status == corev1.ConditionTrue {
			return c.Type
		}
	}
	return ""
}

// wanted are the pods that the job should have.
func (w *world) wanted() []string {
	s := &w.job.Status
	if plan.IsTrue(s, kubeflow.JobSucceeded) || plan.IsTrue(s, kubeflow.JobFailed) || ptr.Deref(w.job.Spec.RunPolicy.Suspend, false) {
		return nil
	}
	var names []string
	for kind, spec := range w.job.Spec.TFReplicaSpecs {
		for i := range *spec.Replicas {
			names = append(names, fmt.Sprintf("train-%s-%d", strings.ToLower(string(kind)), i))
		}
	}
	slices.Sort(names)
	return names
}

func (w *world) names() []string { return slices.Sorted(maps.Keys(w.pods)) }

func (w *world) fail(name string) { w.set(name, corev1.PodStatus{Phase: corev1.PodFailed}) }

func (w *world) restartInPlace(name string, times int32) {
	w.set(name, corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{
		{Name: "tensorflow", RestartCount: times},
	}})
}

// change changes the job as its user does.
func (w *world) change(how func(*kubeflow.TFJob)) {
	w.job = w.job.DeepCopy()
	how(w.job)
}

// must settles.
func (w *world) must() {
	if err := w.settle(); err != nil {
		panic(err)
	}
}
