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

//go:embed files/operators-cluster-rules.yaml
var operatorsClusterRules []byte

//go:embed files/operators-namespace-rules.yaml
var operatorsNamespaceRules []byte

//go:embed crds/sparkoperator.k8s.io_sparkapplications.yaml
var sparkApplicationCRD []byte

//go:embed crds/sparkoperator.k8s.io_scheduledsparkapplications.yaml
var scheduledSparkApplicationCRD []byte

//go:embed crds/sparkoperator.k8s.io_sparkconnects.yaml
var sparkConnectCRD []byte

//go:embed crds/muster.sh_reservations.yaml
var reservationCRD []byte

// Tenants' queues are of Volcano's API. Its definition is generated from Volcano's types,
// and conditions are added to the status.
//
//go:generate go tool -modfile=../../tools/controller-gen/go.mod controller-gen crd:crdVersions=v1 paths=volcano.sh/apis/pkg/apis/scheduling/v1beta1 output:crd:dir=crds
//go:generate rm crds/scheduling.volcano.sh_podgroups.yaml
//go:generate patch -s crds/scheduling.volcano.sh_queues.yaml queue-conditions.patch
//go:embed crds/scheduling.volcano.sh_queues.yaml
var queueCRD []byte

//go:embed crds/kubeflow.org_tfjobs.yaml
var tfJobCRD []byte

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

// OperatorsClusterRules are the rights that muster-operators needs in every namespace,
// for a ClusterRole.
func OperatorsClusterRules() []rbacv1.PolicyRule {
	return parse[[]rbacv1.PolicyRule](operatorsClusterRules)
}

// OperatorsNamespaceRules are the rights that muster-operators needs in the namespace
// of its Lease, for a Role.
func OperatorsNamespaceRules() []rbacv1.PolicyRule {
	return parse[[]rbacv1.PolicyRule](operatorsNamespaceRules)
}

// JobDefinitions are the definitions of the jobs that muster-operators runs.
func JobDefinitions() []*apiextensions.CustomResourceDefinition {
	var definitions []*apiextensions.CustomResourceDefinition
	for _, crd := range [][]byte{tfJobCRD, sparkApplicationCRD, scheduledSparkApplicationCRD, sparkConnectCRD} {
		definition := parse[apiextensions.CustomResourceDefinition](crd)
		definitions = append(definitions, &definition)
	}
	return definitions
}

// CustomResourceDefinitions are the definitions of the objects of muster.sh, and of
// Volcano's Queues.
func CustomResourceDefinitions() []*apiextensions.CustomResourceDefinition {
	reservation := parse[apiextensions.CustomResourceDefinition](reservationCRD)
	queue := parse[apiextensions.CustomResourceDefinition](queueCRD)
	return []*apiextensions.CustomResourceDefinition{&reservation, &queue}
}

// parse reads a file that is part of this package, and is tested to be valid.
func parse[T any](data []byte) T {
	var out T
	if err := yaml.UnmarshalStrict(data, &out); err != nil {
		panic(fmt.Sprintf("chart: an embedded file is not valid: %v", err))
	}
	return out
}
