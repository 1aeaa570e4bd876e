package plan_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/utils/ptr"
)

func equal(a, b any) bool { return equality.Semantic.DeepEqual(a, b) }

// A life is what befalls a job, from its first plan on; each line of it is followed
// by plans until nothing is left to do.
func TestLives(t *testing.T) {
	all := func(job *kubeflow.TFJob) { job.Spec.SuccessPolicy = ptr.To(kubeflow.SuccessPolicyAllWorkers) }
	dynamic := func(job *kubeflow.TFJob) { job.Spec.EnableDynamicWorker = true }
	deadline := func(job *kubeflow.TFJob) { job.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To[int64](60) }
	expires := func(job *kubeflow.TFJob) { job.Spec.RunPolicy.TTLSecondsAfterFinished = ptr.To[int32](60) }

	for name, tc := range map[string]struct {
		job  *kubeflow.TFJob
		life func(*world)
		want kubeflow.JobConditionType // empty: the job is gone
		pods string
	}{
		"a new job has all its pods": {newJob("Chief=1 PS=1 Worker=2"), func(*world) {},
			kubeflow.JobCreated, "chief-0 ps-0 worker-0 worker-1"},
		"it runs with its chief": {newJob("Chief=1 Worker=1"), func(w *world) { w.run("chief-0") },
			kubeflow.JobRunning, "chief-0 worker-0"},
		"it does not without its chief": {newJob("Chief=1 Worker=1"), func(w *world) { w.run("worker-0") },
			kubeflow.JobCreated, "chief-0 worker-0"},
		"it ends with its chief": {newJob("Chief=1 Worker=1"), func(w *world) { w.run("worker-0"); w.exit("chief-0", 0) },
			kubeflow.JobSucceeded, "chief-0 worker-0"},
		"it ends with its master": {newJob("Master=1 Worker=1", cleans(kubeflow.CleanPodPolicyAll)), func(w *world) { w.run("worker-0"); w.exit("master-0", 0) },
			kubeflow.JobSucceeded, ""},
		"without a chief it ends with the first worker": {newJob("PS=1 Worker=2", cleans(kubeflow.CleanPodPolicyRunning)), func(w *world) { w.run("ps-0", "worker-1"); w.exit("worker-0", 0) },
			kubeflow.JobSucceeded, "worker-0"},
		"or with all of them if it says so": {newJob("Worker=2", all), func(w *world) { w.run("worker-1"); w.exit("worker-0", 0) },
			kubeflow.JobRunning, "worker-0 worker-1"},
		"all of them": {newJob("Worker=2", all), func(w *world) { w.exit("worker-1", 0); w.exit("worker-0", 0) },
			kubeflow.JobSucceeded, "worker-0 worker-1"},
		"a chief's end counts, not a parameter server's at the same time": {newJob("Chief=1 PS=1"), func(w *world) { w.exit("chief-0", 0); w.exit("ps-0", 1) },
			kubeflow.JobSucceeded, "chief-0 ps-0"},

		"a failure ends it": {newJob("Worker=2"), func(w *world) { w.run("worker-0"); w.exit("worker-1", 137) },
			kubeflow.JobFailed, "worker-0 worker-1"},
		"an evaluator's as well": {newJob("Worker=1 Evaluator=1"), func(w *world) { w.run("worker-0"); w.exit("evaluator-0", 1) },
			kubeflow.JobFailed, "evaluator-0 worker-0"},
		"not if it is to be tried again": {newJob("Worker=2", restarts(kubeflow.RestartPolicyOnFailure)), func(w *world) { w.run("worker-0", "worker-1"); w.exit("worker-1", 1) },
			kubeflow.JobRunning, "worker-0 worker-1"},
		"an exit code above 127 is tried again": {newJob("Worker=1", restarts(kubeflow.RestartPolicyExitCode)), func(w *world) { w.exit("worker-0", 130) },
			kubeflow.JobRestarting, "worker-0"},
		"none at all too": {newJob("Worker=1", restarts(kubeflow.RestartPolicyExitCode)), func(w *world) { w.fail("worker-0") },
			kubeflow.JobRestarting, "worker-0"},
		"one below is not": {newJob("Worker=1", restarts(kubeflow.RestartPolicyExitCode)), func(w *world) { w.exit("worker-0", 127) },
			kubeflow.JobFailed, "worker-0"},
		"a dynamic job goes on with fewer workers": {newJob("PS=1 Worker=2", dynamic), func(w *world) { w.run("worker-0"); w.exit("worker-1", 1) },
			kubeflow.JobRunning, "ps-0 worker-0 worker-1"},
		"but not without any": {newJob("PS=1 Worker=2", dynamic), func(w *world) { w.exit("worker-0", 1); w.exit("worker-1", 1) },
			kubeflow.JobFailed, "ps-0 worker-0 worker-1"},
		"a pod that goes with its node is replaced, even if nothing is to be tried again": {newJob("Worker=2"), func(w *world) { w.run("worker-0", "worker-1"); w.lose("worker-1") },
			kubeflow.JobRunning, "worker-0 worker-1"},
		"a pod that somebody deletes too": {newJob("Worker=2"), func(w *world) { delete(w.pods, "train-worker-1") },
			kubeflow.JobCreated, "worker-0 worker-1"},

		"it is tried again as often as it says": {newJob("Worker=1", restarts(kubeflow.RestartPolicyOnFailure), backoffLimit(1)), func(w *world) { w.exit("worker-0", 1) },
			kubeflow.JobRestarting, "worker-0"},
		"and not once more": {newJob("Worker=1", restarts(kubeflow.RestartPolicyOnFailure), backoffLimit(1)), func(w *world) {
			w.exit("worker-0", 1)
			w.must()
			w.exit("worker-0", 1)
		}, kubeflow.JobFailed, "worker-0"},
		"what is lost does not count": {newJob("Worker=1", restarts(kubeflow.RestartPolicyOnFailure), backoffLimit(0)), func(w *world) { w.lose("worker-0") },
			kubeflow.JobCreated, "worker-0"},
		"what the kubelet starts again does": {newJob("Worker=1", restarts(kubeflow.RestartPolicyOnFailure), backoffLimit(3)), func(w *world) { w.restartInPlace("worker-0", 3) },
			kubeflow.JobFailed, "worker-0"},
		"but not below the limit": {newJob("Worker=1", restarts(kubeflow.RestartPolicyOnFailure), backoffLimit(3)), func(w *world) { w.restartInPlace("worker-0", 2) },
			kubeflow.JobRunning, "worker-0"},
		"its time is over": {newJob("Worker=1", deadline, cleans(kubeflow.CleanPodPolicyAll)), func(w *world) { w.run("worker-0"); w.now = start.Add(time.Minute) },
			kubeflow.JobFailed, ""},
		"its time is not over": {newJob("Worker=1", deadline), func(w *world) { w.run("worker-0"); w.now = start.Add(time.Minute - time.Second) },
			kubeflow.JobRunning, "worker-0"},

		"suspended it has no pods": {newJob("Worker=2"), func(w *world) { w.run("worker-0"); w.must(); w.change(suspended(true)) },
			kubeflow.JobSuspended, ""},
		"resumed it has them again": {newJob("Worker=2", suspended(true)), func(w *world) { w.change(suspended(false)) },
			kubeflow.JobCreated, "worker-0 worker-1"},
		"with fewer replicas it has fewer pods": {newJob("Worker=3"), func(w *world) {
			w.change(func(job *kubeflow.TFJob) { *job.Spec.TFReplicaSpecs["Worker"].Replicas = 1 })
		},
			kubeflow.JobCreated, "worker-0"},
		"finished for long it is gone": {newJob("Worker=1", expires), func(w *world) { w.exit("worker-0", 0); w.must(); w.now = w.now.Add(time.Minute) },
			"", "worker-0"},
		"not for long enough": {newJob("Worker=1", expires), func(w *world) { w.exit("worker-0", 0); w.must(); w.now = w.now.Add(time.Minute - time.Second) },
			kubeflow.JobSucceeded, "worker-0"},
		"what is not valid never starts": {newJob("Worker=1", cleans("Some")), func(*world) {},
			kubeflow.JobFailed, ""},
		"what becomes so while it runs is left alone": {newJob("Worker=1"), func(w *world) { w.run("worker-0"); w.must(); w.change(cleans("Some")) },
			kubeflow.JobRunning, "worker-0"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(tc.job)
			w.must()
			tc.life(w)
			w.must()
			if w.job == nil {
				if tc.want != "" {
					t.Fatal("the job is gone")
				}
				return
			}
			var pods []string
			for _, name := range w.names() {
				pods = append(pods, strings.TrimPrefix(name, "train-"))
			}
			if got := strings.Join(pods, " "); w.is() != tc.want || got != tc.pods {
				t.Errorf("it is %s with pods %q, expected %s with %q; events:\n%s", w.is(), got, tc.want, tc.pods, strings.Join(w.events, "\n"))
			}
		})
	}
}

