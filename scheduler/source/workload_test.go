package source

import (
	"fmt"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

func gangMembers(n string) podOption { return annotation(v1alpha1.GangMembersAnnotation, n) }

func ownedByJob(name, uid string) podOption {
	return func(p *v1.Pod) {
		yes := true
		p.OwnerReferences = append(p.OwnerReferences, metav1.OwnerReference{
			APIVersion: "batch/v1", Kind: "Job", Name: name, UID: types.UID(uid), Controller: &yes,
		})
	}
}

// ofJob makes a pod one of the Job j, which wants so many to start together.
func ofJob(n string) podOption {
	return func(p *v1.Pod) {
		ownedByJob("j", "1")(p)
		gangMembers(n)(p)
	}
}

func TestAnnotatedPodsOfAJobAreAGang(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	s.setPod(newPod("p0", ofJob("2"), label(v1alpha1.QueueLabel, "train")))
	s.expect("gang job/team/j/1; default 0..-1; min 2; queue train", "p0 is default of job/team/j/1")
	s.setPod(newPod("p1", ofJob("2"), label(v1alpha1.QueueLabel, "train")))
	s.expect("p1 is default of job/team/j/1")
	s.setPod(newPod("bare", ownedByJob("j", "1")))
	s.expect() // only pods with the annotation are members
}

func TestAPodThatNamesAQueueIsAGangByItself(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	web := newPod("web", label(v1alpha1.QueueLabel, "web"))
	s.setPod(web)
	events, _ := s.take()
	e, ok := events[0].(core.GangSet)
	if !ok || !e.Gang.Alone || e.Gang.ID != "pod/team/web" || e.Gang.Owner.Kind != "Pod" || e.Gang.Owner.Name != "web" || e.Gang.Queue != "web" || e.Gang.Min() != 1 {
		t.Fatalf("told is %+v", events)
	}
	s.setPod(newPod("plain"))
	s.expect() // it is charged to nobody
	s.setPod(newPod("mistaken", label(v1alpha1.QueueLabel, "web"), annotation(v1alpha1.RuntimeAnnotation, "soon")))
	s.expect(`refused pod/team/mistaken: the annotation muster.sh/runtime="soon" is not a time; set it to one such as 90s or 10m`, "mistaken is default of pod/team/mistaken")
	s.removePod(web)
	s.expect("web Deleted", "gone pod/team/web")
}

func TestWorkloads(t *testing.T) {
	jobSet := []podOption{ownedByJob("t-worker-0", "7"), label("jobset.sigs.k8s.io/jobset-name", "t"), label("jobset.sigs.k8s.io/replicatedjob-name", "worker")}
	lws := func(index string) []podOption {
		return []podOption{
			ownedBy("StatefulSet", "serve-1", "9"), label("leaderworkerset.sigs.k8s.io/name", "serve"),
			label("leaderworkerset.sigs.k8s.io/group-index", "1"), label("leaderworkerset.sigs.k8s.io/worker-index", index),
		}
	}
	object := func(version, kind, name, uid string) gang.Object {
		return gang.Object{APIVersion: version, Kind: kind, Namespace: "team", Name: name, UID: uid}
	}
	for name, c := range map[string]struct {
		options []podOption
		gang    gang.ID
		role    string
		owner   gang.Object
	}{
		"a Job":                       {[]podOption{ownedByJob("j", "1")}, "job/team/j/1", "default", object("batch/v1", "Job", "j", "1")},
		"another Job of its name":     {[]podOption{ownedByJob("j", "2")}, "job/team/j/2", "default", object("batch/v1", "Job", "j", "2")},
		"another controller":          {[]podOption{ownedBy("ReplicaSet", "r", "3")}, "controller/team/r/3", "default", object("apps/v1", "ReplicaSet", "r", "3")},
		"a JobSet of an old release":  {jobSet, "jobset/team/t", "worker", object("jobset.x-k8s.io/v1alpha2", "JobSet", "t", "")},
		"a JobSet":                    {append(jobSet, label("jobset.sigs.k8s.io/jobset-uid", "5")), "jobset/team/t/5", "worker", object("jobset.x-k8s.io/v1alpha2", "JobSet", "t", "5")},
		"a LeaderWorkerSet's leader":  {lws("0"), "lws/team/serve/1", "leader", object("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", "serve", "")},
		"a LeaderWorkerSet's worker":  {lws("3"), "lws/team/serve/1", "worker", object("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", "serve", "")},
		"a set that has not said all": {append(lws("0")[:2:2], gangMembers("2")), "controller/team/serve-1/9", "default", object("apps/v1", "StatefulSet", "serve-1", "9")},
	} {
		p := newPod("p", append(c.options, gangMembers("4"))...)
		id, role, ok := GangOf(p)
		if !ok || id != c.gang || role != c.role {
			t.Errorf("%s: %s of %s, %v", name, role, id, ok)
		}
		d := memberDeclaration(p)
		if d.broken != nil || d.gang.ID != c.gang || d.gang.Owner != c.owner || d.gang.MinMember != 4 {
			t.Errorf("%s: declared %+v, %v", name, d.gang, d.broken)
		}
	}
}

func TestAnnotationThatIsNoNumberOfPodsIsRefused(t *testing.T) {
	for _, text := range []string{"", "0", "-1", "many", "1.5", "100001"} {
		s := newStory(t)
		s.expect("synced")
		s.setPod(newPod("p", ofJob(text)))
		s.expect(
			fmt.Sprintf("refused job/team/j/1: the annotation muster.sh/gang-members=%q of a pod is not a number of pods; "+
				"set it to a whole number from 1 to 100000 in the pod template, or leave it out", text),
			"p is default of job/team/j/1")
	}
}

func TestYoungestMemberIsBelieved(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	s.setPod(newPod("p0", ofJob("many")))
	s.take()
	s.setPod(newPod("p1", ofJob("3")))
	s.expect("gang job/team/j/1; default 0..-1; min 3", "p1 is default of job/team/j/1")
	s.setPod(newPod("p2", ofJob("2")))
	s.expect("gang job/team/j/1; default 0..-1; min 2", "p2 is default of job/team/j/1")
}

func TestPodWithoutAControllerHasNoFellowMembers(t *testing.T) {
	for name, options := range map[string][]podOption{
		"a bare pod":              nil,
		"a pod said a PodGroup's": {ownedBy(podGroupKind, "g", "uid-g")},
	} {
		s := newStory(t)
		s.take()
		s.setPod(newPod("p", append(options, gangMembers("2"))...))
		events, _ := s.take()
		refused, ok := events[0].(core.GangRefused)
		if !ok || refused.Owner.Name != "p" || refused.Owner.Kind != "Pod" ||
			refused.Verdict.Detail != "the pod has the annotation muster.sh/gang-members, but no controller whose pods could be its fellow members; "+
				"let a Job make it, name a PodGroup instead, or leave the annotation out" {
			t.Errorf("%s: told %v", name, events)
		}
	}
}

func TestGangThatItsMembersDeclaredEndsWithTheLastOfThem(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("p0", ofJob("2"), on("n1")))
	s.setPod(newPod("p1", ofJob("2"), on("n1")))
	s.take()
	s.setPod(newPod("p0", ofJob("2"), on("n1"), phaseOf(v1.PodFailed)))
	s.expect("p0 Failed")
	s.setPod(newPod("p1", ofJob("2"), on("n1"), phaseOf(v1.PodFailed)))
	s.expect("p1 Failed", "gone job/team/j/1")
	s.setPod(newPod("again", ofJob("2")))
	s.expect("gang job/team/j/1; default 0..-1; min 2", "again is default of job/team/j/1")
	for _, name := range []string{"p0", "p1", "again"} {
		s.removePod(newPod(name, ofJob("2")))
	}
	if len(s.groups) != 0 {
		t.Fatalf("kept %v", s.groups)
	}
}

