package plan_test

import (
	"strings"
	"testing"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"muster.sh/muster/operators/tensorflow/plan"
)

func TestWhatIsNotValidNamesTheFieldAndTheCure(t *testing.T) {
	worker := func(change func(*kubeflow.ReplicaSpec)) func(*kubeflow.TFJob) {
		return func(job *kubeflow.TFJob) { change(job.Spec.TFReplicaSpecs["Worker"]) }
	}
	for name, tc := range map[string]struct {
		job  *kubeflow.TFJob
		want string
	}{
		"no replicas at all": {newJob(""), "spec.tfReplicaSpecs: Required value: name at least one replica type"},
		"a type that does not exist": {newJob("Helper=1"),
			`spec.tfReplicaSpecs[Helper]: Unsupported value: "Helper": supported values: "Chief", "Master", "PS", "Worker", "Evaluator"`},
		"a type twice":     {newJob("Worker=1 worker=1"), "spec.tfReplicaSpecs[worker]: Duplicate value: \"Worker and worker are one replica type"},
		"chief and master": {newJob("Chief=1 Master=1"), "spec.tfReplicaSpecs: Forbidden: a job has either a Chief or a Master"},
		"two chiefs":       {newJob("Chief=2"), "spec.tfReplicaSpecs[Chief].replicas: Invalid value: 2: a job has one chief"},
		"fewer than none":  {newJob("Worker=-1"), "spec.tfReplicaSpecs[Worker].replicas: Invalid value: -1: must not be negative"},
		"far too many":     {newJob("Worker=2000000000"), "spec.tfReplicaSpecs: Invalid value: 2000000000: a job has at most 10000 replicas in all"},
		"a type with no spec": {newJob("Worker=1", func(job *kubeflow.TFJob) { job.Spec.TFReplicaSpecs["PS"] = nil }),
			"spec.tfReplicaSpecs[PS]: Required value: describe the replicas"},
		"no container": {newJob("Worker=1", worker(func(s *kubeflow.ReplicaSpec) { s.Template.Spec.Containers = nil })),
			`spec.tfReplicaSpecs[Worker].template.spec.containers: Required value: name the container that trains "tensorflow"`},
		"none that trains": {newJob("Worker=1", worker(func(s *kubeflow.ReplicaSpec) { s.Template.Spec.Containers[0].Name = "tf" })),
			`spec.tfReplicaSpecs[Worker].template.spec.containers: Required value: name the container that trains "tensorflow"`},
		"no image": {newJob("Worker=1", worker(func(s *kubeflow.ReplicaSpec) { s.Template.Spec.Containers[0].Image = "" })),
			"spec.tfReplicaSpecs[Worker].template.spec.containers[0].image: Required value"},
		"a restart policy that does not exist": {newJob("Worker=1", restarts("Sometimes")),
			`spec.tfReplicaSpecs[Worker].restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never", "ExitCode"`},
		"a cleanPodPolicy that does not exist": {newJob("Worker=1", cleans("Some")),
			`spec.runPolicy.cleanPodPolicy: Unsupported value: "Some": supported values: "All", "Running", "None"`},
		"a successPolicy that does not exist": {newJob("Worker=1", func(job *kubeflow.TFJob) { job.Spec.SuccessPolicy = ptr.To[kubeflow.SuccessPolicy]("Any") }),
			`spec.successPolicy: Unsupported value: "Any": supported values: "AllWorkers"`},
		"no time at all": {newJob("Worker=1", func(job *kubeflow.TFJob) { job.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To[int64](0) }),
			"spec.runPolicy.activeDeadlineSeconds: Invalid value: 0: must be at least 1"},
		"an end before the end": {newJob("Worker=1", func(job *kubeflow.TFJob) { job.Spec.RunPolicy.TTLSecondsAfterFinished = ptr.To[int32](-1) }),
			"spec.runPolicy.ttlSecondsAfterFinished: Invalid value: -1: must be at least 0"},
		"fewer restarts than none": {newJob("Worker=1", backoffLimit(-1)), "spec.runPolicy.backoffLimit: Invalid value: -1: must be at least 0"},
		"more at once than there are": {newJob("Worker=2", scheduled(kubeflow.SchedulingPolicy{MinAvailable: ptr.To[int32](3)})),
			"spec.runPolicy.schedulingPolicy.minAvailable: Invalid value: 3: must be from 1 to the number of all replicas, 2"},
		"negative resources": {newJob("Worker=2", scheduled(kubeflow.SchedulingPolicy{MinResources: &map[corev1.ResourceName]resource.Quantity{"cpu": resource.MustParse("-1")}})),
			`spec.runPolicy.schedulingPolicy.minResources[cpu]: Invalid value: "-1": must not be negative`},
		"a name that no service can have": {newJob("Worker=1", func(job *kubeflow.TFJob) { job.Name = "1st" }), `metadata.name: Invalid value: "1st"`},
		"a name that is too long for its services": {newJob("Evaluator=1", func(job *kubeflow.TFJob) { job.Name = strings.Repeat("a", 55) }),
			"make the name 4 shorter"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(tc.job)
			w.must()
			for _, c := range w.job.Status.Conditions {
				if c.Type == kubeflow.JobFailed && c.Reason == "TFJobFailedValidation" && strings.Contains(c.Message, tc.want) {
					return
				}
			}
			t.Errorf("got %v, want a condition with %q", w.job.Status.Conditions, tc.want)
		})
	}
}