func TestStatus(t *testing.T) {
	w := newWorld(newJob("Chief=1 Worker=3", restarts(kubeflow.RestartPolicyExitCode)))
	w.must()
	w.run("chief-0", "worker-0")
	w.exit("worker-1", 0)
	w.exit("worker-2", 255)
	w.step()
	want := map[kubeflow.ReplicaType]*kubeflow.ReplicaStatus{
		"Chief": {Active: 1}, "Worker": {Active: 1, Succeeded: 1, Failed: 1},
	}
	if !reflect.DeepEqual(w.job.Status.ReplicaStatuses, want) {
		t.Errorf("got %v, want %v", w.job.Status.ReplicaStatuses, want)
	}
	if w.is() != kubeflow.JobRestarting {
		t.Errorf("it is %s", w.is())
	}
	w.exit("chief-0", 0)
	w.must()
	if s := w.job.Status.ReplicaStatuses["Worker"]; s.Active != 0 || s.Succeeded != 2 {
		t.Errorf("after its success workers are %+v", s)
	}
	if s := w.job.Status; !s.StartTime.Time.Equal(start) || !s.CompletionTime.Time.Equal(start) {
		t.Errorf("it ran from %v to %v", s.StartTime, s.CompletionTime)
	}
}

func TestEventsTellOnceOfWhatIsNew(t *testing.T) {
	w := newWorld(newJob("Worker=1", restarts(kubeflow.RestartPolicyExitCode)))
	w.must()
	w.run("worker-0")
	w.must()
	w.exit("worker-0", 200)
	w.must()
	w.run("worker-0")
	w.must()
	w.exit("worker-0", 0)
	w.must()
	want := []string{
		"ExitedWithCode: Pod: ns.train-worker-0 exited with code 200",
		"TFJobRestarting: job train is restarting because Worker replica(s) failed.",
		"ExitedWithCode: Pod: ns.train-worker-0 exited with code 0",
		"TFJobSucceeded: TFJob ns/train successfully completed.",
	}
	if !slices.Equal(w.events, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(w.events, "\n"), strings.Join(want, "\n"))
	}
}

func TestSuspendingGivesTimeBack(t *testing.T) {
	w := newWorld(newJob("Worker=1", func(job *kubeflow.TFJob) { job.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To[int64](60) }))
	w.must()
	w.now = start.Add(50 * time.Second)
	w.change(suspended(true))
	w.must()
	w.now = start.Add(time.Hour)
	w.must()
	w.change(suspended(false))
	if p := w.step(); p.Again != time.Minute {
		t.Errorf("it is looked at again after %s, not a minute", p.Again)
	}
	if w.is() != kubeflow.JobCreated || !w.job.Status.StartTime.Time.Equal(w.now) {
		t.Errorf("it is %s since %v", w.is(), w.job.Status.StartTime)
	}
}

func TestAJobOfAnotherControllerIsLeftAlone(t *testing.T) {
	w := newWorld(newJob("Worker=1", func(job *kubeflow.TFJob) { job.Spec.RunPolicy.ManagedBy = ptr.To("kueue.x-k8s.io/multikueue") }))
	if p := w.plan(); !quiet(p) || len(p.Status.Conditions) > 0 {
		t.Errorf("it is planned: %+v", p)
	}
}
