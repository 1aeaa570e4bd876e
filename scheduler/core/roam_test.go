package core_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/resource"
)

// opaque is a member of a core with constraints that the planner does not know.
func opaque() gang.Shape {
	s := gangtest.Shape(1, 1)
	s.Opaque = true
	return s
}

// group makes a PodGroup of opaque members.
func group(w *coretest.World, name string, members int) gang.ID {
	w.Now = w.Now.Add(time.Second)
	return w.Group(name, members, opaque())
}

// keepApart refuses a node to a member where another of its gang is.
func keepApart(w *coretest.World) func(*core.Member, string) string {
	return func(m *core.Member, node string) string {
		if slices.ContainsFunc(w.On(node), func(p cluster.Pod) bool { return p.ID != m.ID && p.Gang == m.Gang }) {
			return "apart"
		}
		return ""
	}
}

func nodesOf(w *coretest.World, id gang.ID) []string {
	var nodes []string
	for pod, node := range w.Bound {
		if w.Members[pod].Gang == id {
			nodes = append(nodes, node)
		}
	}
	slices.Sort(nodes)
	return nodes
}

func TestAPodAloneGoesWhereItsOwnCycleHasIt(t *testing.T) {
	w := coretest.Cluster(2, 4)
	g := gangtest.Group("web", 1)
	g.Alone = true
	w.Declare(g)
	w.Async = true
	w.Pod(g.ID, "", "web-0", gangtest.Shape(1, 1))
	w.Deliver(0)
	if p, ok := w.Board.Placement("web-0"); !ok || !p.Roams {
		t.Errorf("its placement is %+v", p)
	}
	w.DeliverAll()
	if want := []gang.Code(nil); w.BoundOf(g.ID) != 1 || !slices.Equal(w.Verdicts[g.ID], want) {
		t.Errorf("%d of 1 run, and told is %v", w.BoundOf(g.ID), w.Verdicts[g.ID])
	}
}

func TestMembersThatKeepApartStartTogether(t *testing.T) {
	w := world(4, 4) // where all would be packed onto one node
	w.Veto = keepApart(w)
	g := group(w, "g", 4)
	wantBound(t, w, g, 4)
	if nodes := nodesOf(w, g); len(slices.Compact(nodes)) != 4 {
		t.Errorf("they run on %v", nodes)
	}
}

func TestMembersThatRoamTakeEachOthersPlaces(t *testing.T) {
	w := world(2, 1) // one place on each node: whoever goes elsewhere takes another's
	w.Veto = func(m *core.Member, node string) string {
		if node != map[string]string{"g-0": "n1", "g-1": "n0"}[m.Name] {
			return "its volume is elsewhere"
		}
		return ""
	}
	g := group(w, "g", 2)
	wantBound(t, w, g, 2)
	if w.Bound["g-0"] != "n1" || w.Bound["g-1"] != "n0" {
		t.Errorf("they run on %v", w.Bound)
	}
}

func TestWhoFindsNoNodeIsToldWhyAndKeepsNobodyBack(t *testing.T) {
	w := world(3, 3)
	apart := keepApart(w)
	w.Veto = func(m *core.Member, node string) string {
		if m.Shape.Opaque {
			return apart(m, node)
		}
		return ""
	}
	g := group(w, "g", 4)
	other := app(w, "a", 1)
	wantBound(t, w, g, 0)
	wantBound(t, w, other, 1)
	if r, _ := w.Machine.Record(g); r.Verdict.Code != gang.Vetoed || r.Verdict.Detail != "Test: apart" {
		t.Errorf("it is told %v", r.Verdict)
	}
	w.Node("n3", 2, 64)
	w.Pass(core.DefaultOptions().VetoTimeout)
	wantBound(t, w, g, 4)
}

// One member must be where there is room for three, and the plan has the others there.
func TestAMemberRoamsToWhereOthersOfItsGangWerePlanned(t *testing.T) {
	w := world(2, 4)
	w.Other("database", "n0", resource.Vector{MilliCPU: 1000, Pods: 1})
	w.Veto = func(m *core.Member, node string) string {
		if m.Shape.Opaque && node != "n0" {
			return "not beside the database"
		}
		return ""
	}
	g := gangtest.Group("g", 4)
	w.Declare(g)
	for i := range 3 {
		w.Pod(g.ID, "", fmt.Sprintf("plain-%d", i), gangtest.Shape(1, 1))
	}
	w.Pod(g.ID, "", "picky", opaque())
	wantBound(t, w, g.ID, 4)
}

// A member that roams leaves alone what is promised to other gangs.
func TestAMemberRoamsBesideWhatIsPromised(t *testing.T) {
	w := world(2, 2)
	a := app(w, "a", 2) // its driver, and room for its executors
	w.Veto = func(m *core.Member, node string) string {
		if m.Shape.Opaque && node == "n1" {
			return "no volume"
		}
		return ""
	}
	g := group(w, "g", 1)
	wantBound(t, w, g, 0)
	executors(w, a, "a", 1, 2)
	wantBound(t, w, a, 3)
}

// Those that come after the start roam too.
func TestALateMemberRoams(t *testing.T) {
	w := world(3, 2)
	w.Veto = keepApart(w)
	g := group(w, "g", 2)
	wantBound(t, w, g, 2)
	w.Pod(g, "", "g-late", opaque())
	wantBound(t, w, g, 3)
	if nodes := nodesOf(w, g); len(slices.Compact(nodes)) != 3 {
		t.Errorf("they run on %v", nodes)
	}
}
