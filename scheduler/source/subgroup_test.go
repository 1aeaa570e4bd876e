package source

import (
	"reflect"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

func TestSubGroupsAreRoles(t *testing.T) {
	two, three, tier1 := int32(2), int32(3), 1
	policies := []volcano.SubGroupPolicySpec{{
		Name: "stage", MatchLabelKeys: []string{"stage"}, SubGroupSize: &two, MinSubGroups: &three,
		LabelSelector:   &metav1.LabelSelector{MatchLabels: map[string]string{"kind": "worker"}},
		NetworkTopology: &volcano.NetworkTopologySpec{HighestTierAllowed: &tier1},
	}}
	c := newCollector(settings{schedulerName: testScheduler})
	c.replayed(nil)
	worker := func(name, stage string) *v1.Pod {
		p := newPod(name)
		p.Labels = map[string]string{"kind": "worker", "stage": stage}
		p.Annotations = map[string]string{volcano.KubeGroupNameAnnotationKey: "g"}
		return p
	}
	early := worker("early", "a")
	c.setPod(early)
	master := worker("master", "a")
	master.Labels = nil
	c.setPod(master)
	c.setGroup(volcanoGroups.declaration(object(t, newPodGroup("g", volcano.PodGroupSpec{MinMember: 5, SubGroupPolicy: policies}), volcano.SchemeGroupVersion.WithKind("PodGroup"))))
	c.setPod(worker("b1", "b"))

	near := gang.Topology{Levels: []string{"HyperNode of tier 1"}, Required: true}
	var last core.GangSet
	roles := map[string]string{}
	events, _ := c.take()
	for _, e := range events {
		switch e := e.(type) {
		case core.GangSet:
			last = e
		case core.PodSet:
			roles[e.Pod.Name] = e.Member.Role
		}
	}
	want := []gang.Role{
		{Name: "default", Max: -1},
		{Name: "stage/(3)", Min: 2, Max: -1, Topology: near},
		{Name: "stage/a", Min: 2, Max: -1, Topology: near},
		{Name: "stage/b", Min: 2, Max: -1, Topology: near},
	}
	if !reflect.DeepEqual(last.Gang.Roles, want) {
		t.Errorf("roles\n%+v, want\n%+v", last.Gang.Roles, want)
	}
	if w := map[string]string{"early": "stage/a", "master": "default", "b1": "stage/b"}; !reflect.DeepEqual(roles, w) {
		t.Errorf("pods are of roles %v, want %v", roles, w)
	}
}

func TestSubGroupsThatCannotBeAreRefused(t *testing.T) {
	zero := int32(0)
	for want, policies := range map[string][]volcano.SubGroupPolicySpec{
		"spec.subGroupPolicy[0]: subGroupSize=0 must be at least 1": {{SubGroupSize: &zero}},
		`spec.subGroupPolicy[1].name="a" is the name of another`:    {{Name: "a"}, {Name: "a"}},
		"spec.subGroupPolicy[0].labelSelector can't be read":        {{LabelSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "k", Operator: "Near"}}}}},
	} {
		if _, err := readSubGroups(policies); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