// TestNothingThatCanBeStoredPanics plans jobs with anything in them that the API
// server's schema lets through.
func TestNothingThatCanBeStoredPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.SampledFrom([]*int32{nil, ptr.To[int32](-1), ptr.To[int32](0), ptr.To[int32](1), ptr.To[int32](1 << 30)})
		word := rapid.SampledFrom([]string{"", "Always", "None", "x", "Worker", "worker", "PS", "Chief", "MASTER"})
		job := newJob("")
		job.Name = rapid.SampledFrom([]string{"train", "", "A/b", strings.Repeat("x", 300)}).Draw(t, "name")
		for range rapid.IntRange(0, 3).Draw(t, "roles") {
			spec := &kubeflow.ReplicaSpec{Replicas: number.Draw(t, "replicas"), RestartPolicy: kubeflow.RestartPolicy(word.Draw(t, "restart"))}
			for range rapid.IntRange(0, 2).Draw(t, "containers") {
				spec.Template.Spec.Containers = append(spec.Template.Spec.Containers, corev1.Container{
					Name: rapid.SampledFrom([]string{"tensorflow", ""}).Draw(t, "container"), Image: rapid.SampledFrom([]string{"tf", ""}).Draw(t, "image"),
				})
			}
			if rapid.IntRange(0, 9).Draw(t, "nil") == 0 {
				spec = nil
			}
			job.Spec.TFReplicaSpecs[kubeflow.ReplicaType(word.Draw(t, "kind"))] = spec
		}
		policy := &job.Spec.RunPolicy
		policy.CleanPodPolicy = ptr.To(kubeflow.CleanPodPolicy(word.Draw(t, "clean")))
		policy.BackoffLimit, policy.TTLSecondsAfterFinished = number.Draw(t, "backoff"), number.Draw(t, "ttl")
		policy.SchedulingPolicy = &kubeflow.SchedulingPolicy{MinAvailable: number.Draw(t, "minimum")}
		job.Annotations = map[string]string{"muster.sh/restarts": rapid.SampledFrom([]string{"", "{", `{"count":-3}`, `{"pods":[""]}`}).Draw(t, "restarts")}
		w := newWorld(job)
		errs := plan.Validate(job)
		if err := w.settle(); err != nil {
			t.Fatal(err)
		}
		if len(errs) > 0 && len(w.pods) > 0 {
			t.Fatalf("it has pods although %v", errs)
		}
	})
}
