package planner_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/resource"
)

// busyCluster has nodes of three shapes in five zones, half full and hardly two of
// them alike; a seventh of them has a taint.
func busyCluster(random *rand.Rand, nodes int) cluster.View {
	shapes := []resource.Vector{
		{MilliCPU: 16_000, Memory: 64 << 30, Pods: 110},
		{MilliCPU: 32_000, Memory: 128 << 30, Pods: 110},
		{MilliCPU: 64_000, Memory: 512 << 30, Pods: 250},
	}
	var v cluster.View
	for i := range nodes {
		all := shapes[i%len(shapes)]
		n := &cluster.Node{
			Name: fmt.Sprintf("n%05d", i), Ready: true, Allocatable: all,
			Labels: map[string]string{"zone": fmt.Sprint(i % 5), "disk": []string{"ssd", "none"}[i/5%2]},
		}
		if i%7 == 6 {
			n.Taints = []gang.Taint{{Key: "dedicated", Value: "batch", Effect: gang.NoSchedule}}
		}
		used := resource.Vector{
			MilliCPU: 100 * random.Int64N(all.MilliCPU/100), Memory: random.Int64N(all.Memory>>28) << 28, Pods: random.Int64N(50),
		}
		v.Rows = append(v.Rows, cluster.Row{Node: n, Free: all.Sub(used)})
	}
	return v
}

// gangsOf draws requests for gangs of equal members, each of another shape. Of ten
// gangs three are constrained: by a label, to a zone, or with a toleration for the
// nodes that others keep off.
func gangsOf(random *rand.Rand, size int) []planner.Request {
	requests := make([]planner.Request, 50)
	for i := range requests {
		cores := 1 + random.Int64N(4)
		s := gang.Shape{Request: resource.Vector{MilliCPU: cores * 1000, Memory: cores * (1 + random.Int64N(4)) << 30, Pods: 1}}
		switch i % 10 {
		case 3:
			s.Affinity = []gang.Term{{{Key: "disk", Operator: gang.In, Values: []string{"ssd"}}}}
		case 6:
			s.Affinity = []gang.Term{{{Key: "zone", Operator: gang.In, Values: []string{fmt.Sprint(random.IntN(5))}}}}
		case 9:
			s.Tolerations = []gang.Toleration{{Key: "dedicated", AnyValue: true}}
		}
		requests[i] = planner.Request{Wants: []planner.Want{{Role: "worker", Shape: s, Count: size}}}
	}
	return requests
}

// running is the gang whose room is given back when its time has come.
type running struct {
	shape  *gang.Shape
	shares []planner.Share
}

// move takes what a gang holds from the rows, or gives it back.
func (r running) move(v cluster.View, index map[string]int, sign int64) {
	for _, s := range r.shares {
		row := &v.Rows[index[s.Node]]
		row.Free = row.Free.Add(r.shape.Request.Scale(sign * int64(s.Count)))
		if r.shape.Aligned == nil {
			continue
		}
		zones := *row.Zones
		for range s.Count {
			if a, refusal := zones.Topology.Admit(zones.State, r.shape.Aligned); sign < 0 && refusal == nil {
				zones.State = zones.State.Take(a)
			}
		}
		if sign > 0 {
			zones.State = zones.Topology.Empty() // others have gone too
		}
		row.Zones = &zones
	}
}

// BenchmarkPlan plans one gang after the other on a cluster that each of them
// changes: it takes its room, and the one that came ten gangs before gives its own
// back.
func BenchmarkPlan(b *testing.B) {
	for _, c := range []struct{ nodes, gang int }{{5000, 20}, {50000, 20}, {5000, 1000}} {
		b.Run(fmt.Sprintf("nodes=%d/gang=%d", c.nodes, c.gang), func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, uint64(c.nodes)))
			planOneAfterTheOther(b, busyCluster(random, c.nodes), gangsOf(random, c.gang))
		})
	}
}

