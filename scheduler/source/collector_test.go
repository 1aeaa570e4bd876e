package source

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// story drives a collector and checks what it tells, in words.

type story struct {
	t *testing.T
	*collector
}

// newStory begins after a start in which these pods existed.

func newStory(t *testing.T, existing ...*v1.Pod) *story {
	s := &story{t, newCollector(settings{
		schedulerName: testScheduler, configMapTimeout: 30 * time.Second, settle: 2 * time.Second, settleMax: 30 * time.Second,
	})}
	s.now = epoch.Add(time.Hour)
	for _, p := range existing {
		s.setPod(p)
	}
	s.replayed(nil)
	return s
}

// expect checks all that was told and asked since the last call.

func (s *story) expect(want ...string) {
	s.t.Helper()
	events, errands := s.take()
	var got []string
	for _, e := range events {
		got = append(got, describe(e))
	}
	for _, e := range errands {
		got = append(got, describeErrand(e))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Fatalf("told and asked (-want +got):\n%s", diff)
	}
}

// after lets time pass.

func (s *story) after(d time.Duration) *story {
	s.now = s.now.Add(d)
	return s
}

// settings answers the question for an application's settings.

func describe(e core.Event) string {
	switch e := e.(type) {
	case core.NodeSet:
		return "node " + e.Node.Name
	case core.NodeGone:
		return "node " + e.Name + " gone"
	case core.PodSet:
		return describePod(e)
	case core.PodGone:
		return fmt.Sprintf("%s %s", strings.TrimPrefix(string(e.ID), "uid-"), e.End)
	case core.GangSet:
		return describeGang(e.Gang)
	case core.GangRefused:
		return fmt.Sprintf("refused %s: %s", e.ID, e.Verdict.Detail)
	case core.GangGone:
		return fmt.Sprintf("gone %s", e.ID)
	case core.ReservationFound:
		return fmt.Sprintf("found %s %v", e.Gang, e.Slots)
	case core.Synced:
		return "synced"
	}
	return fmt.Sprintf("%T", e)
}

func describePod(e core.PodSet) string {
	what := []string{e.Pod.Name}
	if e.Pod.Node != "" {
		what = append(what, "on "+e.Pod.Node)
	}
	if e.Member != nil {
		what = append(what, fmt.Sprintf("is %s of %s", e.Member.Role, e.Member.Gang))
	}
	if e.Terminating {
		what = append(what, "terminating")
	}
	return strings.Join(what, " ")
}

func describeGang(g gang.Gang) string {
	what := []string{"gang " + string(g.ID)}
	for _, r := range g.Roles {
		s := fmt.Sprintf("%s %d..%d", r.Name, r.Min, r.Max)
		if r.Expected {
			s += " expected " + r.Shape.Request.String()
		}
		if r.Shrinks {
			s += " shrinks"
		}
		what = append(what, s)
	}
	if g.MinMember > 0 {
		what = append(what, fmt.Sprintf("min %d", g.MinMember))
	}
	if !g.MinResources.IsZero() {
		what = append(what, "needs "+g.MinResources.String())
	}
	if g.Queue != "" {
		what = append(what, "queue "+g.Queue)
	}
	return strings.Join(what, "; ")
}

func describeErrand(e errand) string {
	switch e := e.(type) {
	case readConf:
		return fmt.Sprintf("read %s within %s", e.properties.ConfigMap, e.patience)
	case stopReading:
		return "stop reading"
	case wake:
		return fmt.Sprintf("wake %s at %s", e.client, e.at.Sub(epoch.Add(time.Hour)))
	case discard:
		return "discard " + e.namespace + "/" + e.name
	}
	return fmt.Sprintf("%T", e)
}

func TestUpdatesThatChangeNothingAreNotTold(t *testing.T) {
	s := newStory(t, newPod("p", on("n1")))
	s.expect("p on n1", "synced")
	s.setPod(newPod("p", on("n1"), func(p *v1.Pod) { p.Status.PodIP = "10.0.0.1" }))
	s.expect()
}

func TestOnlyPodsThatTakeRoomOrAreMembersAreTold(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	s.setPod(newPod("single"))
	s.setPod(newPod("foreign", scheduledBy("default-scheduler"), driverOf("app")))
	s.expect()
	s.setPod(newPod("foreign", scheduledBy("default-scheduler"), driverOf("app"), on("n1")))
	s.expect("foreign on n1")
	s.removePod(newPod("single"))
	s.expect()
}

