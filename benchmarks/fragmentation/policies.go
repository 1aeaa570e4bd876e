package fragmentation

import (
	"math"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/resource"
)

// Policy is a way to choose a node for one pod.
type Policy struct {
	Name string
	// place returns the row that a pod goes to, or a negative number.
	place func(rows []cluster.Row, s *gang.Shape, workload []planner.Sample) int
}

// Policies are those of others, as they are described, and the planner's own.
var Policies = []Policy{
	{"first-fit", firstFit},
	{"best-fit", lowest(bestFit)},
	{"dot-product", lowest(dotProduct)},
	{"fgd", lowest(fgd)},
	{"muster-pack", planned(func([]planner.Sample) planner.Strategy { return planner.Pack{} })},
	{"muster-spread", planned(func([]planner.Sample) planner.Strategy { return planner.Spread{} })},
	{"muster-fragmentation", planned(func(w []planner.Sample) planner.Strategy { return planner.Fragmentation{Workload: w} })},
}

func takes(row *cluster.Row, s *gang.Shape) bool {
	return s.Request.Fits(row.Free) && cluster.Takes(row.Node, s)
}

func firstFit(rows []cluster.Row, s *gang.Shape, _ []planner.Sample) int {
	for i := range rows {
		if takes(&rows[i], s) {
			return i
		}
	}
	return -1
}

// lowest chooses the node of the lowest score, the first of equal ones.
func lowest(score func(row *cluster.Row, s *gang.Shape, workload []planner.Sample) float64) func([]cluster.Row, *gang.Shape, []planner.Sample) int {
	return func(rows []cluster.Row, s *gang.Shape, workload []planner.Sample) int {
		best, least := -1, math.Inf(1)
		for i := range rows {
			if takes(&rows[i], s) {
				if c := score(&rows[i], s, workload); c < least {
					best, least = i, c
				}
			}
		}
		return best
	}
}

// bestFit leaves the least behind, summed over CPU, memory and GPUs, each as a part
// of what the largest node has (Protean, OSDI 2020, as the paper on FGD takes it).
func bestFit(row *cluster.Row, s *gang.Shape, _ []planner.Sample) float64 {
	left := row.Free.Sub(s.Request)
	return parts(left, func(_ int, part float64) float64 { return part })
}

// dotProduct is smallest where what is asked for and what is free are least alike
// (Tetris, SIGCOMM 2014, as the paper on FGD takes it).
func dotProduct(row *cluster.Row, s *gang.Shape, _ []planner.Sample) float64 {
	asked := [3]float64{}
	parts(s.Request, func(i int, part float64) float64 { asked[i] = part; return 0 })
	return parts(row.Free, func(i int, part float64) float64 { return part * asked[i] })
}

// parts sums what of makes of CPU, memory and GPUs as parts of the largest node.
func parts(v resource.Vector, of func(i int, part float64) float64) float64 {
	return of(0, float64(v.MilliCPU)/128_000) + of(1, float64(v.Memory)/(1024<<30)) + of(2, gpus(v)/8)
}

// fgd is fragmentation gradient descent (Weng et al., USENIX ATC 2023): by how much
// the expected number of GPUs grows that a pod of the workload can't use. With
// devices that are given out whole a node's free ones are all of use or none.
func fgd(row *cluster.Row, s *gang.Shape, workload []planner.Sample) float64 {
	return fragments(row.Node, row.Free.Sub(s.Request), workload) - fragments(row.Node, row.Free, workload)
}

func fragments(n *cluster.Node, free resource.Vector, workload []planner.Sample) float64 {
	sum, all := 0.0, gpus(free)
	if all == 0 {
		return 0
	}
	for i := range workload {
		w := &workload[i]
		if len(w.Shape.Request.Extra) == 0 || !w.Shape.Request.Fits(free) || !cluster.Takes(n, &w.Shape) {
			sum += float64(w.Weight) * all
		}
	}
	return sum
}

// planned asks the planner for a gang of one.
func planned(strategy func([]planner.Sample) planner.Strategy) func([]cluster.Row, *gang.Shape, []planner.Sample) int {
	return func(rows []cluster.Row, s *gang.Shape, workload []planner.Sample) int {
		shares, verdict := planner.Plan(cluster.View{Rows: rows}, planner.Request{
			Wants: []planner.Want{{Shape: *s, Count: 1}}, Strategy: strategy(workload),
		})
		if verdict.Code != "" {
			return -1
		}
		for i := range rows {
			if rows[i].Node.Name == shares[0].Node {
				return i
			}
		}
		return -1
	}
}
