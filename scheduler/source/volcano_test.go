package source

import (
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"
)

// setVolcano gives the collector a PodGroup of Volcano's.
func (s *story) setVolcano(pg *volcano.PodGroup) {
	s.t.Helper()
	s.setGroup(volcanoGroups.declaration(object(s.t, pg, volcano.SchemeGroupVersion.WithKind("PodGroup"))))
}

func TestPodGroupIsAGangOnceBothItAndAPodOfOursAreThere(t *testing.T) {
	spec := volcano.PodGroupSpec{MinMember: 3, Queue: "train"}
	t.Run("the group first", func(t *testing.T) {
		s := newStory(t)
		s.expect("synced")
		s.setVolcano(newPodGroup("g", spec))
		s.expect() // it may be another scheduler's
		s.setPod(newPod("p1", inGroup("g")))
		s.expect("gang podgroup/team/g; default 0..-1; min 3; queue train", "p1 is default of podgroup/team/g")
		s.setPod(newPod("p2", inGroup("g")))
		s.expect("p2 is default of podgroup/team/g")
	})
	t.Run("a pod first", func(t *testing.T) {
		s := newStory(t)
		s.expect("synced")
		s.setPod(newPod("p1", inGroup("g")))
		s.expect("p1 is default of podgroup/team/g")
		s.setVolcano(newPodGroup("g", spec))
		s.expect("gang podgroup/team/g; default 0..-1; min 3; queue train")
	})
	t.Run("the group first, with no other scheduler of groups", func(t *testing.T) {
		s := newStory(t)
		s.emptyGroups = true
		s.expect("synced")
		s.setVolcano(newPodGroup("g", spec))
		s.expect("gang podgroup/team/g; min 3; queue train")
		s.setPod(newPod("p1", inGroup("g")))
		s.expect("gang podgroup/team/g; default 0..-1; min 3; queue train", "p1 is default of podgroup/team/g")
	})
	t.Run("pods of another scheduler", func(t *testing.T) {
		s := newStory(t)
		s.take()
		s.setVolcano(newPodGroup("g", spec))
		s.setPod(newPod("p1", inGroup("g"), scheduledBy("volcano"), on("n1")))
		s.expect("p1 on n1")
	})
}

func TestPodGroupsTasksAreItsRoles(t *testing.T) {
	s := newStory(t)
	s.take()
	need := v1.ResourceList{v1.ResourceCPU: resource.MustParse("6"), "nvidia.com/gpu": resource.MustParse("2")}
	s.setVolcano(newPodGroup("g", volcano.PodGroupSpec{
		MinMember: 3, MinTaskMember: map[string]int32{"worker": 2, "ps": 1}, MinResources: &need,
	}))
	s.setPod(newPod("p", inGroup("g"), annotation("volcano.sh/task-spec", "worker")))
	s.expect("gang podgroup/team/g; ps 1..-1; worker 2..-1; min 3; needs cpu=6 nvidia.com/gpu=2", "p is worker of podgroup/team/g")
	s.setPod(newPod("q", inGroup("g"), annotation("volcano.sh/task-spec", "evaluator")))
	s.expect("gang podgroup/team/g; evaluator 0..-1; ps 1..-1; worker 2..-1; min 3; needs cpu=6 nvidia.com/gpu=2", "q is evaluator of podgroup/team/g")
}

func TestPodGroupThatAsksForNobodyStartsWithItsFirstPod(t *testing.T) {
	s := newStory(t)
	s.take()
	s.setVolcano(newPodGroup("g", volcano.PodGroupSpec{}))
	s.setPod(newPod("p", inGroup("g")))
	s.expect("gang podgroup/team/g; default 0..-1; min 1", "p is default of podgroup/team/g")
}

func TestPodGroupThatMakesNoSenseIsRefusedAndCanBeMended(t *testing.T) {
	less := v1.ResourceList{v1.ResourceCPU: resource.MustParse("-1")}
	for name, c := range map[string]struct {
		spec volcano.PodGroupSpec
		want string
	}{
		"a negative minMember": {
			spec: volcano.PodGroupSpec{MinMember: -2},
			want: "spec.minMember=-2 is negative; set it to the number of pods that start together",
		},
		"a negative task": {
			spec: volcano.PodGroupSpec{MinTaskMember: map[string]int32{"ps": -1}},
			want: "spec.minTaskMember[ps]=-1 is negative; set it to the number of pods of the task that start together",
		},
		"negative resources": {
			spec: volcano.PodGroupSpec{MinResources: &less},
			want: "spec.minResources[cpu]=-1 is negative; set it to what the group needs in all, or leave it out",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			s.setPod(newPod("p", inGroup("g")))
			s.take()
			s.setVolcano(newPodGroup("g", c.spec))
			s.expect("refused podgroup/team/g: " + c.want)
			s.setVolcano(newPodGroup("g", volcano.PodGroupSpec{MinMember: 1}))
			s.expect("gang podgroup/team/g; default 0..-1; min 1")
		})
	}
}