func TestPodWithSchedulingGatesIsNotThereYet(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	gate := func(p *v1.Pod) { p.Spec.SchedulingGates = []v1.PodSchedulingGate{{Name: "quota"}} }
	s.setPod(newPod("p", inGroup("g"), gate))
	s.expect()
	s.setPod(newPod("p", inGroup("g")))
	s.expect("p is default of podgroup/team/g")
}

func TestPodIsNotThereBeforeItsResourceClaimsAre(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	claims := func(p *v1.Pod) {
		p.Spec.ResourceClaims = []v1.PodResourceClaim{
			{Name: "shared", ResourceClaimName: ptr.To("there")}, {Name: "own", ResourceClaimTemplateName: ptr.To("device")},
		}
	}
	made := func(p *v1.Pod) {
		p.Status.ResourceClaimStatuses = []v1.PodResourceClaimStatus{{Name: "own", ResourceClaimName: ptr.To("p-own-x")}}
	}
	s.setPod(newPod("p", inGroup("g"), claims))
	s.expect()
	s.setPod(newPod("p", inGroup("g"), claims, made))
	s.expect("p is default of podgroup/team/g")
}

func TestHowAMemberEndedIsToldByWhatCameFirst(t *testing.T) {
	running := func(more ...podOption) *v1.Pod {
		return newPod("p", append([]podOption{inGroup("g"), on("n1")}, more...)...)
	}
	for name, c := range map[string]struct {
		changes []*v1.Pod
		removed *v1.Pod
		want    string
	}{
		"it fails": {changes: []*v1.Pod{running(phaseOf(v1.PodFailed))}, want: "p Failed"},
		"it is deleted, and fails of it": {
			changes: []*v1.Pod{running(deleting()), running(deleting(), phaseOf(v1.PodFailed))}, want: "p Deleted",
		},
		"it fails, and is deleted afterwards": {
			changes: []*v1.Pod{running(phaseOf(v1.PodFailed)), running(phaseOf(v1.PodFailed), deleting())}, want: "p Failed",
		},
		"it ends well":       {changes: []*v1.Pod{running(phaseOf(v1.PodSucceeded))}, want: "p Succeeded"},
		"it is gone at once": {removed: running(), want: "p Deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, running())
			s.take()
			for _, p := range c.changes {
				s.setPod(p)
			}
			if c.removed != nil {
				s.removePod(c.removed)
			}
			events, _ := s.take()
			if got := describe(events[len(events)-1]); got != c.want {
				t.Fatalf("%s, want %s", got, c.want)
			}
			ends := 0
			for _, e := range events {
				if _, ok := e.(core.PodGone); ok {
					ends++
				}
			}
			if ends != 1 {
				t.Fatalf("its end was told %d times", ends)
			}
		})
	}
}

func TestStartTellsDriversFirstAndWaitsForTheSettingsOfThoseThatRun(t *testing.T) {
	s := newStory(t,
		newPod("e1", executorOf("a"), ownedBy("Pod", "a", "uid-a"), on("n1"), created(time.Second)),
		newPod("b", driverOf("b"), created(5*time.Second)),
		newPod("a", driverOf("a"), on("n1")),
		newPod("old", driverOf("old"), on("n1"), phaseOf(v1.PodSucceeded)),
	)
	s.expect("a on n1 is driver of spark/team/a", "b is driver of spark/team/b", "e1 on n1 is executor of spark/team/a",
		"read a-conf within 0s", "read b-conf within 30s")
	s.settings("a", 1)
	s.expect("gang spark/team/a; driver 1..1; executor 1..1 expected "+executorShape, "synced")
	s.settings("b", 1)
	s.expect("gang spark/team/b; driver 1..1; executor 1..1 expected " + executorShape)
}

func TestStartDoesNotWaitForADriverThatEndsOrHasLostItsSettings(t *testing.T) {
	s := newStory(t, newPod("a", driverOf("a"), on("n1")), newPod("b", driverOf("b"), on("n1")))
	s.take()
	s.setPod(newPod("a", driverOf("a"), on("n1"), phaseOf(v1.PodFailed)))
	s.expect("a Failed", "gone spark/team/a", "stop reading")
	s.confMissing("uid-b", errors.New("not found"))
	events, _ := s.take()
	if len(events) != 2 || describe(events[1]) != "synced" {
		t.Fatalf("told %v", events)
	}
}

