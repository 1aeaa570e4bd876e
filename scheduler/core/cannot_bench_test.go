package core_test

import (
	"fmt"
	"testing"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// BenchmarkCannot measures how long it takes until each of 1,000 gangs is told why it
// can't start, of ten pods with eight GPUs each, that come at once to 500 nodes of which
// all GPUs are in use. Who has the room decides what is to be found out for each: for
// that of gangs it is enough to wait behind the first; what other pods have may never be
// free.
func BenchmarkCannot(tb *testing.B) {
	for _, c := range []struct {
		name string
		full func(*bench)
		want gang.Code
	}{
		{"room of gangs", func(b *bench) { b.gpuGroup("full", "", 500, 8) }, gang.Behind},
		{"room of other pods", (*bench).otherPods, gang.NoRoom},
		{"no quota", func(b *bench) {
			b.send(core.QueueSet{Queue: queue.Spec{Name: queue.Default, Weight: 1, Backfill: true, Capability: queue.LimitsOf(map[string]int64{gpus: 100})}})
			b.gpuGroup("full", "", 10, 8)
		}, gang.OverQuota},
	} {
		tb.Run(c.name, func(tb *testing.B) {
			var all, slowest time.Duration
			for range tb.N {
				b := unsynced(core.DefaultOptions())
				b.gpuNodes(500)
				b.send(core.Synced{})
				c.full(b)
				began := time.Now()
				for i := range 1000 {
					arrived := time.Now()
					b.gpuGroup(fmt.Sprintf("g%d", i), "", 10, 8)
					slowest = max(slowest, time.Since(arrived))
				}
				all += time.Since(began)
				b.mustBeTold(tb, c.want)
			}
			tb.ReportMetric(all.Seconds()*1000/float64(1000*tb.N), "ms/gang")
			tb.ReportMetric(slowest.Seconds()*1000, "ms/slowest")
			tb.ReportMetric(all.Seconds()/float64(tb.N), "s/all")
		})
	}
}

// otherPods takes all GPUs with pods of no gang.
func (b *bench) otherPods() {
	for i := range 500 {
		b.send(core.PodSet{Pod: cluster.Pod{
			ID: gang.PodID(fmt.Sprintf("other%d", i)), Node: fmt.Sprintf("n%05d", i), Request: resource.Vector{MilliCPU: 1000, Pods: 1}.With(gpus, 8),
		}})
	}
}

// mustBeTold checks that the last gang was told what it should be, with a reason.
func (b *bench) mustBeTold(tb *testing.B, want gang.Code) {
	r, _ := b.Record(gang.NewID("podgroup", "default", "g999"))
	if r.Verdict.Code != want || r.Verdict.String() == "" {
		tb.Fatalf("it is told %s: %s", r.Verdict.Code, r.Verdict)
	}
}
