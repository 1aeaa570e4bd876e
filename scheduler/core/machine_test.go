package core_test

import (
	"fmt"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
)

var one = gangtest.Shape(1, 1)

// app declares a Spark application and creates its driver.
func app(w *coretest.World, name string, executors int) gang.ID { return w.App(name, executors, one) }

func executors(w *coretest.World, id gang.ID, name string, from, to int) {
	for i := from; i <= to; i++ {
		w.Pod(id, "executor", fmt.Sprintf("%s-exec-%d", name, i), one)
	}
}

func wantBound(t *testing.T, w *coretest.World, id gang.ID, want int) {
	t.Helper()
	if got := w.BoundOf(id); got != want {
		for _, line := range w.Log {
			t.Log(line)
		}
		t.Fatalf("%d members of %s are bound, want %d", got, id, want)
	}
}

func world(nodes int, cores int64) *coretest.World { return coretest.Cluster(nodes, cores) }

func TestDriverWaitsForRoomOfItsExecutors(t *testing.T) {
	w := world(2, 2)
	a := app(w, "a", 3)
	b := app(w, "b", 3)
	wantBound(t, w, a, 1)
	wantBound(t, w, b, 0)
	executors(w, a, "a", 1, 3)
	wantBound(t, w, a, 4)
	r, _ := w.Machine.Record(b)
	if r.Phase != core.Waiting || r.Verdict.Code != gang.NoRoom || r.Position != 1 {
		t.Fatalf("b is %s with verdict %s at %d", r.Phase, r.Verdict, r.Position)
	}
	// The driver deletes its executors and ends.
	for i := 1; i <= 3; i++ {
		w.End(fmt.Sprintf("a-exec-%d", i), core.Deleted)
	}
	wantBound(t, w, b, 0) // a's room is still a's
	w.End("a-driver", core.Succeeded)
	w.Remove(a)
	wantBound(t, w, b, 1)
	if len(w.Stored) != 1 {
		t.Fatalf("reservations: %v", w.Stored)
	}
}

func TestWhoIsAheadIsNamedOnlyInItsOwnNamespace(t *testing.T) {
	w := world(1, 3)
	app(w, "runs", 1)
	app(w, "ahead", 1)
	neighbour := app(w, "neighbour", 1)
	foreign := gangtest.Group("foreign", 1)
	foreign.ID, foreign.Owner.Namespace = gang.NewID("podgroup", "other", "foreign"), "other"
	foreign.Created = foreign.Created.Add(time.Minute)
	w.Declare(foreign)
	w.Pod(foreign.ID, "", "foreign-0", one)
	for id, want := range map[gang.ID]string{
		neighbour:  "number 2 in queue default, behind pod ahead-driver",
		foreign.ID: "number 3 in queue default",
	} {
		if r, _ := w.Machine.Record(id); r.Verdict.String() != want {
			t.Errorf("%s: %q, want %q", id, r.Verdict, want)
		}
	}
}

func TestGangTooBigSaysSoAndBlocksNobody(t *testing.T) {
	w := world(2, 2)
	big := app(w, "big", 9)
	small := app(w, "small", 2)
	wantBound(t, w, big, 0)
	wantBound(t, w, small, 1)
	r, _ := w.Machine.Record(big)
	if r.Verdict.Code != gang.TooBig || r.Verdict.Role != "executor" {
		t.Fatalf("verdict: %s", r.Verdict)
	}
}

func TestLostExecutorsRoomWaitsForItsReplacement(t *testing.T) {
	w := world(2, 2)
	a := app(w, "a", 3)
	executors(w, a, "a", 1, 3)
	b := app(w, "b", 0)
	wantBound(t, w, b, 0)
	w.End("a-exec-2", core.Failed)
	wantBound(t, w, b, 0)
	executors(w, a, "a", 4, 4)
	wantBound(t, w, a, 4)
}

func TestRoomOfExecutorsThatNeverComeIsGivenBack(t *testing.T) {
	w := world(2, 2)
	a := app(w, "a", 3)
	b := tenantsApp(w, "other", "b", 1)
	wantBound(t, w, b, 0)
	w.Pass(core.DefaultOptions().ExpectedTimeout + time.Second)
	wantBound(t, w, b, 1)
	executors(w, a, "a", 1, 1)
	wantBound(t, w, a, 2) // one core is left for one above the minimum
	executors(w, a, "a", 2, 2)
	wantBound(t, w, a, 2)
}

