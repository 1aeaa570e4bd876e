package planner_test

import (
	"fmt"
	"testing"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/resource"
)

// busyView has nodes of 32 cores of which a different part is in use on each.
func busyView(nodes int) cluster.View {
	var v cluster.View
	for i := range nodes {
		n := &cluster.Node{
			Name: fmt.Sprintf("n%05d", i), Ready: true,
			Labels:      map[string]string{"zone": fmt.Sprint(i % 3)},
			Allocatable: resource.Vector{MilliCPU: 32_000, Memory: 128 << 30, Pods: 110},
		}
		used := gangtest.Shape(1, 4).Request.Scale(int64(i*7%33) - 1)
		v.Rows = append(v.Rows, cluster.Row{Node: n, Free: n.Allocatable.Sub(used)})
	}
	return v
}

func BenchmarkPlan(b *testing.B) {
	driver, executor := gangtest.Shape(1, 4), gangtest.Shape(4, 16)
	for _, nodes := range []int{1000, 5000} {
		for _, size := range []int{20, 2000} {
			b.Run(fmt.Sprintf("nodes=%d/members=%d", nodes, size), func(b *testing.B) {
				v := busyView(nodes)
				r := planner.Request{Wants: []planner.Want{
					{Role: "driver", Shape: driver, Count: 1}, {Role: "executor", Shape: executor, Count: size - 1},
				}}
				for b.Loop() {
					if _, verdict := planner.Plan(v, r); verdict.Code != "" {
						b.Fatal(verdict)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("nodes=%d/too-big", nodes), func(b *testing.B) {
			v := busyView(nodes)
			r := planner.Request{Wants: []planner.Want{
				{Role: "driver", Shape: driver, Count: 1}, {Role: "executor", Shape: executor, Count: 8 * nodes},
			}}
			for b.Loop() {
				if _, verdict := planner.Plan(v, r); verdict.Code != gang.NoRoom {
					b.Fatal(verdict)
				}
			}
		})
	}
}
