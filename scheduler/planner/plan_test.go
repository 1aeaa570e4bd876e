package planner_test

import (
	"fmt"
	"maps"
	"testing"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/resource"
)

// nodes returns a view of ready nodes with so many free cores, of 16 each.
func nodes(cores ...int64) cluster.View {
	var v cluster.View
	for i, c := range cores {
		n := &cluster.Node{
			Name: fmt.Sprintf("n%d", i), Ready: true, Labels: map[string]string{"number": fmt.Sprint(i)},
			Allocatable: resource.Vector{MilliCPU: 16_000, Memory: 64 << 30, Pods: 110},
		}
		v.Rows = append(v.Rows, cluster.Row{Node: n, Free: resource.Vector{MilliCPU: c * 1000, Memory: c * 4 << 30, Pods: 110}})
	}
	return v
}

func want(role string, count int, cores int64) planner.Want {
	return planner.Want{Role: role, Count: count, Shape: gangtest.Shape(cores, 1)}
}

// onNodes counts members by role and node.
func onNodes(r planner.Request, shares []planner.Share) map[string]int {
	out := map[string]int{}
	for _, s := range shares {
		out[r.Wants[s.Want].Role+"@"+s.Node] += s.Count
	}
	return out
}

func TestPlan(t *testing.T) {
	gpu := planner.Want{Role: "worker", Count: 2, Shape: gang.Shape{Request: resource.Vector{MilliCPU: 1000}.With("nvidia.com/gpu", 1)}}
	port := want("server", 2, 1)
	port.Shape.HostPorts = []string{"TCP//80"}
	withGPU := nodes(4, 4)
	withGPU.Rows[1].Free = withGPU.Rows[1].Free.With("nvidia.com/gpu", 2)
	onePort := nodes(8, 8)
	onePort.Rows[0].Ports = map[string]bool{"TCP//80": true}
	tests := map[string]struct {
		view cluster.View
		r    planner.Request
		// plan has members by role and node; without one, the verdict counts.
		plan map[string]int
		code gang.Verdict
	}{
		"members of one shape share nodes, the fullest first": {
			view: nodes(8, 3, 2), r: planner.Request{Wants: []planner.Want{want("executor", 6, 1)}},
			plan: map[string]int{"executor@n2": 2, "executor@n1": 3, "executor@n0": 1}},
		"the driver goes where it costs its executors no place": {
			view: nodes(4, 5), r: planner.Request{Wants: []planner.Want{want("driver", 1, 1), want("executor", 4, 2)}},
			plan: map[string]int{"driver@n1": 1, "executor@n0": 2, "executor@n1": 2}},
		"all or none": {
			view: nodes(2, 2), r: planner.Request{Wants: []planner.Want{want("driver", 1, 1), want("executor", 4, 1)}},
			code: gang.Verdict{Code: gang.NoRoom, Role: "executor", Placed: 3, Wanted: 4, Nodes: 2,
				Missing: resource.Vector{MilliCPU: 1000, Memory: 1 << 30}, RuledOut: map[gang.Constraint]int{gang.Lacks("cpu"): 2}}},
		"a scarce resource": {
			view: withGPU, r: planner.Request{Wants: []planner.Want{gpu}},
			plan: map[string]int{"worker@n1": 2}},
		"a host port is good for one member a node": {
			view: nodes(8, 8), r: planner.Request{Wants: []planner.Want{port}},
			plan: map[string]int{"server@n0": 1, "server@n1": 1}},
		"a host port that is in use": {
			view: onePort, r: planner.Request{Wants: []planner.Want{port}},
			code: gang.Verdict{Code: gang.NoRoom, Role: "server", Placed: 1, Wanted: 2, Nodes: 2,
				Missing: resource.Vector{MilliCPU: 1000, Memory: 1 << 30}, RuledOut: map[gang.Constraint]int{gang.HostPort: 2}}},
		"two roles that want the same port": {
			view: nodes(8, 8), r: planner.Request{Wants: []planner.Want{
				{Role: "a", Count: 1, Shape: port.Shape}, {Role: "b", Count: 1, Shape: port.Shape}}},
			plan: map[string]int{"a@n0": 1, "b@n1": 1}},
		"a node that was vetoed": {
			view: nodes(8, 8), r: planner.Request{Wants: []planner.Want{want("executor", 2, 1)},
				Excluded: func(_ *gang.Shape, node string) bool { return node == "n0" }},
			plan: map[string]int{"executor@n1": 2}},
		"every node was vetoed": {
			view: nodes(8, 8), r: planner.Request{Wants: []planner.Want{want("executor", 2, 1)},
				Excluded: func(*gang.Shape, string) bool { return true }},
			code: gang.Verdict{Code: gang.NoRoom, Role: "executor", Wanted: 2, Nodes: 2,
				Missing: resource.Vector{MilliCPU: 2000, Memory: 2 << 30}, RuledOut: map[gang.Constraint]int{gang.Excluded: 2}}},
		"room that must be free besides": {
			view: nodes(4, 4), r: planner.Request{Wants: []planner.Want{want("executor", 1, 1)}, MinFree: resource.Vector{MilliCPU: 8000}},
			plan: map[string]int{"executor@n0": 1}},
		"room that must be free besides, and is not": {
			view: nodes(4, 4), r: planner.Request{Wants: []planner.Want{want("executor", 1, 1)}, MinFree: resource.Vector{MilliCPU: 9000}},
			code: gang.Verdict{Code: gang.NoRoom, Nodes: 2, Missing: resource.Vector{MilliCPU: 1000},
				Detail: "minResources: cpu=1 missing over the whole cluster"}},
		"three shapes, of which the largest must go first": {
			view: nodes(5, 5), r: planner.Request{Wants: []planner.Want{want("a", 2, 1), want("b", 2, 2), want("c", 1, 4)}},
			plan: map[string]int{"c@n0": 1, "b@n1": 2, "a@n0": 1, "a@n1": 1}},
		"nothing is wanted": {view: nodes(1), plan: map[string]int{}},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			shares, verdict := planner.Plan(c.view, c.r)
			if c.plan != nil {
				if got := onNodes(c.r, shares); verdict.Code != "" || !maps.Equal(got, c.plan) {
					t.Errorf("plan %v (%s), want %v", got, verdict, c.plan)
				}
				return
			}
			if shares != nil || verdict.String() != c.code.String() || verdict.Code != c.code.Code || !verdict.Missing.Equal(c.code.Missing) {
				t.Errorf("verdict\n%s, want\n%s", verdict, c.code)
			}
		})
	}
}

func TestFillPlacesAsManyAsThereIsRoomFor(t *testing.T) {
	for name, c := range map[string]struct {
		count, want int
	}{"fewer than there is room for": {3, 3}, "more than there is room for": {9, 5}} {
		t.Run(name, func(t *testing.T) {
			got := 0
			for _, s := range planner.Fill(nodes(3, 0, 2), planner.Request{Wants: []planner.Want{want("executor", c.count, 1)}}) {
				got += s.Count
			}
			if got != c.want {
				t.Errorf("%d are placed, want %d", got, c.want)
			}
		})
	}
}