// A Job does not make those of its pods anew that have succeeded.
func TestMembersThatHaveSucceededAreNotWaitedFor(t *testing.T) {
	succeeded := func(name string) *v1.Pod {
		return newPod(name, ofJob("3"), on("n1"), phaseOf(v1.PodSucceeded), created(1))
	}
	t.Run("when the scheduler starts", func(t *testing.T) {
		s := newStory(t, newPod("retry", ofJob("3")), succeeded("p1"), succeeded("p2"))
		s.expect("gang job/team/j/1; default 0..-1; min 1", "retry is default of job/team/j/1", "synced")
	})
	t.Run("when the last ones have failed", func(t *testing.T) {
		s := newStory(t)
		for _, name := range []string{"p0", "p1"} {
			s.setPod(newPod(name, ofJob("3"), on("n1")))
		}
		s.take()
		s.setPod(succeeded("p0"))
		s.setPod(newPod("p1", ofJob("3"), on("n1"), phaseOf(v1.PodFailed)))
		s.expect("p0 Succeeded", "p1 Failed", "gone job/team/j/1")
		s.setPod(newPod("retry", ofJob("3")))
		s.expect("gang job/team/j/1; default 0..-1; min 2", "retry is default of job/team/j/1")
	})
	t.Run("but those that are being deleted are: all is done anew", func(t *testing.T) {
		s := newStory(t, newPod("again", ofJob("3")), newPod("p1", ofJob("3"), on("n1"), phaseOf(v1.PodSucceeded), deleting()))
		s.expect("gang job/team/j/1; default 0..-1; min 3", "again is default of job/team/j/1", "synced")
	})
	t.Run("and one at least starts, however many have", func(t *testing.T) {
		s := newStory(t, newPod("last", ofJob("1")), succeeded("p1"), succeeded("p2"))
		s.expect("gang job/team/j/1; default 0..-1; min 1", "last is default of job/team/j/1", "synced")
	})
}

func TestGangIsAsOldAsItsFirstMember(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("p0", ofJob("2"), created(0)))
	s.take()
	s.setPod(newPod("p1", ofJob("3"), created(5)))
	events, _ := s.take()
	if g := events[0].(core.GangSet).Gang; !g.Created.Equal(epoch) {
		t.Fatalf("created %s", g.Created)
	}
}
