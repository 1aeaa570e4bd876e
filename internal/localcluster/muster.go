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

// musterObjects are what Muster's schedulers need in the cluster: what the
// chart installs, but for the scheduler itself, which runs as a process here.
func musterObjects(schedulers []SchedulerSpec) ([]*unstructured.Unstructured, error) {
	var objects []any
	for _, scheduler := range schedulers {
		if scheduler.Program != musterProgram {
			continue
		}
		for _, definition := range chart.CustomResourceDefinitions() {
			objects = append(objects, definition)
		}
		if scheduler.User != "" {
			rules, err := musterRules(scheduler.Config)
			if err != nil {
				return nil, fmt.Errorf("configuration of scheduler %s: %w", scheduler.Name, err)
			}
			objects = append(objects, musterRights(scheduler.User, rules)...)
		}
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

// musterRules are those that the chart gives a scheduler of this configuration in every
// namespace.
func musterRules(configuration string) ([]rbacv1.PolicyRule, error) {
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

// musterRights give a user the rights of Muster's scheduler.
func musterRights(user string, rules []rbacv1.PolicyRule) []any {
	name := "muster-local:" + user
	meta := func(namespace, name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace, Name: name}
	}
	kind := func(kind string) metav1.TypeMeta {
		return metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind}
	}
	role := func(kind, name string) rbacv1.RoleRef {
		return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
	}
	const system, reader = metav1.NamespaceSystem, "extension-apiserver-authentication-reader"
	subjects := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}}
	return []any{
		&rbacv1.ClusterRole{TypeMeta: kind("ClusterRole"), ObjectMeta: meta("", name), Rules: rules},
		&rbacv1.Role{TypeMeta: kind("Role"), ObjectMeta: meta(system, name), Rules: chart.SchedulerNamespaceRules()},
		&rbacv1.ClusterRoleBinding{TypeMeta: kind("ClusterRoleBinding"), ObjectMeta: meta("", name), Subjects: subjects, RoleRef: role("ClusterRole", name)},
		&rbacv1.RoleBinding{TypeMeta: kind("RoleBinding"), ObjectMeta: meta(system, name), Subjects: subjects, RoleRef: role("Role", name)},
		// Who asks for its metrics is checked by what this role may read.
		&rbacv1.RoleBinding{TypeMeta: kind("RoleBinding"), ObjectMeta: meta(system, name+":"+reader), Subjects: subjects, RoleRef: role("Role", reader)},
	}
}