// BenchmarkPlanStrategy is BenchmarkPlan of gangs of 20 with each strategy.
func BenchmarkPlanStrategy(b *testing.B) {
	for _, strategy := range []planner.Strategy{planner.Pack{}, planner.Spread{}, planner.Fragmentation{}} {
		b.Run(fmt.Sprintf("%T", strategy), func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 5000))
			v, requests := busyCluster(random, 5000), gangsOf(random, 20)
			for i := range requests {
				requests[i].Strategy = strategy
			}
			planOneAfterTheOther(b, v, requests)
		})
	}
}

func planOneAfterTheOther(b *testing.B, v cluster.View, requests []planner.Request) {
	index := map[string]int{}
	for i, row := range v.Rows {
		index[row.Node.Name] = i
	}
	var recent [10]running
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		r := requests[i%len(requests)]
		shares, verdict := planner.Plan(v, r)
		if verdict.Code != "" {
			b.Fatal(verdict)
		}
		oldest := &recent[i%len(recent)]
		oldest.move(v, index, 1)
		*oldest = running{&r.Wants[0].Shape, shares}
		oldest.move(v, index, -1)
		i++
	}
}

// BenchmarkPlanTooBig asks for more than there is, which is found in three orders,
// and explained.
func BenchmarkPlanTooBig(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	v := busyCluster(random, 5000)
	r := gangsOf(random, 1_000_000)[0]
	for b.Loop() {
		if _, verdict := planner.Plan(v, r); verdict.Code != gang.NoRoom {
			b.Fatal(verdict)
		}
	}
}

// alignedCluster has nodes of two zones with 32 CPUs and 4 GPUs each, on which pods
// of other sizes run, and on every tenth one is still to be admitted.
func alignedCluster(random *rand.Rand, nodes int) cluster.View {
	zone := resource.Vector{MilliCPU: 32_000}.With(gpu, 4)
	topology := &numa.Topology{
		Policy: numa.SingleNUMANode, Scope: numa.Pod, ExclusiveCPUs: true,
		Zones: []numa.Zone{{ID: 0, Capacity: zone, Allocatable: zone}, {ID: 1, Capacity: zone, Allocatable: zone}},
	}
	var v cluster.View
	for i := range nodes {
		n := &cluster.Node{
			Name: fmt.Sprintf("n%05d", i), Ready: true, NUMA: topology,
			Allocatable: resource.Vector{MilliCPU: 64_000, Memory: 512 << 30, Pods: 110}.With(gpu, 8),
		}
		row := cluster.Row{Node: n, Free: n.Allocatable, Zones: &cluster.Zones{Topology: topology, State: topology.Empty()}}
		for range random.IntN(4) {
			d := aligned(2+2*random.Int64N(6), random.Int64N(3))
			if a, refusal := topology.Admit(row.Zones.State, d); refusal == nil {
				row.Zones.State = row.Zones.State.Take(a)
				row.Free = row.Free.Sub(d.Containers[0].Asks)
			}
		}
		if i%10 == 9 {
			d := aligned(4, 1)
			row.Zones, row.Free = row.Zones.With(d), row.Free.Sub(d.Containers[0].Asks)
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

func aligned(cpus, gpus int64) *numa.Demand {
	return &numa.Demand{Pinned: true, Containers: []numa.Claim{{Asks: resource.Vector{MilliCPU: cpus * 1000}.With(gpu, gpus)}}}
}

// BenchmarkPlanNUMA is BenchmarkPlan of members with a GPU and eight CPUs that must
// be of one zone.
func BenchmarkPlanNUMA(b *testing.B) {
	b.Run("nodes=5000/gang=20", func(b *testing.B) {
		random := rand.New(rand.NewPCG(1, 5000))
		s := gang.Shape{Request: resource.Vector{MilliCPU: 8000, Memory: 16 << 30, Pods: 1}.With(gpu, 1), Aligned: aligned(8, 1)}
		planOneAfterTheOther(b, alignedCluster(random, 5000), []planner.Request{{Wants: []planner.Want{{Role: "worker", Shape: s, Count: 20}}}})
	})
}
