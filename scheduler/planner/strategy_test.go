package planner_test

import (
	"maps"
	"testing"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/resource"
)

const gpu = "nvidia.com/gpu"

// gpuNode is a node of 64 cores with so many GPUs, of which some and some cores are
// free.
func gpuNode(name string, gpus, freeGPUs, freeCores int64) cluster.Row {
	n := &cluster.Node{
		Name: name, Ready: true,
		Allocatable: resource.Vector{MilliCPU: 64_000, Memory: 256 << 30, Pods: 110}.With(gpu, gpus),
	}
	return cluster.Row{Node: n, Free: resource.Vector{MilliCPU: freeCores * 1000, Memory: freeCores * 4 << 30, Pods: 110}.With(gpu, freeGPUs)}
}

func shapeOf(cores, gpus int64) gang.Shape {
	return gang.Shape{Request: resource.Vector{MilliCPU: cores * 1000, Memory: cores << 30, Pods: 1}.With(gpu, gpus)}
}

func TestStrategies(t *testing.T) {
	// Usual work needs 8 cores for each GPU, or 4 GPUs at once.
	usual := planner.Fragmentation{Workload: []planner.Sample{
		{Shape: shapeOf(8, 1), Weight: 1}, {Shape: shapeOf(32, 4), Weight: 1},
	}}
	tests := map[string]struct {
		rows     []cluster.Row
		strategy planner.Strategy
		want     planner.Want
		on       map[string]int
	}{
		"pack: a pod without GPUs stays off nodes that have free ones": {
			rows:     []cluster.Row{gpuNode("a", 8, 8, 20), gpuNode("b", 8, 0, 60), gpuNode("c", 0, 0, 64)},
			strategy: planner.Pack{}, want: planner.Want{Shape: shapeOf(4, 0), Count: 1}, on: map[string]int{"b": 1}},
		"pack: single GPUs come from nodes that are begun, so that whole ones stay free": {
			rows:     []cluster.Row{gpuNode("a", 8, 8, 64), gpuNode("b", 8, 3, 64), gpuNode("c", 8, 5, 20)},
			strategy: planner.Pack{}, want: planner.Want{Shape: shapeOf(1, 1), Count: 7}, on: map[string]int{"b": 3, "c": 4}},
		"pack: all come from one node that is begun, if it has them": {
			rows:     []cluster.Row{gpuNode("a", 8, 8, 64), gpuNode("b", 8, 3, 64), gpuNode("c", 8, 5, 20), gpuNode("d", 8, 6, 64)},
			strategy: planner.Pack{}, want: planner.Want{Shape: shapeOf(1, 1), Count: 4}, on: map[string]int{"c": 4}},
		"pack: one that has the GPUs and not the cores is none": {
			rows:     []cluster.Row{gpuNode("b", 8, 3, 64), gpuNode("c", 8, 5, 3), gpuNode("d", 8, 6, 64)},
			strategy: planner.Pack{}, want: planner.Want{Shape: shapeOf(1, 1), Count: 4}, on: map[string]int{"d": 4}},
		"pack: a whole node goes to who takes all of it": {
			rows:     []cluster.Row{gpuNode("a", 8, 8, 64), gpuNode("b", 8, 3, 64), gpuNode("c", 8, 5, 64)},
			strategy: planner.Pack{}, want: planner.Want{Shape: shapeOf(1, 1), Count: 8}, on: map[string]int{"a": 8}},
		"pack: without GPUs gaps are filled": {
			rows:     []cluster.Row{gpuNode("a", 0, 0, 2), gpuNode("b", 0, 0, 5)},
			strategy: planner.Pack{}, want: planner.Want{Shape: shapeOf(1, 0), Count: 4}, on: map[string]int{"a": 2, "b": 2}},
		"spread: members share no node as long as there are others": {
			rows:     []cluster.Row{gpuNode("a", 0, 0, 64), gpuNode("b", 0, 0, 60), gpuNode("c", 0, 0, 10)},
			strategy: planner.Spread{}, want: planner.Want{Shape: shapeOf(4, 0), Count: 2}, on: map[string]int{"a": 1, "b": 1}},
		"spread: then each takes one more, the emptiest first": {
			rows:     []cluster.Row{gpuNode("a", 0, 0, 40), gpuNode("b", 0, 0, 64)},
			strategy: planner.Spread{}, want: planner.Want{Shape: shapeOf(8, 0), Count: 5}, on: map[string]int{"a": 2, "b": 3}},
		"fragmentation: GPUs that have no cores left for usual work go first": {
			rows:     []cluster.Row{gpuNode("a", 8, 2, 64), gpuNode("b", 8, 6, 12)},
			strategy: usual, want: planner.Want{Shape: shapeOf(1, 1), Count: 1}, on: map[string]int{"b": 1}},
		"fragmentation: a set of four is not broken where a single one is left over": {
			rows:     []cluster.Row{gpuNode("a", 8, 4, 64), gpuNode("b", 8, 5, 64)},
			strategy: usual, want: planner.Want{Shape: shapeOf(8, 1), Count: 1}, on: map[string]int{"b": 1}},
		"fragmentation: cores that free GPUs need are left to them": {
			rows:     []cluster.Row{gpuNode("a", 8, 4, 32), gpuNode("b", 8, 4, 64)},
			strategy: usual, want: planner.Want{Shape: shapeOf(16, 0), Count: 2}, on: map[string]int{"b": 2}},
		"fragmentation: without devices it packs": {
			rows:     []cluster.Row{gpuNode("a", 0, 0, 64), gpuNode("b", 0, 0, 20)},
			strategy: usual, want: planner.Want{Shape: shapeOf(4, 0), Count: 5}, on: map[string]int{"b": 5}},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			r := planner.Request{Wants: []planner.Want{c.want}, Strategy: c.strategy}
			shares, verdict := planner.Plan(cluster.View{Rows: c.rows}, r)
			got := map[string]int{}
			for _, s := range shares {
				got[s.Node] += s.Count
			}
			if verdict.Code != "" || !maps.Equal(got, c.on) {
				t.Errorf("%v %s, want %v", got, verdict, c.on)
			}
		})
	}
}

// smallStrategy draws a strategy, with a workload of its own if it needs one.
func smallStrategy(t *rapid.T) planner.Strategy {
	usual := planner.Fragmentation{}
	for range rapid.IntRange(0, 3).Draw(t, "samples") {
		usual.Workload = append(usual.Workload, planner.Sample{
			Shape:  smallWant(t, "usual", 1).Shape,
			Weight: rapid.Int64Range(1, 5).Draw(t, "weight"),
		})
	}
	return rapid.SampledFrom([]planner.Strategy{nil, planner.Pack{}, planner.Spread{}, usual}).Draw(t, "strategy")
}

func TestAStrategyNeverMakesAFeasibleGangInfeasible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := smallView(t)
		wants := smallWants(t)
		_, packed := planner.Plan(v, planner.Request{Wants: wants})
		shares, verdict := planner.Plan(v, planner.Request{Wants: wants, Strategy: smallStrategy(t)})
		if packed.Code == "" && verdict.Code != "" {
			t.Fatalf("packing finds a way, and the strategy says %s", verdict)
		}
		if verdict.Code == "" {
			if err := obeyed(v, wants, shares); err != nil {
				t.Fatal(err)
			}
		}
	})
}
