package victims_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/victims"
)

// scattered is a cluster of nodes with eight GPUs, on which five eighths are free, but on
// hardly any node all. Of the pods with one or two GPUs, half may go.
func scattered(nodes int) (*ledger.Book, []victims.Unit) {
	random := rand.New(rand.NewPCG(1, 1))
	b := ledger.New()
	var units []victims.Unit
	for i := range nodes {
		name := fmt.Sprintf("n%05d", i)
		b.SetNode(cluster.Node{Name: name, Ready: true, Allocatable: gangtest.Shape(64, 512).Request.With("pods", 110).With(gpu, 8)})
		for k := range 1 + random.IntN(3) {
			s := gangtest.Shape(4, 16)
			s.Request = s.Request.With(gpu, 1+random.Int64N(2))
			p := cluster.Pod{ID: gang.PodID(fmt.Sprintf("%s-%d", name, k)), Node: name, Request: s.Request, Gang: "g"}
			b.SetPod(p)
			if random.IntN(2) == 0 {
				again := planner.Request{Wants: []planner.Want{{Shape: s, Count: 1}}}
				units = append(units, victims.Unit{Gang: p.Gang, Pods: []victims.Pod{{ID: p.ID}}, Cost: 10 + random.Int64N(5), Again: again})
			}
		}
	}
	return b, units
}

func BenchmarkSearch(tb *testing.B) {
	b, units := scattered(500)
	whole := gangtest.Shape(32, 256)
	whole.Request = whole.Request.With(gpu, 8)
	for _, members := range []int{1, 4, 16, 64} {
		for _, tries := range []int{0, 2000} {
			tb.Run(fmt.Sprintf("members=%d/tries=%d", members, tries), func(tb *testing.B) {
				q := victims.Query{
					Request: planner.Request{Wants: []planner.Want{{Shape: whole, Count: members}}},
					Units:   units, MaxPods: 2 * members, MaxTries: tries,
				}
				for tb.Loop() {
					found, ok := victims.Search(b, &q)
					if !ok {
						tb.Fatal("nobody can go")
					}
					tb.ReportMetric(float64(len(found.Units)), "units")
					tb.ReportMetric(float64(found.Cost), "cost")
				}
			})
		}
	}
}
