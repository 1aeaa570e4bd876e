// Package chart gives out the parts of Muster's Helm chart that are the same
// however Muster is installed: the definitions of its own objects and the
// rights of its parts. What applies them without Helm takes them from here, so
// that there is one list of rights and it is the one that is tested.
package chart

import (
	_ "embed"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

//go:embed files/scheduler-cluster-rules.yaml
var schedulerClusterRules []byte

//go:embed files/scheduler-autoscaling-rules.yaml
var schedulerAutoscalingRules []byte

//go:embed files/scheduler-namespace-rules.yaml
var schedulerNamespaceRules []byte

//go:embed crds/sparkoperator.k8s.io_sparkapplications.yaml
var sparkApplicationCRD []byte

//go:embed crds/muster.sh_reservations.yaml
var reservationCRD []byte

// SchedulerClusterRules are the rights that muster-scheduler needs in every
// namespace, for a ClusterRole.
func SchedulerClusterRules() []rbacv1.PolicyRule {
	return parse[[]rbacv1.PolicyRule](schedulerClusterRules)
}

// SchedulerAutoscalingRules are the rights that muster-scheduler needs besides where
// it asks cluster autoscalers for room by objects.
func SchedulerAutoscalingRules() []rbacv1.PolicyRule {
	return parse[[]rbacv1.PolicyRule](schedulerAutoscalingRules)
}

// SchedulerNamespaceRules are the rights that muster-scheduler needs in the
// namespace of its Lease, for a Role.
func SchedulerNamespaceRules() []rbacv1.PolicyRule {
	return parse[[]rbacv1.PolicyRule](schedulerNamespaceRules)
}

// SparkDefinitions are the definitions of Spark's applications.
func SparkDefinitions() []*apiextensions.CustomResourceDefinition {
	crd := parse[apiextensions.CustomResourceDefinition](sparkApplicationCRD)
	return []*apiextensions.CustomResourceDefinition{&crd}
}

// CustomResourceDefinitions are the definitions of the objects of muster.sh.
func CustomResourceDefinitions() []*apiextensions.CustomResourceDefinition {
	crd := parse[apiextensions.CustomResourceDefinition](reservationCRD)
	return []*apiextensions.CustomResourceDefinition{&crd}
}

// parse reads a file that is part of this package, and is tested to be valid.
func parse[T any](data []byte) T {
	var out T
	if err := yaml.UnmarshalStrict(data, &out); err != nil {
		panic(fmt.Sprintf("chart: an embedded file is not valid: %v", err))
	}
	return out
}
