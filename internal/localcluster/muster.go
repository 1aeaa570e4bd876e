package localcluster

import (
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	config "muster.sh/muster/api/config/v1alpha1"
	chart "muster.sh/muster/charts/muster"
)

// musterProgram is the command of muster-local that is Muster's scheduler.
const musterProgram = "muster-scheduler"

// MusterScheduler is Muster's own scheduler. A cluster that runs it has
// Muster's objects defined, and its user has the rights that the chart gives it
// and no other.
//
// A cluster may have Kubernetes' own PodGroups. Muster schedules them itself, so
// that the part of kube-scheduler which does stays off.
func MusterScheduler() SchedulerSpec {
	return SchedulerSpec{
		Name: "muster-scheduler", Program: musterProgram, User: "muster-scheduler",
		Args: []string{"--feature-gates=GenericWorkload=false"},
	}
}

// musterObjects are what Muster needs in the cluster: what the chart installs, but for
// the programs themselves, which run as processes here.
func musterObjects(spec *Spec) ([]*unstructured.Unstructured, error) {
	var objects []any
	for _, scheduler := range spec.Schedulers {
		if scheduler.Program != musterProgram {
			continue
		}
		for _, definition := range chart.CustomResourceDefinitions() {
			objects = append(objects, definition)
		}
		if scheduler.User != "" {
			rules, err := schedulerRules(scheduler.Config)
			if err != nil {
				return nil, fmt.Errorf("configuration of scheduler %s: %w", scheduler.Name, err)
			}
			objects = append(objects, schedulerRights(scheduler.User, rules)...)
		}
	}
	if spec.Operators != nil {
		for _, definition := range chart.JobDefinitions() {
			objects = append(objects, definition)
		}
		for _, admission := range chart.JobAdmissions() {
			objects = append(objects, admission.Policy, admission.Binding)
		}
		objects = append(objects, rights(OperatorsComponent, chart.OperatorsClusterRules(), chart.OperatorsNamespaceRules())...)
	}
	var converted []*unstructured.Unstructured
	for _, object := range objects {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			return nil, fmt.Errorf("convert Muster's objects: %w", err)
		}
		converted = append(converted, &unstructured.Unstructured{Object: fields})
	}
	return converted, nil
}

// schedulerRules are those that the chart gives a scheduler of this configuration in every
// namespace.
func schedulerRules(configuration string) ([]rbacv1.PolicyRule, error) {
	rules := chart.SchedulerClusterRules()
	if configuration == "" {
		return rules, nil
	}
	c, err := config.ParseScheduler([]byte(configuration))
	if err == nil && c.Autoscaling.Request != config.NoRequest {
		rules = append(rules, chart.SchedulerAutoscalingRules()...)
	}
	return rules, err
}

// schedulerRights give a user the rights of Muster's scheduler.
func schedulerRights(user string, rules []rbacv1.PolicyRule) []any {
	const reader = "extension-apiserver-authentication-reader"
	objects := rights(user, rules, chart.SchedulerNamespaceRules())
	// Who asks for its metrics is checked by what this role may read.
	return append(objects, &rbacv1.RoleBinding{
		TypeMeta: rbacKind("RoleBinding"), ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: rightsOf(user) + ":" + reader},
		Subjects: rbacUser(user), RoleRef: rbacRole("Role", reader),
	})
}

// rights give a user rights in the whole cluster, and in the namespace of leases.
func rights(user string, everywhere, leases []rbacv1.PolicyRule) []any {
	meta := metav1.ObjectMeta{Name: rightsOf(user)}
	system := metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: meta.Name}
	return []any{
		&rbacv1.ClusterRole{TypeMeta: rbacKind("ClusterRole"), ObjectMeta: meta, Rules: everywhere},
		&rbacv1.Role{TypeMeta: rbacKind("Role"), ObjectMeta: system, Rules: leases},
		&rbacv1.ClusterRoleBinding{TypeMeta: rbacKind("ClusterRoleBinding"), ObjectMeta: meta, Subjects: rbacUser(user), RoleRef: rbacRole("ClusterRole", meta.Name)},
		&rbacv1.RoleBinding{TypeMeta: rbacKind("RoleBinding"), ObjectMeta: system, Subjects: rbacUser(user), RoleRef: rbacRole("Role", meta.Name)},
	}
}

func rightsOf(user string) string { return "muster-local:" + user }

func rbacKind(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind}
}

func rbacRole(kind, name string) rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
}

func rbacUser(name string) []rbacv1.Subject {
	return []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}}
}
