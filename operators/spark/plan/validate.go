package plan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"muster.sh/muster/api/v1alpha1"
)

const maxInfrastructureRetries = 1000

// validate refuses what needs no computing. What Spark itself would refuse is found
// when the objects are built.
func validate(app *v1beta2.SparkApplication) field.ErrorList {
	var errs field.ErrorList
	if problems := validation.IsDNS1035Label(app.Name); len(problems) > 0 {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), app.Name,
			"can't begin the name of a Service: "+strings.Join(problems, ", ")))
	}
	if text, set := app.Annotations[v1alpha1.InfrastructureRetriesAnnotation]; set {
		if number, err := strconv.Atoi(text); err != nil || number < 0 || number > maxInfrastructureRetries {
			errs = append(errs, field.Invalid(field.NewPath("metadata", "annotations").Key(v1alpha1.InfrastructureRetriesAnnotation), text,
				fmt.Sprintf("is not a whole number from 0 to %d; write one such as 3", maxInfrastructureRetries)))
		}
	}
	spec := &app.Spec
	if spec.Mode != v1beta2.DeployModeCluster {
		errs = append(errs, field.NotSupported(specPath.Child("mode"), spec.Mode, []v1beta2.DeployMode{v1beta2.DeployModeCluster}))
	}
	if spec.NodeSelector != nil {
		for name, selector := range map[string]map[string]string{"driver": spec.Driver.NodeSelector, "executor": spec.Executor.NodeSelector} {
			if selector != nil {
				errs = append(errs, field.Forbidden(specPath.Child(name, "nodeSelector"), "may not be set with spec.nodeSelector; set one of the two"))
			}
		}
	}
	errs = append(errs, validateSparkConf(app)...)
	errs = append(errs, validatePod(&spec.Driver.SparkPodSpec, specPath.Child("driver"))...)
	errs = append(errs, validatePod(&spec.Executor.SparkPodSpec, specPath.Child("executor"))...)
	return append(errs, validateVolumes(app)...)
}

// operatorsKeys are settings that would let an application act as the operator, or
// reach another API server.
var operatorsKeys = []string{"spark.master", "spark.kubernetes.authenticate.oauthToken", "spark.kubernetes.authenticate.oauthTokenFile"}

func validateSparkConf(app *v1beta2.SparkApplication) field.ErrorList {
	var errs field.ErrorList
	path := specPath.Child("sparkConf")
	for _, key := range operatorsKeys {
		if _, set := app.Spec.SparkConf[key]; set {
			errs = append(errs, field.Forbidden(path.Key(key), "is the operator's; remove it"))
		}
	}
	if namespace, set := app.Spec.SparkConf[keyNamespace]; set && namespace != app.Namespace {
		errs = append(errs, field.Invalid(path.Key(keyNamespace), namespace, "is not the application's namespace; remove it"))
	}
	return errs
}

func validatePod(pod *v1beta2.SparkPodSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if gpu := pod.GPU; gpu != nil {
		if problems := validation.IsQualifiedName(gpu.Name); len(problems) > 0 || !strings.Contains(gpu.Name, "/") {
			errs = append(errs, field.Invalid(path.Child("gpu", "name"), gpu.Name, "is not the name of a resource; write one such as nvidia.com/gpu"))
		}
		if gpu.Quantity <= 0 {
			errs = append(errs, field.Invalid(path.Child("gpu", "quantity"), gpu.Quantity, "is not above zero; write a number such as 1"))
		}
	}
	return errs
}

// validateVolumes refuses a volume that only Spark's own settings can make.
func validateVolumes(app *v1beta2.SparkApplication) field.ErrorList {
	var errs field.ErrorList
	for i, volume := range app.Spec.Volumes {
		if claim := volume.PersistentVolumeClaim; claim != nil && claim.ClaimName == "OnDemand" {
			errs = append(errs, field.Invalid(specPath.Child("volumes").Index(i).Child("persistentVolumeClaim", "claimName"), claim.ClaimName,
				"is made by Spark's own settings alone; write spark.kubernetes.executor.volumes.persistentVolumeClaim.* into sparkConf"))
		}
	}
	return errs
}