func TestReservationsAreClaimedByTheDriverThatTheyName(t *testing.T) {
	reserve := func(name, namespace, id, uid string) reservation {
		r := reservation{}
		r.Name, r.Namespace = name, namespace
		r.Spec = v1alpha1.ReservationSpec{
			Gang: id, Owner: v1alpha1.ReservationOwner{UID: types.UID(uid)},
			Slots: []v1alpha1.ReservedSlots{{Role: "executor", Node: "n1", Count: 2}, {Role: "executor", Node: "n2", Count: 1}},
		}
		return r
	}
	s := &story{t, newCollector(settings{schedulerName: testScheduler})}
	s.setPod(newPod("d", driverOf("app"), on("n1")))
	s.replayed([]reservation{
		reserve("good", "team", "spark/team/app", "uid-d"),
		reserve("of-an-earlier-driver", "team", "spark/team/app", "uid-before"),
		reserve("of-nobody", "team", "spark/team/other", "uid-d"),
		reserve("from-elsewhere", "elsewhere", "spark/team/app", "uid-d"),
		reserve("broken", "team", "", ""),
	})
	s.take()
	s.settings("d", 3)
	s.expect("gang spark/team/app; driver 1..1; executor 3..3 expected "+executorShape,
		"found spark/team/app [{executor n1} {executor n1} {executor n2}]", "synced",
		"discard team/of-an-earlier-driver", "discard team/of-nobody", "discard elsewhere/from-elsewhere", "discard team/broken")
}

func TestAGangThatGoesIsKnownByItsOwner(t *testing.T) {
	pg := newPodGroup("g", volcano.PodGroupSpec{MinMember: 2})
	s := &story{t, newCollector(settings{schedulerName: testScheduler})}
	s.setPod(newPod("w", inGroup("g"), on("n1")))
	s.setGroup(volcanoGroups.declaration(object(t, pg, volcano.SchemeGroupVersion.WithKind("PodGroup"))))
	mark := func(name, uid string) reservation {
		r := reservation{}
		r.Name, r.Namespace = name, "team"
		r.Spec = v1alpha1.ReservationSpec{Gang: "podgroup/team/g", Owner: v1alpha1.ReservationOwner{UID: types.UID(uid)}, Leaving: true}
		return r
	}
	s.replayed([]reservation{mark("good", "uid-g"), mark("of-an-earlier-one", "uid-before")})
	events, errands := s.take()
	want := core.ReservationFound{Gang: "podgroup/team/g", Owner: s.groups["podgroup/team/g"].declared.gang.Owner, Leaving: true}
	if found := events[len(events)-2]; !reflect.DeepEqual(found, want) {
		t.Errorf("found is %+v, want %+v", found, want)
	}
	if !slices.Equal(errands, []errand{discard{"team", "of-an-earlier-one"}}) {
		t.Errorf("errands: %v", errands)
	}
}

func TestNodesAreTold(t *testing.T) {
	s := newStory(t)
	s.take()
	n := &v1.Node{}
	n.Name = "n1"
	s.setNode(n)
	s.removeNode("n1")
	s.expect("node n1", "node n1 gone")
}

func TestGatheringKeepsNothingOfWhatHasEnded(t *testing.T) {
	s := newStory(t)
	pods := []*v1.Pod{
		newPod("d", driverOf("app")), newPod("e", executorOf("app"), ownedBy("Pod", "d", "uid-d")),
		newPod("c", executorOf("client")), newPod("o", executorOf("x"), ownedBy("Pod", "x", "uid-x")),
		newPod("g", inGroup("g")), newPod("s", on("n1")),
	}
	for _, p := range pods {
		s.setPod(p)
	}
	slices.Reverse(pods)
	for _, p := range pods {
		s.removePod(p)
	}
	left := len(s.pods) + len(s.apps) + len(s.clients) + len(s.groups) + len(s.orphans) + len(s.awaited)
	if left != 0 {
		t.Fatalf("kept: %v %v %v %v %v %v", s.pods, s.apps, s.clients, s.groups, s.orphans, s.awaited)
	}
}
