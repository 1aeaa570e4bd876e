package effects

import (
	"fmt"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

func explain(owner gang.Object, id gang.ID, code gang.Code, waiting ...gang.PodID) core.Explain {
	return core.Explain{Gang: id, Owner: owner, Verdict: gang.Verdict{Code: code, Detail: "because"}, Waiting: waiting}
}

func (b *bench) events() (out []string) {
	b.t.Helper()
	list, err := b.client.EventsV1().Events("team").List(b.t.Context(), metav1.ListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range list.Items {
		out = append(out, fmt.Sprintf("%s %s on %s %s: %s", e.Type, e.Reason, e.Regarding.Kind, e.Regarding.Name, e.Note))
	}
	return out
}

func (b *bench) scheduled(name string) *v1.PodCondition {
	b.t.Helper()
	p, err := b.client.CoreV1().Pods("team").Get(b.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range p.Status.Conditions {
		if c.Type == v1.PodScheduled {
			return &c
		}
	}
	return nil
}

func TestVerdictIsShownByOneEventAndOneCondition(t *testing.T) {
	b := newBench(t)
	e, d := b.addPod("e"), b.addPod("d")
	b.Do(explain(driver, app, gang.NoRoom, e, d))
	b.flush(app)
	b.writes("create events", "patch pods/status")
	if got := b.events(); len(got) != 1 || got[0] != "Normal GangNoRoom on Pod d: not enough room: because" {
		t.Errorf("events %q", got)
	}
	if c := b.scheduled("d"); c == nil || c.Status != v1.ConditionFalse || c.Reason != v1.PodReasonUnschedulable || c.Message != "not enough room: because" {
		t.Errorf("condition %+v", c)
	}
	if c := b.scheduled("e"); c != nil {
		t.Errorf("the executor has a condition too: %+v", c)
	}
}

func TestOnlyLackOfRoomCallsTheAutoscaler(t *testing.T) {
	for code, reason := range map[gang.Code]string{
		gang.NoRoom: v1.PodReasonUnschedulable, gang.TooBig: v1.PodReasonUnschedulable, gang.Behind: v1.PodReasonUnschedulable,
		gang.Vetoed: v1.PodReasonUnschedulable, gang.Short: v1.PodReasonUnschedulable,
		gang.Leaving: "GangLeaving", gang.Kept: "GangKept", gang.Refused: "GangRefused", gang.Collecting: "GangCollecting",
	} {
		b := newBench(t)
		d := b.addPod("d")
		b.Do(explain(driver, app, code, d))
		b.clock.Step(time.Minute)
		b.flush(app)
		if c := b.scheduled("d"); c == nil || c.Reason != reason {
			t.Errorf("%s: condition %+v, want reason %s", code, c, reason)
		}
	}
}

func TestStatesThatPassAreNotShown(t *testing.T) {
	b := newBench(t)
	d := b.addPod("d")
	for _, code := range []gang.Code{gang.Collecting, gang.Behind, gang.Reserved} {
		b.Do(explain(driver, app, code, d))
		b.flush(app)
		b.writes()
		b.clock.Step(passing / 2)
	}
	b.Do(explain(driver, app, gang.Running))
	b.flush(app)
	b.writes("create events")
	if got := b.events(); len(got) != 1 || !strings.HasPrefix(got[0], "Normal GangRunning") {
		t.Errorf("events %q", got)
	}
}

func TestStatesThatLastAreShown(t *testing.T) {
	b := newBench(t)
	d := b.addPod("d")
	b.Do(explain(driver, app, gang.Collecting, d))
	b.clock.Step(passing)
	b.flush(app)
	b.writes("create events", "patch pods/status")
}

func TestNobodyIsToldOfTheMembersOfAGangThatHasEnded(t *testing.T) {
	b := newBench(t)
	b.Do(explain(driver, app, gang.NoRoom))
	b.Do(explain(driver, app, gang.Collecting))
	b.clock.Step(passing)
	b.flush(app)
	b.writes()
}

func TestVerdictOfAGangThatNobodyDeclaredIsShownOnAPod(t *testing.T) {
	b := newBench(t)
	p := b.addPod("p")
	b.Do(explain(gang.Object{}, podGroup, gang.Collecting, "uid-unknown", p))
	b.clock.Step(passing)
	b.flush(podGroup)
	if got := b.events(); len(got) != 1 || !strings.Contains(got[0], "on Pod p") {
		t.Errorf("events %q", got)
	}
}

func TestPodsThatRunKeepTheirCondition(t *testing.T) {
	b := newBench(t)
	d := b.addPod("d", func(p *v1.Pod) { p.Spec.NodeName = "n1" })
	e := b.addPod("e")
	b.Do(explain(driver, app, gang.Short, d, e))
	b.flush(app)
	if b.scheduled("d") != nil || b.scheduled("e") == nil {
		t.Errorf("conditions: driver %v, executor %v", b.scheduled("d"), b.scheduled("e"))
	}
}

func TestTransitionTimeIsThatOfTheTransition(t *testing.T) {
	before := metav1.NewTime(start.Add(-time.Hour))
	b := newBench(t)
	d := b.addPod("d", func(p *v1.Pod) {
		p.Status.Conditions = []v1.PodCondition{{Type: v1.PodScheduled, Status: v1.ConditionFalse, Reason: "GangCollecting", LastTransitionTime: before}}
	})
	b.Do(explain(driver, app, gang.NoRoom, d))
	b.flush(app)
	if c := b.scheduled("d"); !c.LastTransitionTime.Equal(&before) || c.Reason != v1.PodReasonUnschedulable {
		t.Errorf("condition %+v", c)
	}
}

func TestShowingIsTriedAgainWithoutSayingAnythingTwice(t *testing.T) {
	b := newBench(t)
	d := b.addPod("d")
	failNext(&b.client.Fake, "create", "events", timeout)
	failNext(&b.client.Fake, "patch", "pods", timeout)
	b.Do(explain(driver, app, gang.NoRoom, d))
	for b.flush(app) {
	}
	b.writes("create events", "create events", "patch pods/status", "patch pods/status")
	if len(b.events()) != 1 || b.scheduled("d") == nil {
		t.Fatalf("events %q, condition %v", b.events(), b.scheduled("d"))
	}
}

func TestAnEventThatArrivedInSpiteOfATimeoutIsNotDoubled(t *testing.T) {
	b := newBench(t)
	b.Do(explain(driver, app, gang.NoRoom))
	b.clock.Step(gather)
	due, _ := b.take(app)
	again := *due.explain
	b.carryOut(t.Context(), due)
	b.carryOut(t.Context(), work{explain: &again})
	if got := b.events(); len(got) != 1 {
		t.Fatalf("events %q", got)
	}
}

func TestOldVerdictGivesWayToANewOneWhileItIsTriedAgain(t *testing.T) {
	b := newBench(t)
	failNext(&b.client.Fake, "create", "events", timeout)
	b.Do(explain(driver, app, gang.NoRoom))
	b.flush(app)
	b.Do(explain(driver, app, gang.Running))
	b.flush(app)
	if got := b.events(); len(got) != 1 || !strings.Contains(got[0], "GangRunning") {
		t.Fatalf("events %q", got)
	}
}

func TestVerdictThatFailedDoesNotOvertakeTheNextOne(t *testing.T) {
	b := newBench(t)
	b.Do(explain(driver, app, gang.NoRoom))
	b.clock.Step(gather)
	sent, _ := b.take(app)
	b.Do(explain(driver, app, gang.Running)) // while the first is on its way
	b.putBack(app, sent)
	b.flush(app)
	if got := b.events(); len(got) != 1 || !strings.Contains(got[0], "GangRunning") {
		t.Fatalf("events %q", got)
	}
}

func TestPodThatIsGoneNeedsNoCondition(t *testing.T) {
	b := newBench(t)
	d := b.addPod("d")
	if err := b.client.CoreV1().Pods("team").Delete(t.Context(), "d", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	b.Do(explain(driver, app, gang.NoRoom, d))
	if b.flush(app) {
		t.Fatal("it is to be tried again")
	}
}
