package tensorflow

import (
	"strings"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"

	"muster.sh/muster/test/testcluster"
)

// wrongJobs change a job of two workers to one that is refused.
var wrongJobs = map[string]struct {
	change func(*kubeflow.TFJob)
	why    string
}{
	"a name of digits": {func(j *kubeflow.TFJob) { j.Name = "1st" }, "metadata.name: must be one that a Service can have"},
	"no replicas":      {func(j *kubeflow.TFJob) { j.Spec.TFReplicaSpecs = nil }, "spec.tfReplicaSpecs: "},
	"an empty list": {func(j *kubeflow.TFJob) { j.Spec.TFReplicaSpecs = map[kubeflow.ReplicaType]*kubeflow.ReplicaSpec{} },
		"spec.tfReplicaSpecs: is empty; name at least one replica type, such as Worker"},
	"a strange type": {asWell("Helper", 1), "spec.tfReplicaSpecs[Helper]: is not supported; write Chief, Master, PS, Worker or Evaluator"},
	"a type twice":   {asWell("worker", 1), "]: is there twice, in upper and lower case; keep one of them"},
	"two chiefs":     {asWell("Chief", 2), "spec.tfReplicaSpecs[Chief].replicas: a job has one chief; set 1, and make the others workers"},
	"two leads": {func(j *kubeflow.TFJob) { asWell("Chief", 1)(j); asWell("Master", 1)(j) },
		"spec.tfReplicaSpecs: a job has either a Chief or a Master; leave one of them out"},
	"fewer than none": {asWell("PS", -1), "spec.tfReplicaSpecs[PS].replicas: must not be negative"},
	"far too many":    {asWell("PS", 10_000), "spec.tfReplicaSpecs: a job has at most 10000 replicas in all; ask for fewer"},
	"a strange policy": {worker(func(s *kubeflow.ReplicaSpec) { s.RestartPolicy = "Sometimes" }),
		"spec.tfReplicaSpecs[Worker].restartPolicy: is not supported; write Always, OnFailure, Never or ExitCode"},
	"nothing that trains": {worker(func(s *kubeflow.ReplicaSpec) { s.Template.Spec.Containers[0].Name = "tf" }),
		`spec.tfReplicaSpecs[Worker].template.spec.containers: name the container that trains "tensorflow"`},
	"no image": {worker(func(s *kubeflow.ReplicaSpec) { s.Template.Spec.Containers[0].Image = "" }),
		"spec.tfReplicaSpecs[Worker].template.spec.containers: one has no image; name it"},
	"a strange success": {func(j *kubeflow.TFJob) { j.Spec.SuccessPolicy = ptr.To[kubeflow.SuccessPolicy]("Any") }, "spec.successPolicy: is not supported; write AllWorkers"},
	"a strange end": {func(j *kubeflow.TFJob) { j.Spec.RunPolicy.CleanPodPolicy = ptr.To[kubeflow.CleanPodPolicy]("Some") },
		"spec.runPolicy.cleanPodPolicy: is not supported; write All, Running or None"},
	"an end before the end":  {func(j *kubeflow.TFJob) { j.Spec.RunPolicy.TTLSecondsAfterFinished = ptr.To[int32](-1) }, "spec.runPolicy.ttlSecondsAfterFinished: must be"},
	"no time at all":         {func(j *kubeflow.TFJob) { j.Spec.RunPolicy.ActiveDeadlineSeconds = ptr.To[int64](0) }, "spec.runPolicy.activeDeadlineSeconds: must be"},
	"fewer tries than none":  {func(j *kubeflow.TFJob) { j.Spec.RunPolicy.BackoffLimit = ptr.To[int32](-1) }, "spec.runPolicy.backoffLimit: must be at least 0"},
	"more than there are":    {minAvailable(3), "spec.runPolicy.schedulingPolicy.minAvailable: must be from 1 to the number of all replicas, 2"},
	"a start without anyone": {minAvailable(0), "spec.runPolicy.schedulingPolicy.minAvailable: must be from 1 to"},
}

func worker(change func(*kubeflow.ReplicaSpec)) func(*kubeflow.TFJob) {
	return func(j *kubeflow.TFJob) { change(j.Spec.TFReplicaSpecs["Worker"]) }
}

func asWell(kind kubeflow.ReplicaType, n int32) func(*kubeflow.TFJob) {
	return func(j *kubeflow.TFJob) {
		another := j.Spec.TFReplicaSpecs["Worker"].DeepCopy()
		another.Replicas = &n
		j.Spec.TFReplicaSpecs[kind] = another
	}
}

func minAvailable(n int32) func(*kubeflow.TFJob) {
	return func(j *kubeflow.TFJob) {
		j.Spec.RunPolicy.SchedulingPolicy = &kubeflow.SchedulingPolicy{MinAvailable: &n}
	}
}

// refusedAtOnce has the API server refuse what is wrong, and take what is upstream's, or
// another controller's.
func refusedAtOnce(s *story) {
	for name, wrong := range wrongJobs {
		err := s.try(job("wrong", map[kubeflow.ReplicaType]int32{"Worker": 2}, wrong.change))
		if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), wrong.why) {
			s.Errorf("%s: %v; want %q", name, err, wrong.why)
		}
	}
	elsewhere := job("elsewhere", map[kubeflow.ReplicaType]int32{"Helper": 1})
	elsewhere.Spec.RunPolicy.ManagedBy = ptr.To("kueue.x-k8s.io/multikueue")
	if err := s.try(elsewhere); err != nil {
		s.Errorf("a job of another controller: %v", err)
	}
	jobs := testcluster.Samples(s.T, "github.com/kubeflow/training-operator", "examples/tensorflow", kubeflow.TFJobKind)
	if len(jobs) < 4 {
		s.Errorf("there are only %d samples", len(jobs))
	}
	for _, sample := range jobs {
		sample.SetNamespace(testcluster.Namespace)
		if err := s.dryRun(sample); err != nil {
			s.Errorf("upstream's %s: %v", sample.GetName(), err)
		}
	}
}

// try has the API server say whether it would take a job.
func (s *story) try(j *kubeflow.TFJob) error {
	s.Helper()
	return s.dryRun(s.unstructured(j))
}

func (s *story) dryRun(u *unstructured.Unstructured) error {
	_, err := s.Dynamic.Resource(tfJobs).Namespace(u.GetNamespace()).Create(s.ctx, u, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}
