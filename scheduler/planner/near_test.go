package planner_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/planner"
)

// racks returns nodes with so many free cores in racks of two, and zones of four.
func racks(cores ...int64) cluster.View {
	v := nodes(cores...)
	for i := range v.Rows {
		v.Rows[i].Node.Labels = map[string]string{"rack": fmt.Sprint("r", i/2), "zone": fmt.Sprint("z", i/4)}
	}
	return v
}

func required(levels ...string) planner.Near {
	return planner.Near{Topology: gang.Topology{Levels: levels, Required: true}}
}

func preferred(levels ...string) planner.Near {
	return planner.Near{Topology: gang.Topology{Levels: levels}}
}

func (on nodesWith) in(n planner.Near) planner.Near {
	n.On = on
	return n
}

type nodesWith []string

func TestPlanNear(t *testing.T) {
	workers := func(n int) []planner.Want { return []planner.Want{want("worker", n, 2)} }
	tests := map[string]struct {
		view cluster.View
		r    planner.Request
		plan map[string]int
		why  string
	}{
		"together in the smallest rack that has room": {
			view: racks(8, 8, 2, 4, 8, 2), r: planner.Request{Wants: workers(3), Near: required("rack")},
			plan: map[string]int{"worker@n2": 1, "worker@n3": 2}},
		"in one zone where no rack has room": {
			view: racks(2, 2, 2, 2, 8, 0), r: planner.Request{Wants: workers(3), Near: required("rack", "zone")},
			plan: map[string]int{"worker@n4": 3}},
		"in the nearer level first": {
			view: racks(4, 2, 2, 2, 2, 2), r: planner.Request{Wants: workers(3), Near: required("rack", "zone")},
			plan: map[string]int{"worker@n0": 2, "worker@n1": 1}},
		"not in two racks if one is required": {
			view: racks(4, 2, 2, 2), r: planner.Request{Wants: workers(4), Near: required("rack")},
			why: "3 of 4 worker placed, cpu=2 memory=1Gi missing in all: they must be together in one rack, and of 2 the roomiest is r0"},
		"in two racks if one is only preferred": {
			view: racks(4, 2, 2, 0), r: planner.Request{Wants: workers(4), Near: preferred("rack")},
			plan: map[string]int{"worker@n0": 2, "worker@n1": 1, "worker@n2": 1}},
		"beside those that run already": {
			view: racks(2, 2, 8, 8), r: planner.Request{Wants: workers(2), Near: nodesWith{"n1"}.in(required("rack"))},
			plan: map[string]int{"worker@n0": 1, "worker@n1": 1}},
		"nowhere else than beside those that run already": {
			view: racks(2, 0, 8, 8), r: planner.Request{Wants: workers(2), Near: nodesWith{"n1"}.in(required("rack"))},
			why: "1 of 2 worker placed, cpu=2 memory=1Gi missing in all: they must be together in one rack, and others of them are in r0"},
		"nodes without the label are in no rack": {
			view: nodes(8, 8), r: planner.Request{Wants: workers(1), Near: required("rack")},
			why: "0 of 1 worker placed: they must be together in one rack, and no node that they could use is in any"},
		"each role in a rack of its own, the largest first": {
			view: racks(4, 2, 2, 2), r: planner.Request{
				Wants:      []planner.Want{want("a", 2, 2), want("b", 3, 2)},
				NearByRole: map[string]planner.Near{"a": required("rack"), "b": required("rack")}},
			plan: map[string]int{"b@n0": 2, "b@n1": 1, "a@n2": 1, "a@n3": 1}},
		"roles near within a gang that is near": {
			view: racks(8, 8, 0, 8, 2, 2, 2, 2), r: planner.Request{
				Wants: []planner.Want{want("a", 2, 2), want("b", 2, 2)}, Near: required("zone"),
				NearByRole: map[string]planner.Near{"a": required("rack"), "b": required("rack")}},
			plan: map[string]int{"a@n4": 1, "a@n5": 1, "b@n6": 1, "b@n7": 1}},
		"a preference keeps nobody from starting": {
			view: racks(4, 4, 2, 2), r: planner.Request{
				Wants:      []planner.Want{want("driver", 1, 4), want("worker", 3, 2)},
				NearByRole: map[string]planner.Near{"worker": preferred("rack")}},
			plan: map[string]int{"driver@n0": 1, "worker@n1": 1, "worker@n2": 1, "worker@n3": 1}},
		"a role that is not near goes anywhere": {
			view: racks(2, 2, 4, 0), r: planner.Request{
				Wants:      []planner.Want{want("a", 2, 2), want("b", 2, 2)},
				NearByRole: map[string]planner.Near{"a": required("rack")}},
			plan: map[string]int{"a@n0": 1, "a@n1": 1, "b@n2": 2}},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			shares, verdict := planner.Plan(c.view, c.r)
			if got := onNodes(c.r, shares); !maps.Equal(got, c.plan) || (verdict.Code == "") != (c.why == "") {
				t.Fatalf("%v %s, want %v", got, verdict, c.plan)
			}
			if !strings.Contains(verdict.String(), c.why) {
				t.Errorf("the verdict is\n%s, want\n%s", verdict, c.why)
			}
		})
	}
}

