package core_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/queue"
)

const gpus = "example.com/gpu"

// lentOut is a cluster of nodes with eight GPUs, all lent to gangs of 1 to 32 pods with
// one to eight GPUs each, which span nodes.
func lentOut(nodes int, random *rand.Rand) *bench {
	options := core.DefaultOptions()
	options.Reclaim = core.Clearing{MaxPods: 5000, MaxTries: 2000, After: time.Second, Cooldown: time.Minute, Timeout: 5 * time.Minute}
	b := unsynced(options)
	b.gpuNodes(nodes)
	b.send(core.Synced{})
	b.send(core.QueueSet{Queue: queue.Spec{Name: "owner", Weight: 1, Deserved: queue.LimitsOf(map[string]int64{gpus: int64(4 * nodes)})}})
	b.send(core.QueueSet{Queue: queue.Spec{Name: "lent", Weight: 1}})
	for free, i := 8*nodes, 0; free > 0; i++ {
		each := min([]int{1, 2, 4, 8}[random.IntN(4)], free)
		size := min(1+random.IntN(32), free/each)
		b.gpuGroup(fmt.Sprintf("lent%d", i), "lent", size, each)
		free -= size * each
	}
	return b
}

// gpuNodes adds nodes with eight GPUs.
func (b *bench) gpuNodes(nodes int) {
	for i := range nodes {
		n := coretest.NodeEvent(fmt.Sprintf("n%05d", i), 64, 512)
		n.Node.Allocatable = n.Node.Allocatable.With(gpus, 8)
		b.send(n)
	}
}

// gpuGroup creates a gang of a queue, whose pods have so many GPUs each.
func (b *bench) gpuGroup(name, queue string, size, each int) gang.ID {
	s := gangtest.Shape(1, 4)
	s.Request = s.Request.With(gpus, int64(each))
	g := gangtest.Group(name, size)
	g.Created, g.Queue = b.now, queue
	b.send(core.GangSet{Gang: g})
	for k := range size {
		b.create(g.ID, "", fmt.Sprintf("%s-%d", name, k), s)
	}
	return g.ID
}

// BenchmarkReclaim measures the decision who gives way for a gang of whole nodes that half
// of the cluster is to be given back to.
func BenchmarkReclaim(tb *testing.B) {
	for _, nodes := range []int{50, 500} {
		tb.Run(fmt.Sprintf("nodes=%d", nodes), func(tb *testing.B) {
			random := rand.New(rand.NewPCG(1, 1))
			var took time.Duration
			evicted := 0
			for range tb.N {
				b := lentOut(nodes, random)
				b.gpuGroup("owner", "owner", nodes/2, 8)
				b.now = b.now.Add(time.Second)
				began := time.Now()
				out := b.Step(b.now, core.Tick{})
				took += time.Since(began)
				gone := 0
				for _, d := range out {
					if _, leaves := d.(core.StoreReservation); leaves {
						gone++
					}
				}
				if gone == 0 {
					tb.Fatal("nobody gives way")
				}
				evicted += gone
			}
			tb.ReportMetric(float64(took.Milliseconds())/float64(tb.N), "ms/decision")
			tb.ReportMetric(float64(evicted)/float64(tb.N), "gangs")
		})
	}
}