func TestAVetoPlansAgainWithoutThatNode(t *testing.T) {
	w := world(3, 4)
	w.Veto = func(m *core.Member, node string) string {
		if m.Role == "driver" && node == "n0" {
			return "no volume"
		}
		return ""
	}
	a := app(w, "a", 3)
	wantBound(t, w, a, 1)
	if w.Bound["a-driver"] == "n0" {
		t.Fatal("driver is on the vetoed node")
	}
}

func TestReservedRoomThatIsNotThereIsPlannedElsewhere(t *testing.T) {
	w := world(3, 2)
	refused := ""
	w.Absent = func(node string) bool {
		if refused == "" {
			refused = node
		}
		return node == refused
	}
	a := app(w, "a", 3)
	wantBound(t, w, a, 1)
	for _, s := range w.Stored[a] {
		if s.Node == refused {
			t.Fatalf("room is still held on %s: %v", refused, w.Stored[a])
		}
	}
}

func TestAnExecutorThatFindsNoRoomForAMomentHasItsSlotSoonAfter(t *testing.T) {
	w := world(2, 2)
	a := app(w, "a", 3)
	w.Room = true
	w.Veto = func(*core.Member, string) string { return "too little cpu for a moment" }
	executors(w, a, "a", 1, 3)
	wantBound(t, w, a, 1)
	w.Veto = nil
	w.Pass(core.DefaultOptions().RetryAfter + time.Millisecond)
	wantBound(t, w, a, 4)
}

func TestAGangVetoedEverywhereLetsOthersPass(t *testing.T) {
	w := world(3, 4)
	w.Veto = func(m *core.Member, _ string) string {
		if m.Name == "a-driver" {
			return "no volume"
		}
		return ""
	}
	a := app(w, "a", 3)
	b := app(w, "b", 3)
	wantBound(t, w, a, 0)
	wantBound(t, w, b, 1)
	r, _ := w.Machine.Record(a)
	if r.Verdict.Code != gang.Vetoed {
		t.Fatalf("verdict %s", r.Verdict)
	}
	w.Veto = nil
	w.Pass(time.Minute)
	wantBound(t, w, a, 1)
}

func TestARestartTakesUpWhatWasReserved(t *testing.T) {
	w := world(2, 2)
	a := app(w, "a", 3)
	b := app(w, "b", 3)
	executors(w, a, "a", 1, 1)
	before := w.Stored[a]
	w.Crash(func(string) bool { return false })
	ga, gb := gangtest.Spark("a", 3, one), gangtest.Spark("b", 3, one)
	gb.Created = gb.Created.Add(time.Second)
	w.Send(coretest.NodeEvent("n0", 2, 64), coretest.NodeEvent("n1", 2, 64), core.GangSet{Gang: gb}, core.GangSet{Gang: ga},
		w.PodEvent("b-driver"), w.PodEvent("a-exec-1"), w.PodEvent("a-driver"),
		core.ReservationFound{Gang: a, Owner: ga.Owner, Slots: before})
	if len(w.Bound) != 2 {
		t.Fatal("something was bound before the sources had synced")
	}
	w.Send(core.Synced{})
	wantBound(t, w, b, 0)
	executors(w, a, "a", 2, 3)
	wantBound(t, w, a, 4)
	wantBound(t, w, b, 0)
}

func TestAHalfBoundGroupIsCompletedFirst(t *testing.T) {
	w := coretest.New()
	g := gangtest.Group("g", 4)
	w.Node("n0", 4, 64)
	w.Send(core.GangSet{Gang: gangtest.Spark("early", 3, one)})
	w.Pod(gang.NewID("spark", "default", "early"), "driver", "early-driver", one)
	w.Now = w.Now.Add(time.Minute)
	g.Created = w.Now
	w.Send(core.GangSet{Gang: g})
	for i := range 4 {
		if i < 2 {
			w.Bound[gang.PodID(fmt.Sprintf("g-%d", i))] = "n0"
		}
		w.Pod(g.ID, "", fmt.Sprintf("g-%d", i), one)
	}
	w.Send(core.Synced{})
	wantBound(t, w, g.ID, 4)
	wantBound(t, w, gang.NewID("spark", "default", "early"), 0)
}