func TestFillNear(t *testing.T) {
	tests := map[string]struct {
		near, role planner.Near
		count      int
		on         map[string]int
	}{
		"the rest of the rack, and no more if that is required": {
			near: nodesWith{"n0"}.in(required("rack")), count: 9, on: map[string]int{"n0": 1, "n1": 2}},
		"first the rack, then others if it is preferred": {
			near: nodesWith{"n0"}.in(preferred("rack")), count: 4, on: map[string]int{"n0": 1, "n1": 2, "n5": 1}},
		"first the rack, then the zone, and no other": {
			near: nodesWith{"n0"}.in(required("rack", "zone")), count: 99, on: map[string]int{"n0": 1, "n1": 2, "n2": 2, "n3": 2}},
		"a rack that has room for all if nobody runs yet": {
			near: required("rack"), count: 4, on: map[string]int{"n2": 2, "n3": 2}},
		"the roomiest rack if none has": {
			near: required("rack"), count: 99, on: map[string]int{"n4": 4, "n5": 1}},
		"the rack of the role in the zone of the gang": {
			near: nodesWith{"n0"}.in(required("zone")), role: required("rack"), count: 99, on: map[string]int{"n2": 2, "n3": 2}},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			r := planner.Request{Wants: []planner.Want{want("worker", c.count, 2)}, Near: c.near}
			if len(c.role.Levels) > 0 {
				r.NearByRole = map[string]planner.Near{"worker": c.role}
			}
			got := map[string]int{}
			for _, s := range planner.Fill(racks(2, 4, 4, 4, 8, 2), r) {
				got[s.Node] += s.Count
			}
			if !maps.Equal(got, c.on) {
				t.Errorf("%v, want %v", got, c.on)
			}
		})
	}
}

// inDomain is the part of a view that is in a domain.
func inDomain(v cluster.View, level, name string) cluster.View {
	var out cluster.View
	for _, row := range v.Rows {
		if row.Node.Domain(level) == name {
			out.Rows = append(out.Rows, row)
		}
	}
	return out
}

// possibleNear says whether there is a way to place the members that keeps all of
// them together, if that is required.
func possibleNear(v cluster.View, wants []planner.Want, near planner.Near) bool {
	for _, level := range near.Levels {
		for _, row := range v.Rows {
			if name := row.Node.Domain(level); name != "" && possible(inDomain(v, level, name), wants) {
				return true
			}
		}
	}
	return !near.Required && possible(v, wants)
}

// together says whether all nodes are in one domain of one of the levels.
func together(v cluster.View, shares []planner.Share, levels []string) bool {
	for _, level := range levels {
		names := map[string]bool{}
		for _, row := range v.Rows {
			for _, s := range shares {
				if s.Node == row.Node.Name && s.Count > 0 {
					names[row.Node.Domain(level)] = true
				}
			}
		}
		if len(names) == 0 || (len(names) == 1 && !names[""]) {
			return true
		}
	}
	return false
}

func smallNear(t *rapid.T) planner.Near {
	return rapid.SampledFrom([]planner.Near{{}, required("zone"), preferred("zone"), required("rack", "zone"), required("rack"), preferred("rack", "zone")}).Draw(t, "near")
}

func TestAPlanKeepsTogetherWhoMustBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := smallView(t)
		for i := range v.Rows {
			v.Rows[i].Node.Labels["rack"] = rapid.SampledFrom([]string{"", "r1", "r2"}).Draw(t, "rack")
		}
		near := smallNear(t)
		wants := []planner.Want{smallWant(t, "driver", 1), smallWant(t, "executor", rapid.IntRange(1, 5).Draw(t, "count"))}
		r := planner.Request{Wants: wants, Near: near, Strategy: smallStrategy(t)}
		shares, verdict := planner.Plan(v, r)
		if possibleNear(v, wants, near) != (verdict.Code == "") {
			t.Fatalf("possible: %t, verdict: %s", possibleNear(v, wants, near), verdict)
		}
		if verdict.Code != "" {
			return
		}
		if err := obeyed(v, wants, shares); err != nil {
			t.Fatal(err)
		}
		if near.Required && !together(v, shares, near.Levels) {
			t.Fatalf("%v are not together in one of %v", shares, near.Levels)
		}
	})
}

func TestAPlanKeepsRolesTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := smallView(t)
		for i := range v.Rows {
			v.Rows[i].Node.Labels["rack"] = rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "rack")
		}
		var wants []planner.Want
		near := map[string]planner.Near{}
		for i := range rapid.IntRange(1, 4).Draw(t, "wants") {
			role := fmt.Sprintf("role%d", i/2)
			wants = append(wants, smallWant(t, role, rapid.IntRange(1, 3).Draw(t, "count")))
			near[role] = smallNear(t)
		}
		all := smallNear(t)
		r := planner.Request{Wants: wants, Near: all, NearByRole: near, Strategy: smallStrategy(t)}
		shares, verdict := planner.Plan(v, r)
		if r.Exact() && possibleNear(v, wants, all) != (verdict.Code == "") && !near["role0"].Required {
			t.Fatalf("possible: %t, verdict: %s", possibleNear(v, wants, all), verdict)
		}
		if verdict.Code != "" {
			return
		}
		if err := obeyed(v, wants, shares); err != nil {
			t.Fatal(err)
		}
		if all.Required && !together(v, shares, all.Levels) {
			t.Fatalf("%v are not together in one of %v", shares, all.Levels)
		}
		for role, n := range near {
			var own []planner.Share
			for _, s := range shares {
				if wants[s.Want].Role == role {
					own = append(own, s)
				}
			}
			if n.Required && !together(v, own, n.Levels) {
				t.Fatalf("%v of %s are not together in one of %v", own, role, n.Levels)
			}
		}
	})
}