func TestStatusOfAPodGroupIsNoNews(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("p", inGroup("g")))
	s.setVolcano(newPodGroup("g", volcano.PodGroupSpec{MinMember: 1}))
	s.take()
	pg := newPodGroup("g", volcano.PodGroupSpec{MinMember: 1})
	pg.Status.Phase = volcano.PodGroupRunning
	s.setVolcano(pg)
	s.expect()
}

func TestDeletedPodGroupEndsItsGang(t *testing.T) {
	s := newStory(t)
	pg := newPodGroup("g", volcano.PodGroupSpec{MinMember: 1})
	s.setVolcano(pg)
	s.setVolcano(newPodGroup("others", volcano.PodGroupSpec{}))
	s.setPod(newPod("p", inGroup("g")))
	s.take()
	s.removeGroup("podgroup/team/g")
	s.expect("gone podgroup/team/g")
	s.setVolcano(pg)
	s.expect("gang podgroup/team/g; default 0..-1; min 1")
	s.removeGroups(KindPodGroup) // the definition was removed
	s.expect("gone podgroup/team/g")
	s.removePod(newPod("p", inGroup("g")))
	s.expect("p Deleted")
	if len(s.groups) != 0 {
		t.Fatalf("kept %v", s.groups)
	}
}

func TestEndedPodsOfAGroupAreCountedWhileTheyExist(t *testing.T) {
	done, failed := newPod("done", inGroup("g"), on("n"), phaseOf(v1.PodSucceeded)), newPod("failed", inGroup("g"), on("n"), phaseOf(v1.PodFailed))
	s := newStory(t, done) // ended before the start
	s.setPod(newPod("failed", inGroup("g"), on("n")))
	s.setPod(failed)
	if ok, bad := s.ended("podgroup/team/g"); ok != 1 || bad != 1 {
		t.Fatalf("%d succeeded, %d failed", ok, bad)
	}
	s.removePod(done)
	s.removePod(failed)
	if ok, bad := s.ended("podgroup/team/g"); ok != 0 || bad != 0 || len(s.groups) != 0 {
		t.Fatalf("%d succeeded, %d failed, kept %v", ok, bad, s.groups)
	}
}

// The scheduler may start when a part of a group has done its work already.
func TestMembersOfAPodGroupThatHaveSucceededBeforeTheStartAreNotWaitedFor(t *testing.T) {
	task := func(name, role string, phase v1.PodPhase) *v1.Pod {
		return newPod(name, inGroup("g"), annotation("volcano.sh/task-spec", role), on("n"), phaseOf(phase))
	}
	group := newPodGroup("g", volcano.PodGroupSpec{MinMember: 4, MinTaskMember: map[string]int32{"ps": 1, "worker": 2}})
	s := newStory(t, task("w1", "worker", v1.PodRunning), task("w2", "worker", v1.PodSucceeded), task("ps", "ps", v1.PodSucceeded), task("lost", "worker", v1.PodFailed))
	s.setVolcano(group)
	s.expect("w1 on n is worker of podgroup/team/g", "synced", "gang podgroup/team/g; ps 0..-1; worker 1..-1; min 2")

	// Of these two, core knows.
	s.setPod(task("w3", "worker", v1.PodRunning))
	s.setPod(task("w1", "worker", v1.PodFailed))
	s.setPod(task("w3", "worker", v1.PodSucceeded))
	s.expect("w3 on n is worker of podgroup/team/g", "w1 Failed", "w3 Succeeded")
	s.setPod(task("retry", "worker", v1.PodRunning))
	s.expect("retry on n is worker of podgroup/team/g")

	// What comes after all have ended well is another run, of the whole group.
	s.setPod(task("retry", "worker", v1.PodSucceeded))
	s.expect("retry Succeeded")
	s.setPod(task("again", "worker", v1.PodRunning))
	s.expect("gang podgroup/team/g; ps 1..-1; worker 2..-1; min 4", "again on n is worker of podgroup/team/g")
}

func TestEarlierRunOfAPodGroupIsNoPartOfThisOne(t *testing.T) {
	s := newStory(t, newPod("p", inGroup("g")), newPod("p1", inGroup("g"), on("n"), phaseOf(v1.PodSucceeded)), newPod("p2", inGroup("g"), on("n"), phaseOf(v1.PodSucceeded)))
	s.setVolcano(newPodGroup("g", volcano.PodGroupSpec{MinMember: 2}))
	s.expect("p is default of podgroup/team/g", "synced", "gang podgroup/team/g; default 0..-1; min 2")
}
