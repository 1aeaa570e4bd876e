package chart

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"

	"muster.sh/muster/api/v1alpha1"
)

// grants says whether rules allow a verb on a resource of a group.
func grants(rules []rbacv1.PolicyRule, group, resource, verb string) bool {
	return slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool {
		return has(r.APIGroups, group) && has(r.Resources, resource) && has(r.Verbs, verb)
	})
}

func has(list []string, s string) bool { return slices.Contains(list, s) || slices.Contains(list, "*") }

func TestSchedulerHasNoMoreRightsThanItNeeds(t *testing.T) {
	rules := SchedulerClusterRules()
	for _, never := range [][3]string{
		{"", "secrets", "get"}, {"", "secrets", "list"}, {"", "secrets", "watch"},
		{"", "configmaps", "list"}, {"", "configmaps", "watch"}, {"", "configmaps", "update"}, {"", "configmaps", "create"},
		{"", "pods", "create"}, {"", "pods", "update"}, {"", "pods", "patch"}, {"", "pods/exec", "create"},
		{"", "nodes", "update"}, {"", "nodes", "patch"}, {"", "serviceaccounts/token", "create"},
		{"rbac.authorization.k8s.io", "clusterroles", "get"}, {"coordination.k8s.io", "leases", "update"},
		{"apiextensions.k8s.io", "customresourcedefinitions", "update"}, {"scheduling.volcano.sh", "podgroups", "delete"},
		{"scheduling.x-k8s.io", "podgroups", "patch"}, {"scheduling.k8s.io", "podgroups", "patch"}, {"batch", "jobs", "get"},
		{"scheduling.volcano.sh", "queues", "update"}, {"scheduling.volcano.sh", "queues", "patch"},
	} {
		if grants(rules, never[0], never[1], never[2]) {
			t.Errorf("the scheduler may %s %s of group %q", never[2], never[1], never[0])
		}
	}
	for _, resource := range []string{"podtemplates", "pods", "secrets"} {
		if grants(SchedulerAutoscalingRules(), "", resource, "update") || grants(rules, "", resource, "create") {
			t.Errorf("the scheduler may write %s", resource)
		}
	}
	for _, r := range slices.Concat(rules, SchedulerNamespaceRules(), SchedulerAutoscalingRules()) {
		if slices.Contains(r.APIGroups, "*") || slices.Contains(r.Resources, "*") || slices.Contains(r.Verbs, "*") || len(r.NonResourceURLs) > 0 {
			t.Errorf("rule %v is a blank cheque", r)
		}
	}
}

func TestSchedulerHasTheRightsThatItNeeds(t *testing.T) {
	rules := SchedulerClusterRules()
	for _, need := range [][3]string{
		{"", "nodes", "watch"}, {"", "pods", "watch"}, {"", "pods/binding", "create"}, {"", "pods/eviction", "create"}, {"", "pods/status", "patch"}, {"", "pods", "delete"},
		{"", "configmaps", "get"}, {"", "limitranges", "watch"}, {"node.k8s.io", "runtimeclasses", "watch"}, {"events.k8s.io", "events", "create"},
		{"muster.sh", "reservations", "create"}, {"muster.sh", "reservations", "update"}, {"muster.sh", "reservations", "delete"},
		{"muster.sh", "reservations", "list"}, {"muster.sh", "reservations", "get"},
		{"scheduling.volcano.sh", "podgroups", "watch"}, {"scheduling.volcano.sh", "podgroups/status", "patch"},
		{"scheduling.x-k8s.io", "podgroups", "watch"}, {"scheduling.x-k8s.io", "podgroups/status", "patch"},
		{"scheduling.k8s.io", "podgroups", "watch"}, {"scheduling.k8s.io", "podgroups/status", "patch"},
		{"scheduling.volcano.sh", "queues", "watch"}, {"scheduling.volcano.sh", "queues", "get"}, {"scheduling.volcano.sh", "queues/status", "update"},
		{"apiextensions.k8s.io", "customresourcedefinitions", "watch"}, {"resource.k8s.io", "devicetaintrules", "watch"},
		{"storage.k8s.io", "csistoragecapacities", "watch"}, {"", "persistentvolumeclaims", "patch"},
	} {
		if !grants(rules, need[0], need[1], need[2]) {
			t.Errorf("the scheduler may not %s %s of group %q", need[2], need[1], need[0])
		}
	}
	for _, verb := range []string{"list", "create", "delete"} {
		for _, need := range [][2]string{{"", "podtemplates"}, {"autoscaling.x-k8s.io", "provisioningrequests"}, {"autoscaling.x-k8s.io", "capacitybuffers"}} {
			if !grants(SchedulerAutoscalingRules(), need[0], need[1], verb) {
				t.Errorf("the scheduler may not %s %s of group %q", verb, need[1], need[0])
			}
		}
	}
	for _, verb := range []string{"create", "get", "update"} {
		if !grants(SchedulerNamespaceRules(), "coordination.k8s.io", "leases", verb) {
			t.Errorf("the scheduler may not %s its lease", verb)
		}
	}
}

