package core_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// alignedShape is a member whose CPUs and GPUs must be of one zone.
func alignedShape(cores, gpus int64) gang.Shape {
	s := gangtest.Shape(cores, 1)
	s.Request = s.Request.With("example.com/gpu", gpus)
	s.Aligned = &numa.Demand{Pinned: true, Containers: []numa.Claim{{Asks: s.Request.With(resource.Pods, 0)}}}
	return s
}

// alignedNode has two zones, with half of its cores and GPUs each.
func alignedNode(w *coretest.World, name string, cores, gpus int64) {
	n := coretest.NodeEvent(name, cores, 64).Node
	n.Allocatable = n.Allocatable.With("example.com/gpu", gpus)
	n.NUMA = halves(n.Allocatable)
	w.SetNode(n)
}

func TestAGangIsPlacedByZones(t *testing.T) {
	w := coretest.New()
	alignedNode(w, "n0", 8, 8)
	w.Send(core.Synced{})
	// Two workers with three cores each leave one core in each zone: two in all,
	// but no zone has both.
	first := gangtest.Group("first", 2)
	w.Declare(first)
	w.Pod(first.ID, "", "a", alignedShape(3, 1))
	w.Pod(first.ID, "", "b", alignedShape(3, 1))
	second := gangtest.Group("second", 1)
	w.Declare(second)
	w.Pod(second.ID, "", "c", alignedShape(2, 1))
	if w.BoundOf(first.ID) != 2 || w.BoundOf(second.ID) != 0 {
		t.Fatalf("%d and %d are bound, want 2 and 0", w.BoundOf(first.ID), w.BoundOf(second.ID))
	}
	if r, _ := w.Machine.Record(second.ID); r.Verdict.RuledOut[gang.Unaligned] != 1 {
		t.Errorf("the second waits because: %s", r.Verdict)
	}
	w.End("a", core.Succeeded)
	if w.BoundOf(second.ID) != 0 {
		t.Error("the second starts though nobody knows which zone is free")
	}
	w.ReportZones("n0")
	if w.BoundOf(second.ID) != 1 {
		t.Error("the second does not start though a zone is free")
	}
}

func TestSlotsGoWhereZonesHaveRoom(t *testing.T) {
	w := coretest.New()
	alignedNode(w, "n0", 8, 8)
	alignedNode(w, "n1", 8, 8)
	w.Send(core.Synced{})
	r, _ := w.Machine.Record(w.App("app", 3, alignedShape(3, 1)))
	on := map[string]int{}
	for _, s := range r.Slots {
		on[s.Node]++
	}
	if on["n0"] != 2 || on["n1"] != 2 {
		t.Errorf("a driver and three executors of three cores are held on %v, want two on each node", on)
	}
}

// TestNoAlignedMemberIsRefused lets gangs come and go, on nodes that report their
// zones now and then.
func TestNoAlignedMemberIsRefused(t *testing.T) {
	bound := 0
	rapid.Check(t, func(t *rapid.T) {
		w := coretest.New()
		for i := range rapid.IntRange(1, 3).Draw(t, "nodes") {
			alignedNode(w, fmt.Sprint("n", i), 2*rapid.Int64Range(1, 8).Draw(t, "cores"), 2*rapid.Int64Range(0, 4).Draw(t, "gpus"))
		}
		w.Send(core.Synced{})
		for i := range rapid.IntRange(1, 30).Draw(t, "events") {
			switch rapid.IntRange(0, 4).Draw(t, "event") {
			case 0, 1:
				g := gangtest.Group(fmt.Sprint("group", i), rapid.IntRange(1, 4).Draw(t, "members"))
				g.Created = w.Now
				w.Declare(g)
				for m := range g.MinMember {
					shape := alignedShape(rapid.Int64Range(1, 6).Draw(t, "cores"), rapid.Int64Range(0, 3).Draw(t, "gpus"))
					w.Pod(g.ID, "", fmt.Sprintf("%s-%d", g.ID, m), shape)
				}
			case 2:
				for _, id := range slices.Sorted(maps.Keys(w.Bound)) {
					w.StartPod(id)
				}
			case 3:
				if ids := slices.Sorted(maps.Keys(w.Bound)); len(ids) > 0 {
					w.End(string(rapid.SampledFrom(ids).Draw(t, "pod")), core.Succeeded)
				}
			case 4:
				for _, n := range slices.Sorted(maps.Keys(w.Nodes)) {
					w.ReportZones(n)
				}
			}
			if id, is := w.RefusedByKubelet(); is {
				t.Fatalf("the kubelet refuses %s on %s", id, w.Bound[id])
			}
		}
		bound += len(w.Bound)
	})
	if bound == 0 {
		t.Error("nothing was ever bound")
	}
}
