package plan

import (
	"fmt"
	"slices"
	"strings"

	kubeflow "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// maxReplicas bounds what one job may ask for, over all roles.
const maxReplicas = 10_000

var specPath = field.NewPath("spec")

// Validate returns everything that is wrong with a job as it is stored, each with the
// path of the field and what to write instead. What a pod may not be is left to the
// API server, which refuses the pod.
func Validate(job *kubeflow.TFJob) field.ErrorList {
	replicas := specPath.Child("tfReplicaSpecs")
	errs := validateRoles(job, replicas)
	if len(errs) > 0 {
		return errs // the rest counts replicas
	}
	errs = validateName(job)
	n := replicasOf(job)
	if n > maxReplicas {
		errs = append(errs, field.Invalid(replicas, n, fmt.Sprintf("a job has at most %d replicas in all; ask for fewer", maxReplicas)))
	}
	if policy := job.Spec.SuccessPolicy; policy != nil {
		errs = append(errs, oneOf(specPath.Child("successPolicy"), *policy, kubeflow.SuccessPolicyDefault, kubeflow.SuccessPolicyAllWorkers)...)
	}
	return append(errs, validateRunPolicy(&job.Spec.RunPolicy, n, specPath.Child("runPolicy"))...)
}

// validateName makes sure that pods and services can bear the job's name.
func validateName(job *kubeflow.TFJob) field.ErrorList {
	path := field.NewPath("metadata", "name")
	var errs field.ErrorList
	for _, msg := range validation.IsDNS1035Label(job.Name) {
		errs = append(errs, field.Invalid(path, job.Name, msg))
	}
	for _, kind := range sortedKinds(job.Spec.TFReplicaSpecs) {
		last := fmt.Sprintf("%s-%s-%d", job.Name, lower(kind), max(countOf(job.Spec.TFReplicaSpecs[kind])-1, 0))
		if over := len(last) - validation.DNS1035LabelMaxLength; over > 0 {
			return append(errs, field.Invalid(path, job.Name, fmt.Sprintf(
				"the service %s would have more than %d characters; make the name %d shorter", last, validation.DNS1035LabelMaxLength, over)))
		}
	}
	return errs
}

func validateRoles(job *kubeflow.TFJob, path *field.Path) field.ErrorList {
	specs := job.Spec.TFReplicaSpecs
	if len(specs) == 0 {
		return field.ErrorList{field.Required(path, "name at least one replica type, such as Worker")}
	}
	var errs field.ErrorList
	seen := map[string]kubeflow.ReplicaType{}
	leads := 0
	for _, kind := range sortedKinds(specs) {
		at := path.Key(string(kind))
		if !slices.ContainsFunc(replicaTypes, func(known kubeflow.ReplicaType) bool { return lower(known) == lower(kind) }) {
			errs = append(errs, field.NotSupported(at, kind, replicaTypes))
			continue
		}
		if other, twice := seen[lower(kind)]; twice {
			errs = append(errs, field.Duplicate(at, fmt.Sprintf("%s and %s are one replica type; keep one of them", other, kind)))
		}
		seen[lower(kind)] = kind
		if l := lower(kind); l == lower(kubeflow.TFJobReplicaTypeChief) || l == lower(kubeflow.TFJobReplicaTypeMaster) {
			leads++
			if countOf(specs[kind]) > 1 {
				errs = append(errs, field.Invalid(at.Child("replicas"), countOf(specs[kind]), "a job has one chief; set 1, and make the others workers"))
			}
		}
		errs = append(errs, validateRole(specs[kind], at)...)
	}
	if leads > 1 {
		errs = append(errs, field.Forbidden(path, "a job has either a Chief or a Master; leave one of them out"))
	}
	return errs
}

func validateRole(spec *kubeflow.ReplicaSpec, path *field.Path) field.ErrorList {
	if spec == nil {
		return field.ErrorList{field.Required(path, "describe the replicas, or leave the type out")}
	}
	var errs field.ErrorList
	if n := countOf(spec); n < 0 {
		errs = append(errs, field.Invalid(path.Child("replicas"), n, "must not be negative"))
	}
	errs = append(errs, oneOf(path.Child("restartPolicy"), spec.RestartPolicy, "", kubeflow.RestartPolicyAlways,
		kubeflow.RestartPolicyOnFailure, kubeflow.RestartPolicyNever, kubeflow.RestartPolicyExitCode)...)
	containers := path.Child("template", "spec", "containers")
	if !slices.ContainsFunc(spec.Template.Spec.Containers, func(c corev1.Container) bool { return c.Name == kubeflow.TFJobDefaultContainerName }) {
		errs = append(errs, field.Required(containers, fmt.Sprintf("name the container that trains %q", kubeflow.TFJobDefaultContainerName)))
	}
	for i, c := range spec.Template.Spec.Containers {
		if c.Image == "" {
			errs = append(errs, field.Required(containers.Index(i).Child("image"), "name the image of the container"))
		}
	}
	return errs
}

func validateRunPolicy(policy *kubeflow.RunPolicy, replicas int, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	errs = append(errs, oneOf(path.Child("cleanPodPolicy"), ptr.Deref(policy.CleanPodPolicy, ""), kubeflow.CleanPodPolicyUndefined,
		kubeflow.CleanPodPolicyAll, kubeflow.CleanPodPolicyRunning, kubeflow.CleanPodPolicyNone)...)
	errs = append(errs, atLeast(path.Child("ttlSecondsAfterFinished"), policy.TTLSecondsAfterFinished, 0)...)
	errs = append(errs, atLeast(path.Child("activeDeadlineSeconds"), policy.ActiveDeadlineSeconds, 1)...)
	errs = append(errs, atLeast(path.Child("backoffLimit"), policy.BackoffLimit, 0)...)
	if policy.SchedulingPolicy == nil {
		return errs
	}
	path = path.Child("schedulingPolicy")
	if n := policy.SchedulingPolicy.MinAvailable; n != nil && (*n < 1 || int(*n) > replicas) {
		errs = append(errs, field.Invalid(path.Child("minAvailable"), *n, fmt.Sprintf("must be from 1 to the number of all replicas, %d", replicas)))
	}
	for name, quantity := range ptr.Deref(policy.SchedulingPolicy.MinResources, nil) {
		if quantity.Sign() < 0 {
			errs = append(errs, field.Invalid(path.Child("minResources").Key(string(name)), quantity.String(), "must not be negative"))
		}
	}
	return errs
}

func oneOf[T ~string](path *field.Path, value T, known ...T) field.ErrorList {
	if slices.Contains(known, value) {
		return nil
	}
	known = slices.DeleteFunc(known, func(k T) bool { return k == "" })
	return field.ErrorList{field.NotSupported(path, value, known)}
}

func atLeast[T int32 | int64](path *field.Path, value *T, least T) field.ErrorList {
	if value == nil || *value >= least {
		return nil
	}
	return field.ErrorList{field.Invalid(path, *value, fmt.Sprintf("must be at least %d", least))}
}

// countOf is how many replicas a spec asks for.
func countOf(spec *kubeflow.ReplicaSpec) int {
	if spec == nil || spec.Replicas == nil {
		return 1
	}
	return int(*spec.Replicas)
}

func replicasOf(job *kubeflow.TFJob) int {
	n := 0
	for _, spec := range job.Spec.TFReplicaSpecs {
		n += countOf(spec)
	}
	return n
}

func sortedKinds(specs map[kubeflow.ReplicaType]*kubeflow.ReplicaSpec) []kubeflow.ReplicaType {
	kinds := make([]kubeflow.ReplicaType, 0, len(specs))
	for kind := range specs {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, func(a, b kubeflow.ReplicaType) int { return strings.Compare(string(a), string(b)) })
	return kinds
}