func TestOperatorsHaveNoMoreRightsThanTheyNeed(t *testing.T) {
	rules := OperatorsClusterRules()
	for _, never := range [][3]string{
		{"", "secrets", "get"}, {"", "secrets", "list"}, {"", "secrets", "update"}, {"", "secrets", "delete"},
		{"", "configmaps", "get"}, {"", "configmaps", "list"}, {"", "configmaps", "update"}, {"", "configmaps", "delete"},
		{"", "persistentvolumeclaims", "get"}, {"", "persistentvolumeclaims", "delete"},
		{"networking.k8s.io", "networkpolicies", "update"}, {"networking.k8s.io", "networkpolicies", "delete"},
		{"networking.k8s.io", "ingresses", "update"}, {"networking.k8s.io", "ingresses", "list"},
		{"sparkoperator.k8s.io", "sparkapplications", "update"}, {"sparkoperator.k8s.io", "sparkapplications/status", "patch"},
		{"sparkoperator.k8s.io", "scheduledsparkapplications", "update"}, {"sparkoperator.k8s.io", "scheduledsparkapplications", "delete"},
		{"", "pods", "update"}, {"", "pods", "patch"}, {"", "pods/exec", "create"}, {"", "pods/binding", "create"}, {"", "nodes", "get"}, {"", "services", "update"},
		{"kubeflow.org", "tfjobs", "create"}, {"kubeflow.org", "tfjobs", "update"}, {"scheduling.volcano.sh", "podgroups/status", "patch"},
		{"coordination.k8s.io", "leases", "update"}, {"muster.sh", "reservations", "get"},
	} {
		if grants(rules, never[0], never[1], never[2]) {
			t.Errorf("the operators may %s %s of group %q", never[2], never[1], never[0])
		}
	}
	for _, r := range slices.Concat(rules, OperatorsNamespaceRules()) {
		if slices.Contains(r.APIGroups, "*") || slices.Contains(r.Resources, "*") || slices.Contains(r.Verbs, "*") || len(r.NonResourceURLs) > 0 {
			t.Errorf("rule %v is a blank cheque", r)
		}
	}
}

func TestEveryDefinitionIsGivenOut(t *testing.T) {
	files, err := filepath.Glob("crds/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var given []string
	for _, crd := range slices.Concat(CustomResourceDefinitions(), JobDefinitions()) {
		given = append(given, fmt.Sprintf("crds/%s_%s.yaml", crd.Spec.Group, crd.Spec.Names.Plural))
	}
	slices.Sort(given)
	if !slices.Equal(files, given) {
		t.Fatalf("files are %v, definitions given out %v", files, given)
	}
	crd := CustomResourceDefinitions()[0]
	if crd.Name != "reservations.muster.sh" || crd.Spec.Group != v1alpha1.GroupVersion.Group || crd.Spec.Versions[0].Name != v1alpha1.GroupVersion.Version {
		t.Fatalf("it defines %s %s", crd.Name, crd.Spec.Versions[0].Name)
	}
}
