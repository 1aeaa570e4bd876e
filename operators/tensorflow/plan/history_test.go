package plan_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/operators/tensorflow/plan"
)

// history is a random history of a job. After each step of it:
//
//   - the same observation gives the same plan;
//   - no plan makes a pod for a replica that has one, or two of one name;
//   - a job never succeeds and fails, and what has finished stays so, and makes nothing;
//   - no more pods that have failed are replaced than the backoffLimit allows;
//   - of a finished job those pods stay that its cleanPodPolicy keeps.
//
// And wherever it is broken off, plans alone lead to where there is nothing left to
// do; then a job that runs has all its pods and services and no other, and a suspended
// one none.
type history struct {
	*world
	t *rapid.T
	// kept are pods that the finished job must keep, until somebody else deletes them.
	kept map[string]bool
	end  kubeflow.JobConditionType
}

func randomJob(t *rapid.T) *kubeflow.TFJob {
	roles := rapid.SampledFrom([]string{"Worker=1", "Worker=3", "PS=1 Worker=2", "Chief=1 Worker=2", "Chief=1 PS=2 Worker=2 Evaluator=1", "Master=1", "PS=1"}).Draw(t, "roles")
	job := newJob(roles)
	for _, spec := range sorted(job.Spec.TFReplicaSpecs) {
		spec.RestartPolicy = rapid.SampledFrom([]kubeflow.RestartPolicy{"", "Always", "OnFailure", "Never", "ExitCode"}).Draw(t, "restart policy")
	}
	cleans(rapid.SampledFrom([]kubeflow.CleanPodPolicy{"", "All", "Running", "None"}).Draw(t, "clean"))(job)
	job.Spec.EnableDynamicWorker = rapid.Bool().Draw(t, "dynamic")
	if rapid.Bool().Draw(t, "limited") {
		backoffLimit(rapid.Int32Range(0, 3).Draw(t, "backoffLimit"))(job)
	}
	if rapid.Bool().Draw(t, "all workers") {
		job.Spec.SuccessPolicy = ptr.To(kubeflow.SuccessPolicyAllWorkers)
	}
	if rapid.Bool().Draw(t, "deadline") {
		job.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To[int64](100)
	}
	if rapid.Bool().Draw(t, "ttl") {
		job.Spec.RunPolicy.TTLSecondsAfterFinished = ptr.To[int32](100)
	}
	return job
}

func TestHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{world: newWorld(randomJob(t)), t: t, kept: map[string]bool{}}
		h.opts.Gangs = rapid.SampledFrom([]config.GangDeclaration{config.GangByPodGroup, config.GangByAnnotation, config.GangNone}).Draw(t, "gangs")
		t.Repeat(map[string]func(*rapid.T){
			"plan":    func(*rapid.T) { h.carryOut(h.writes(h.look())) },
			"break":   h.breakOff,
			"settle":  func(*rapid.T) { h.comeToRest() },
			"kubelet": h.kubelet,
			"delete":  h.deletePod,
			"gone":    func(*rapid.T) { h.gone() },
			"user":    h.user,
			"time":    func(*rapid.T) { h.now = h.now.Add(30 * time.Second) },
			"":        func(*rapid.T) { h.check() },
		})
		h.comeToRest()
	})
}

// look makes a plan, and looks at it.
func (h *history) look() plan.Plan {
	if h.job == nil {
		return plan.Plan{}
	}
	p := h.plan()
	if again := h.plan(); !reflect.DeepEqual(p, again) {
		h.t.Fatalf("two plans of one observation:\n%+v\n%+v", p, again)
	}
	made := map[string]bool{}
	for _, pod := range p.CreatePods {
		if made[pod.Name] || h.pods[pod.Name] != nil {
			h.t.Fatalf("a second pod %s is to be made", pod.Name)
		}
		made[pod.Name] = true
	}
	if h.end != "" && (p.Creates() || p.Restarts != nil) {
		h.t.Fatalf("a finished job makes something: %+v", p)
	}
	return p
}

func (h *history) carryOut(writes []func()) {
	if h.job == nil {
		return
	}
	for _, write := range writes {
		write()
		h.check()
	}
}

// breakOff has the operator killed after some of its writes.
func (h *history) breakOff(t *rapid.T) {
	writes := h.writes(h.look())
	h.carryOut(writes[:rapid.IntRange(0, len(writes)).Draw(t, "writes")])
}

