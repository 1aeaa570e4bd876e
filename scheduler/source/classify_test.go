package source

import (
	"testing"

	v1 "k8s.io/api/core/v1"
)

// ways are the options by which a pod says that it belongs to a gang, in the order
// in which they are looked at.
var ways = []struct {
	kind   string
	option podOption
}{
	{KindSpark, executorOf("g")},
	{KindPodGroup, inGroup("g")},
	{KindKubernetes, inSchedulingGroup("g")},
	{KindCoscheduling, label(coschedulingLabel, "g")},
	{KindJob, ofJob("2")},
}

func TestPodThatDeclaresItselfInSeveralWaysIsTakenAtTheFirst(t *testing.T) {
	for i := range ways {
		var options []podOption
		for _, way := range ways[i:] {
			options = append(options, way.option)
		}
		id, _, ok := GangOf(newPod("p", options...))
		if want := ways[i].kind; !ok || kindOf(id) != want {
			t.Errorf("%d ways: gang %s, want one of kind %s", len(options), id, want)
		}
	}
	if id, _, ok := GangOf(newPod("single", ownedByJob("j", "1"))); ok {
		t.Errorf("a pod that declares nothing is of gang %s", id)
	}
}

func TestGatedPodIsNoMemberYetWhateverDeclaresItsGang(t *testing.T) {
	for _, way := range ways[1:] {
		gate := func(p *v1.Pod) { p.Spec.SchedulingGates = []v1.PodSchedulingGate{{Name: "quota"}} }
		s := newStory(t)
		s.setPod(newPod("p", way.option, gate))
		events, _ := s.take()
		for _, e := range events {
			if told := describe(e); told[0] == 'p' {
				t.Errorf("%s: told %s", way.kind, told)
			}
		}
		s.setPod(newPod("p", way.option))
		id, role, _ := GangOf(newPod("p", way.option))
		s.expect("p is " + role + " of " + string(id))
	}
}