func TestANodeLostMovesWhatIsReservedOnIt(t *testing.T) {
	w := world(3, 2)
	a := app(w, "a", 3)
	lost := ""
	for _, s := range w.Stored[a] {
		if s.Role == "executor" && s.Node != w.Bound["a-driver"] {
			lost = s.Node
		}
	}
	w.Send(core.NodeGone{Name: lost})
	executors(w, a, "a", 1, 3)
	wantBound(t, w, a, 4)
	for _, s := range w.Stored[a] {
		if s.Node == lost {
			t.Fatalf("the stored reservation still names %s: %v", lost, w.Stored[a])
		}
	}
}

func TestRoomTakenByOthersBeforeTheStartIsPlannedAnew(t *testing.T) {
	w := world(3, 2)
	w.StoreFails = func(gang.ID) string { return "timeout" }
	a := app(w, "a", 3)
	wantBound(t, w, a, 0)
	w.StoreFails = nil
	w.Pass(2 * time.Second)
	wantBound(t, w, a, 1)
}

func TestDynamicAllocationGivesIdleExecutorsRoomBack(t *testing.T) {
	w := world(2, 2)
	g := gangtest.Spark("a", 3, one)
	g.Roles[1].Shrinks, g.Roles[1].Max = true, 10
	w.Send(core.GangSet{Gang: g})
	w.Pod(g.ID, "driver", "a-driver", one)
	executors(w, g.ID, "a", 1, 3)
	wantBound(t, w, g.ID, 4)
	b := app(w, "b", 1)
	wantBound(t, w, b, 0)
	w.End("a-exec-1", core.Deleted)
	w.End("a-exec-2", core.Deleted)
	wantBound(t, w, b, 1)
}

func TestNoMoreMembersRunThanTheMaximumAllows(t *testing.T) {
	w := world(1, 8)
	g := gangtest.Spark("a", 1, one)
	g.Roles[1].Max = 2
	w.Declare(g)
	w.Pod(g.ID, "driver", "a-driver", one)
	executors(w, g.ID, "a", 1, 5)
	wantBound(t, w, g.ID, 3)
	w.End("a-exec-1", core.Failed)
	wantBound(t, w, g.ID, 3) // another makes up for it
}

func TestAMemberForWhichThereIsNoRoomDoesNotKeepAnotherFromMakingTheGangWhole(t *testing.T) {
	w := world(1, 2)
	g := gangtest.Group("g", 2)
	w.Declare(g)
	w.Pod(g.ID, "", "g-0", one)
	w.Pod(g.ID, "", "g-1", one)
	w.Pod(g.ID, "", "g-large", gangtest.Shape(8, 1))
	w.Pod(g.ID, "", "g-small", one)
	wantBound(t, w, g.ID, 2)
	w.RemoveNode("n0")
	w.End("g-0", core.Failed)
	w.Node("n1", 1, 64)
	if w.Bound["g-small"] != "n1" {
		t.Errorf("bound are %v", w.Bound)
	}
}

func TestAGangThatStartsOverStartsAsAWhole(t *testing.T) {
	w := world(1, 2)
	g := gangtest.Group("g", 2)
	w.Declare(g)
	w.Pod(g.ID, "", "g-0", one)
	w.Pod(g.ID, "", "g-1", one)
	wantBound(t, w, g.ID, 2)
	w.End("g-0", core.Failed)
	w.End("g-1", core.Failed)
	w.Pass(core.DefaultOptions().ExpectedTimeout)
	w.Pod(g.ID, "", "g-2", one)
	wantBound(t, w, g.ID, 0) // half a gang is none
	w.Pod(g.ID, "", "g-3", one)
	wantBound(t, w, g.ID, 2)
}

func TestWhatHasEndedWellIsNotWaitedForAgain(t *testing.T) {
	w := world(1, 3)
	g := gangtest.Group("g", 3)
	w.Declare(g)
	for i := range 3 {
		w.Pod(g.ID, "", fmt.Sprintf("g-%d", i), one)
	}
	w.End("g-0", core.Succeeded)
	w.End("g-1", core.Succeeded)
	w.End("g-2", core.Failed)
	w.Pass(core.DefaultOptions().ExpectedTimeout) // its replacement is late
	w.Pod(g.ID, "", "g-2-again", one)
	wantBound(t, w, g.ID, 1)
	w.End("g-2-again", core.Succeeded)
	w.Pod(g.ID, "", "g-rerun", one)
	wantBound(t, w, g.ID, 0) // all of it has run: now it runs once more
}
