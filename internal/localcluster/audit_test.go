package localcluster

import (
	"slices"
	"testing"

	"k8s.io/apiserver/pkg/apis/audit"
	"k8s.io/apiserver/pkg/audit/policy"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
)

func TestTheAuditLogKeepsWhatAuditorsNeedAndNoSecrets(t *testing.T) {
	parsed, err := policy.LoadPolicyFromBytes(auditPolicy)
	if err != nil {
		t.Fatal(err)
	}
	evaluator := policy.NewPolicyRuleEvaluator(parsed)
	tests := []struct {
		name                               string
		verb, group, resource, subresource string
		want                               audit.Level
	}{
		{"bindings, with their node", "create", "", "pods", "binding", audit.LevelRequestResponse},
		{"new pods, with their requests", "create", "", "pods", "", audit.LevelRequestResponse},
		{"deleted pods", "delete", "", "pods", "", audit.LevelRequestResponse},
		{"pods deleted by the dozen", "deletecollection", "", "pods", "", audit.LevelRequestResponse},
		{"evictions", "create", "", "pods", "eviction", audit.LevelRequestResponse},
		{"phases of pods", "patch", "", "pods", "status", audit.LevelRequestResponse},
		{"new nodes", "create", "", "nodes", "", audit.LevelRequestResponse},
		{"allocatable of nodes", "patch", "", "nodes", "status", audit.LevelRequestResponse},
		{"reservations", "create", "muster.sh", "reservations", "", audit.LevelRequestResponse},
		{"Volcano's pod groups", "create", "scheduling.volcano.sh", "podgroups", "", audit.LevelRequestResponse},
		{"coscheduling's pod groups", "patch", "scheduling.x-k8s.io", "podgroups", "status", audit.LevelRequestResponse},
		{"Kubernetes' pod groups", "update", "scheduling.k8s.io", "podgroups", "status", audit.LevelRequestResponse},
		{"that a secret was written, not what", "create", "", "secrets", "", audit.LevelMetadata},
		{"that a token was made, not which", "create", "", "serviceaccounts", "token", audit.LevelMetadata},
		{"that a ConfigMap was written", "patch", "", "configmaps", "", audit.LevelMetadata},
		{"the number of events", "create", "events.k8s.io", "events", "", audit.LevelMetadata},
		{"no leases", "update", "coordination.k8s.io", "leases", "", audit.LevelNone},
		{"no reading", "list", "", "pods", "", audit.LevelNone},
		{"no watching", "watch", "muster.sh", "reservations", "", audit.LevelNone},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := evaluator.EvaluatePolicyRule(authorizer.AttributesRecord{
				User: &user.DefaultInfo{Name: "someone"}, ResourceRequest: true,
				Verb: test.verb, APIGroup: test.group, Resource: test.resource, Subresource: test.subresource,
			})
			if got.Level != test.want {
				t.Errorf("level %s, want %s", got.Level, test.want)
			}
			if !slices.Contains(got.OmitStages, audit.StageRequestReceived) {
				t.Error("every request is logged twice")
			}
		})
	}
}