func (h *history) kubelet(t *rapid.T) {
	names := h.names()
	if len(names) == 0 {
		return
	}
	name := rapid.SampledFrom(names).Draw(t, "pod")
	pod, short := h.pods[name], name[len("train-"):]
	if pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
		return
	}
	leaves := pod.DeletionTimestamp
	switch rapid.SampledFrom([]string{"run", "succeed", "fail", "fail", "lose"}).Draw(t, "what") {
	case "run":
		h.run(short)
	case "succeed":
		h.exit(short, 0)
	case "fail":
		h.exit(short, rapid.SampledFrom([]int32{1, 127, 128, 143}).Draw(t, "code"))
	case "lose":
		h.lose(short)
	}
	h.pods[name].DeletionTimestamp = leaves
}

func (h *history) deletePod(t *rapid.T) {
	if names := h.names(); len(names) > 0 {
		name := rapid.SampledFrom(names).Draw(t, "pod")
		delete(h.pods, name)
		delete(h.kept, name)
	}
}

func (h *history) user(t *rapid.T) {
	if h.job == nil {
		return
	}
	switch rapid.SampledFrom([]string{"suspend", "scale"}).Draw(t, "what") {
	case "suspend":
		h.change(suspended(!ptr.Deref(h.job.Spec.RunPolicy.Suspend, false)))
	case "scale":
		if workers := h.job.Spec.TFReplicaSpecs["Worker"]; workers != nil {
			h.change(func(job *kubeflow.TFJob) {
				job.Spec.TFReplicaSpecs["Worker"].Replicas = ptr.To(rapid.Int32Range(1, 4).Draw(t, "workers"))
			})
		}
	}
}

// check looks at the world.
func (h *history) check() {
	if h.job == nil {
		return
	}
	s := &h.job.Status
	succeeded, failed := plan.IsTrue(s, kubeflow.JobSucceeded), plan.IsTrue(s, kubeflow.JobFailed)
	switch {
	case succeeded && failed:
		h.t.Fatal("the job has succeeded and failed")
	case h.end != "" && !plan.IsTrue(s, h.end):
		h.t.Fatalf("the job was %s", h.end)
	case h.end == "" && (succeeded || failed):
		h.finished(succeeded)
	}
	if limit := h.job.Spec.RunPolicy.BackoffLimit; limit != nil && h.replaced > int(*limit) && h.end == "" {
		h.t.Fatalf("%d pods were replaced, and the limit is %d", h.replaced, *limit)
	}
	for name := range h.kept {
		if pod := h.pods[name]; pod == nil || pod.DeletionTimestamp != nil {
			h.t.Fatalf("pod %s is to be kept", name)
		}
	}
}

// finished notes which pods are to be kept.
func (h *history) finished(succeeded bool) {
	h.end = kubeflow.JobFailed
	if succeeded {
		h.end = kubeflow.JobSucceeded
	}
	policy := *h.job.Spec.RunPolicy.CleanPodPolicy
	for name, pod := range h.pods {
		ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		if pod.DeletionTimestamp == nil && (policy == "" || policy == kubeflow.CleanPodPolicyNone || policy == kubeflow.CleanPodPolicyRunning && ended) {
			h.kept[name] = true
		}
	}
}

// comeToRest plans until nothing is left to do, and looks at what there is then.
func (h *history) comeToRest() {
	for i := 0; h.job != nil; i++ {
		h.gone()
		p := h.look()
		if quiet(p) && equal(h.job.Status, p.Status) {
			h.rest()
			return
		}
		if i > 10 {
			h.t.Fatalf("there is always something left to do: %+v", p)
		}
		h.carryOut(h.writes(p))
	}
}

func (h *history) rest() {
	pods, services := slices.Sorted(maps.Keys(h.pods)), slices.Sorted(maps.Keys(h.services))
	switch {
	case h.end != "":
		if *h.job.Spec.RunPolicy.CleanPodPolicy == kubeflow.CleanPodPolicyAll && len(pods)+len(services) > 0 {
			h.t.Fatalf("pods %v and services %v are left", pods, services)
		}
	case ptr.Deref(h.job.Spec.RunPolicy.Suspend, false):
		if len(pods)+len(services) > 0 || h.group != nil {
			h.t.Fatalf("a suspended job has pods %v and services %v", pods, services)
		}
	default:
		if want := h.wanted(); !slices.Equal(pods, want) || !slices.Equal(services, want) {
			h.t.Fatalf("it has pods %v and services %v, and should have %v", pods, services, want)
		}
		if h.opts.Gangs == config.GangByPodGroup && int(h.group.Spec.MinMember) != len(h.wanted()) {
			h.t.Fatalf("its PodGroup is of %d", h.group.Spec.MinMember)
		}
		return
	}
	if h.group != nil {
		h.t.Fatal("its PodGroup is left")
	}
}
