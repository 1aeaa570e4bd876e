package core_test

import (
	"fmt"
	"testing"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// editMin declares a gang anew with another minimum.
func editMin(w *coretest.World, id gang.ID, minMember int) {
	g := w.Gangs[id]
	g.MinMember = minMember
	w.Declare(g)
}

func TestAnEditedMinimumHolds(t *testing.T) {
	for name, c := range map[string]struct {
		play  func(*coretest.World, gang.ID)
		bound int
		code  gang.Code
	}{
		"raised while it waits for members": {func(w *coretest.World, g gang.ID) {
			w.Pod(g, "", "g-0", one)
			editMin(w, g, 3)
			w.Pod(g, "", "g-1", one)
		}, 0, gang.Collecting},
		"lowered while it waits for members": {func(w *coretest.World, g gang.ID) {
			w.Pod(g, "", "g-0", one)
			editMin(w, g, 1)
		}, 1, gang.Running},
		"raised while it waits for room": {func(w *coretest.World, g gang.ID) {
			w.Other("other", "n0", resource.Vector{MilliCPU: 3000})
			for i := range 3 {
				w.Pod(g, "", fmt.Sprintf("g-%d", i), one)
			}
			editMin(w, g, 3)
			w.SetNode(coretest.NodeEvent("n0", 5, 64).Node)
		}, 0, gang.NoRoom},
		"lowered while it waits for room": {func(w *coretest.World, g gang.ID) {
			w.Other("other", "n0", resource.Vector{MilliCPU: 3000})
			for i := range 2 {
				w.Pod(g, "", fmt.Sprintf("g-%d", i), one)
			}
			editMin(w, g, 1)
		}, 1, gang.Running},
		"raised while it starts": {func(w *coretest.World, g gang.ID) {
			w.Async = true
			for i := range 3 {
				w.Pod(g, "", fmt.Sprintf("g-%d", i), one)
			}
			for w.Seen["AtLatch"] < 1 { // one has come to the latch
				w.Deliver(0)
			}
			raised := w.Gangs[g]
			raised.MinMember = 4
			w.Step(core.GangSet{Gang: raised})
			w.Async = false
			w.DeliverAll()
		}, 0, gang.Collecting},
		"raised while it runs, members are there": {func(w *coretest.World, g gang.ID) {
			for i := range 4 {
				w.Pod(g, "", fmt.Sprintf("g-%d", i), one)
			}
			editMin(w, g, 4)
		}, 4, gang.Running},
		"raised while it runs, members are missing": {func(w *coretest.World, g gang.ID) {
			for i := range 2 {
				w.Pod(g, "", fmt.Sprintf("g-%d", i), one)
			}
			editMin(w, g, 3)
			w.Pod(g, "", "g-2", one)
		}, 3, gang.Running},
		"lowered while it runs": {func(w *coretest.World, g gang.ID) {
			for i := range 2 {
				w.Pod(g, "", fmt.Sprintf("g-%d", i), one)
			}
			editMin(w, g, 1)
			w.End("g-0", core.Failed)
		}, 1, gang.Running},
	} {
		t.Run(name, func(t *testing.T) {
			w := world(1, 4)
			g := gangtest.Group("g", 2)
			w.Declare(g)
			c.play(w, g.ID)
			wantBound(t, w, g.ID, c.bound)
			w.Pass(time.Minute)
			wantVerdict(t, w, g.ID, c.code, "")
		})
	}
}

func TestAnEditedMaximumHolds(t *testing.T) {
	for _, c := range []struct{ before, after, bound int }{{3, 5, 6}, {5, 3, 6}, {2, 4, 5}} {
		w := world(1, 10)
		g := gangtest.Spark("a", 1, one)
		g.Roles[1].Max = c.before
		w.Declare(g)
		w.Pod(g.ID, "driver", "a-driver", one)
		executors(w, g.ID, "a", 1, 6)
		wantBound(t, w, g.ID, 1+c.before)
		g.Roles = []gang.Role{g.Roles[0], g.Roles[1]}
		g.Roles[1].Max = c.after
		w.Declare(g)
		wantBound(t, w, g.ID, c.bound) // whoever runs is left alone
	}
}

func TestAGangThatGoesAtOnceMayTakeItsTimeForALargerMinimum(t *testing.T) {
	w := world(1, 4)
	g := groupOf(w, "g", 2, goes)
	editMin(w, g, 3)
	w.Pass(core.DefaultOptions().ExpectedTimeout - time.Second)
	wantDying(t, w)
	w.Pass(time.Second)
	wantDying(t, w, "g-0", "g-1")
}

func TestAnEditedPolicyHoldsAtOnce(t *testing.T) {
	edit := func(w *coretest.World, id gang.ID, below gang.BelowMinimum) {
		g := w.Gangs[id]
		g.BelowMinimum = below
		w.Declare(g)
	}
	w := world(1, 3)
	g := groupOf(w, "g", 3, gang.BelowMinimum{Policy: gang.Wait, Timeout: time.Hour})
	w.End("g-0", core.Failed)
	w.Pass(10 * time.Minute)
	edit(w, g, gang.BelowMinimum{Policy: gang.Continue})
	w.Pass(2 * time.Hour)
	wantDying(t, w)
	wantVerdict(t, w, g, gang.Running, "1 members never came")
	edit(w, g, goes)
	wantDying(t, w)
	w.End("g-1", core.Failed)
	wantDying(t, w, "g-2")
}

// A drain cordons the node and evicts its pods: those are losses, and what comes for
// them goes elsewhere.
func TestADrainedNodesMembersComeElsewhere(t *testing.T) {
	w := world(2, 3)
	g := groupOf(w, "g", 3, gang.BelowMinimum{Policy: gang.Wait, Timeout: time.Minute})
	from := w.Bound["g-0"]
	n := w.Nodes[from]
	n.Unschedulable = true
	w.SetNode(n)
	for i := range 3 {
		name := fmt.Sprintf("g-%d", i)
		w.Terminate(name)
		wantVerdict(t, w, g, gang.Running, "")
		w.End(name, core.Failed)
		wantVerdict(t, w, g, gang.Short, "")
		w.Pod(g, "", name+"-again", one)
		wantBound(t, w, g, 3)
	}
}

func TestAShrunkNodeLosesWhatIsHeldAndNotWhatRuns(t *testing.T) {
	w := world(2, 3)
	a := app(w, "a", 5)
	executors(w, a, "a", 1, 1)
	on := w.Bound["a-driver"]
	n := w.Nodes[on]
	n.Allocatable.MilliCPU = 1000
	w.SetNode(n)
	wantBound(t, w, a, 2)
	for _, held := range w.Board.Held(on) {
		if held.Claimant == "" {
			t.Errorf("room is held on a node that is full: %+v", held)
		}
	}
	executors(w, a, "a", 2, 5)
	wantBound(t, w, a, 5) // one more than fits without the other node
	w.SetNode(coretest.NodeEvent("n9", 4, 64).Node)
	wantBound(t, w, a, 6)
}

// resize changes what a bound member takes, as its kubelet grants it.
func resize(w *coretest.World, name string, to gang.Shape) {
	mem := *w.Members[gang.PodID(name)]
	mem.Shape = to
	w.Members[mem.ID] = &mem
	w.TellPod(mem.ID)
}

func TestAResizedPodTakesWhatItHasNow(t *testing.T) {
	w := world(1, 4)
	g := groupOf(w, "g", 2, gang.BelowMinimum{})
	resize(w, "g-0", gangtest.Shape(3, 1))
	other := groupOf(w, "other", 1, gang.BelowMinimum{})
	wantBound(t, w, other, 0)
	resize(w, "g-0", gangtest.Shape(2, 1))
	wantBound(t, w, other, 1)
	if err := w.Machine.Differs(w.Nodes, running(w)); err != nil {
		t.Error(err)
	}
	w.End("g-0", core.Failed) // its replacement is as its template says
	w.Pod(g, "", "g-again", one)
	wantBound(t, w, g, 2)
}

func TestRoomForWhoIsToComeIsMovedWhenAPodGrowsIntoIt(t *testing.T) {
	w := world(2, 3)
	a := app(w, "a", 4)
	wantBound(t, w, a, 1)
	w.Node("n9", 4, 64)
	on := w.Bound["a-driver"]
	resize(w, "a-driver", gangtest.Shape(3, 1))
	for _, s := range w.Stored[a] {
		if s.Node == on {
			t.Errorf("room is still held on %s: %v", on, w.Stored[a])
		}
	}
	executors(w, a, "a", 1, 4)
	wantBound(t, w, a, 5)
}

func running(w *coretest.World) []cluster.Pod {
	var out []cluster.Pod
	for id := range w.Bound {
		out = append(out, w.PodEvent(id).Pod)
	}
	return out
}

// The Job has three pods to complete. One that was given up comes late and does its
// work above the minimum; when the others fail, one is left to be done.
func TestLateWorkIsDoneToo(t *testing.T) {
	w := world(1, 3)
	g := groupOf(w, "g", 3, gang.BelowMinimum{})
	w.End("g-0", core.Failed)
	w.Pass(core.DefaultOptions().BelowMinimum.Timeout)
	w.Pod(g, "", "g-0-late", one)
	wantBound(t, w, g, 3)
	w.End("g-0-late", core.Succeeded)
	w.End("g-1", core.Succeeded)
	w.End("g-2", core.Failed)
	w.Pass(core.DefaultOptions().BelowMinimum.Timeout)
	w.Pod(g, "", "g-2-again", one)
	wantBound(t, w, g, 1)
}

// The report of a node's zones comes before the pod that it tells of: once that is
// known, a gang that waits for zones is planned.
func TestAReportThatWaitedForAPodLetsAGangStart(t *testing.T) {
	w := world(0, 0)
	n := coretest.NodeEvent("n0", 5, 16).Node
	n.NUMA = halves(n.Allocatable)
	w.SetNode(n)
	pinned := gangtest.Shape(2, 2)
	pinned.Aligned = &numa.Demand{Pinned: true, Containers: []numa.Claim{{Asks: resource.Vector{MilliCPU: 2000, Memory: 2 << 30}}}}
	// Nobody saw it come, so it is not known in which zone it is.
	w.Send(core.PodSet{Pod: cluster.Pod{ID: "single", Node: "n0", Request: pinned.Request, Aligned: pinned.Aligned, Started: true}})
	g := gangtest.Group("g", 1)
	w.Declare(g)
	w.Pod(g.ID, "", "g-0", pinned)
	wantBound(t, w, g.ID, 0)
	plain := cluster.Pod{ID: "plain", Name: "plain", Namespace: "default", Node: "n0", Request: resource.Vector{MilliCPU: 100, Pods: 1}}
	single := cluster.Pod{ID: "single", Node: "n0"}
	zones := []resource.Vector{{MilliCPU: 0, Memory: 6 << 30}, {MilliCPU: 2000, Memory: 8 << 30}}
	report := cluster.ZoneReport{Free: zones}
	report.Pods = cluster.Fingerprint(func(yield func(cluster.Pod) bool) { _ = yield(plain) && yield(single) })
	w.Send(core.ZonesReported{Node: "n0", Report: report})
	if r, _ := w.Machine.Record(g.ID); r.Phase != core.Waiting {
		t.Fatalf("a report of pods that are not known is believed: the gang is %s", r.Phase)
	}
	w.Send(core.PodSet{Pod: plain})
	if r, _ := w.Machine.Record(g.ID); r.Phase == core.Waiting {
		t.Errorf("the gang still waits: %s", r.Verdict)
	}
}
