package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

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
func (s *story) settings(driver string, executors int) {
	s.confRead(types.UID("uid-"+driver), conf{properties: properties(executors)})
}

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

const executorShape = "cpu=1 memory=896Mi pods=1"

func TestDriverDeclaresItsGangOnceItsSettingsAreRead(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	s.setPod(newPod("d", driverOf("app"), label(v1alpha1.QueueLabel, "etl")))
	s.expect("d is driver of spark/team/app", "read d-conf within 30s")
	s.settings("d", 3)
	s.expect("gang spark/team/app; driver 1..1; executor 3..3 expected " + executorShape + "; queue etl")
	s.setPod(newPod("d", driverOf("app"), label(v1alpha1.QueueLabel, "etl"), on("n1")))
	s.expect("d on n1 is driver of spark/team/app")
	s.setPod(newPod("e1", executorOf("app"), ownedBy("Pod", "d", "uid-d")))
	s.expect("e1 is executor of spark/team/app")
	s.setPod(newPod("e1", executorOf("app"), ownedBy("Pod", "d", "uid-d"), on("n2")))
	s.expect("e1 on n2 is executor of spark/team/app")
	s.setPod(newPod("d", driverOf("app"), on("n1"), phaseOf(v1.PodSucceeded)))
	s.expect("d Succeeded", "gone spark/team/app", "stop reading")
	s.removePod(newPod("d", driverOf("app"), on("n1"), phaseOf(v1.PodSucceeded)))
	s.expect()
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

func TestSettingsThatNeverComeRefuseTheGangUntilTheyCome(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app")))
	s.take()
	s.confMissing("uid-d", errors.New(`configmaps "d-conf" not found`))
	s.expect(`refused spark/team/app: the settings of the application, which the driver pod's volume names, can't be read: configmaps "d-conf" not found; ` +
		"if spark-submit was stopped before it had made them, delete this pod and submit again")
	s.settings("d", 1)
	s.expect("gang spark/team/app; driver 1..1; executor 1..1 expected " + executorShape)
}

func TestBadSettingRefusesTheGangByKey(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app")))
	s.take()
	s.confRead("uid-d", conf{properties: "spark.executor.memory=1.5g\n"})
	events, _ := s.take()
	if len(events) != 1 || !strings.Contains(describe(events[0]), `refused spark/team/app: spark.executor.memory="1.5g"`) {
		t.Fatalf("told %v", events)
	}
}

func TestDriverWithoutASettingsVolumeIsRefused(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app"), func(p *v1.Pod) { p.Spec.Volumes = nil }))
	events, errands := s.take()
	if len(errands) != 0 || len(events) != 3 || !strings.Contains(describe(events[1]), "refused spark/team/app: the driver pod has no volume") {
		t.Fatalf("told %v, asked %v", events, errands)
	}
}

func TestSettingsOfADriverThatHasEndedAreIgnored(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app")))
	s.removePod(newPod("d", driverOf("app")))
	s.take()
	s.settings("d", 2)
	s.confMissing("uid-d", errors.New("gone"))
	s.expect()
}

func TestExecutorsOfAnotherSchedulerAreNotExpected(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app")))
	s.take()
	s.confRead("uid-d", conf{properties: "spark.kubernetes.driver.scheduler.name=muster\n"})
	s.expect("gang spark/team/app; driver 1..1")
}

func TestDynamicAllocationShrinks(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app")))
	s.take()
	s.confRead("uid-d", conf{properties: "spark.dynamicAllocation.enabled=true\nspark.executor.memory=512m\nspark.kubernetes.scheduler.name=muster\n"})
	s.expect("gang spark/team/app; driver 1..1; executor 1..-1 expected " + executorShape + " shrinks")
}

func TestCopiedApplicationLabelMakesNoSecondDriver(t *testing.T) {
	s := newStory(t)
	s.setPod(newPod("d", driverOf("app")))
	s.settings("d", 1)
	s.take()
	s.setPod(newPod("thief", driverOf("app")))
	s.expect("refused spark/team/app/thief: the label spark-app-selector=app is the application of driver pod d already; submit the application anew",
		"thief is driver of spark/team/app/thief")
	s.removePod(newPod("thief", driverOf("app")))
	s.expect("thief Deleted", "gone spark/team/app/thief", "stop reading")
	s.setPod(newPod("other", driverOf("app"), in("elsewhere")))
	s.expect("other is driver of spark/elsewhere/app", "read other-conf within 30s")
}

func TestExecutorsBelongToTheDriverThatOwnsThem(t *testing.T) {
	for name, c := range map[string]struct {
		options []podOption
		want    []string
	}{
		"owned by the driver": {
			[]podOption{ownedBy("Pod", "d", "uid-d")}, []string{"e is executor of spark/team/app"},
		},
		"owned by a StatefulSet of the application": {
			[]podOption{ownedBy("StatefulSet", "spark-s-app-0", "uid-s")}, []string{"e is executor of spark/team/app"},
		},
		"owned by a ReplicaSet of the application": {
			[]podOption{ownedBy("ReplicaSet", "spark-d-app-0-abc", "uid-r")}, []string{"e is executor of spark/team/app"},
		},
		"owned by a StatefulSet of another application": {
			[]podOption{ownedBy("StatefulSet", "spark-s-apple-0", "uid-s")},
			[]string{"e is executor of spark-client/team/app/uid-s", "wake spark-client/team/app/uid-s at 2s"},
		},
		"without an owner": {
			nil, []string{"e is executor of spark-client/team/app", "wake spark-client/team/app at 2s"},
		},
		"owned by another pod that runs": {
			[]podOption{ownedBy("Pod", "notebook", "uid-notebook")},
			[]string{"e is executor of spark-client/team/app/uid-notebook", "wake spark-client/team/app/uid-notebook at 2s"},
		},
		"owned by a pod that nobody has seen": {
			[]podOption{ownedBy("Pod", "d", "uid-long-ago")}, nil,
		},
		"owned by the driver, from another namespace": {
			[]podOption{ownedBy("Pod", "d", "uid-d"), in("elsewhere")}, nil,
		},
		"not controlled by the driver that it names": {
			[]podOption{ownedBy("Pod", "d", "uid-d"), func(p *v1.Pod) { p.OwnerReferences[0].Controller = nil }},
			[]string{"e is executor of spark-client/team/app", "wake spark-client/team/app at 2s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, newPod("notebook", on("n1"), scheduledBy("default-scheduler")))
			s.setPod(newPod("d", driverOf("app")))
			s.settings("d", 1)
			s.take()
			s.setPod(newPod("e", append([]podOption{executorOf("app")}, c.options...)...))
			s.expect(c.want...)
		})
	}
}

func TestExecutorSeenBeforeItsOwnerWaitsForIt(t *testing.T) {
	s := newStory(t)
	s.expect("synced")
	for _, name := range []string{"e1", "e2"} {
		s.setPod(newPod(name, executorOf("app"), ownedBy("Pod", "d", "uid-d")))
	}
	s.removePod(newPod("e2", executorOf("app"), ownedBy("Pod", "d", "uid-d")))
	s.expect()
	s.setPod(newPod("d", driverOf("app")))
	s.expect("d is driver of spark/team/app", "e1 is executor of spark/team/app", "read d-conf within 30s")
	if len(s.orphans) != 0 {
		t.Fatalf("orphans left: %v", s.orphans)
	}
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

func TestEveryPodOfARecordedRunIsUnderstood(t *testing.T) {
	for run, want := range map[string]string{
		"spark-4.0.1":        "driver 1..1; executor 3..3 expected cpu=250m memory=896Mi pods=1",
		"spark-4.3.0":        "driver 1..1; executor 3..3 expected cpu=250m memory=896Mi pods=1",
		"dynamic-allocation": "driver 1..1; executor 1..4 expected cpu=500m memory=896Mi pods=1 shrinks",
	} {
		t.Run(run, func(t *testing.T) {
			driver, executor := recorded[v1.Pod](t, run, "driver-pod.json"), recorded[v1.Pod](t, run, "executor-pod.json")
			cm := recorded[v1.ConfigMap](t, run, "driver-configmap.json")
			driver.Spec.SchedulerName, executor.Spec.SchedulerName = testScheduler, testScheduler
			s := newStory(t)
			s.setPod(driver)
			s.setPod(executor)
			_, errands := s.take()
			read := errands[0].(readConf)
			if read.properties.ConfigMap != cm.Name {
				t.Fatalf("asked for %s, the run had %s", read.properties.ConfigMap, cm.Name)
			}
			s.confRead(driver.UID, conf{properties: cm.Data[read.properties.Key] + "spark.kubernetes.scheduler.name=muster\n"})
			app := "spark/" + driver.Namespace + "/" + driver.Labels["spark-app-selector"]
			s.expect("gang " + app + "; " + want)
			told := s.pods[executor.UID]
			if string(told.gang) != app {
				t.Fatalf("the executor is of %s", told.gang)
			}
			if got := told.told.Pod.Request.String(); !strings.Contains(want, got) {
				t.Fatalf("the executor asks for %s, which was not expected: %s", got, want)
			}
		})
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
