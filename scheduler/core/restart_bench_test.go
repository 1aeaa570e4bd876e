package core_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
)

// BenchmarkRestart measures a new leader that finds 5,000 nodes, 50,000 pods in gangs of 20
// that run, and 1,000 gangs of 20 that wait, a quarter of which there is room for: how
// long it takes in what exists, how long it is then until the first member is released to
// be bound, and how much memory it has.
func BenchmarkRestart(tb *testing.B) {
	var read, decide time.Duration
	var kept, taken uint64
	for range tb.N {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b := unsynced(core.DefaultOptions())
		began := time.Now()
		b.existing(5000, 2500, 1000)
		read += time.Since(began)

		began = time.Now()
		out := b.Step(b.now, core.Synced{})
		b.Publish(&b.board)
		decide += time.Since(began)
		if !slices.ContainsFunc(out, func(d core.Decision) bool { _, binds := d.(core.Release); return binds }) {
			tb.Fatal("nobody is released")
		}
		runtime.ReadMemStats(&after)
		taken = max(taken, after.HeapSys)
		runtime.GC()
		runtime.ReadMemStats(&after)
		kept = max(kept, after.HeapAlloc-before.HeapAlloc)
		runtime.KeepAlive(b)
	}
	tb.ReportMetric(read.Seconds()/float64(tb.N), "s/reading")
	tb.ReportMetric(decide.Seconds()/float64(tb.N), "s/first-release")
	tb.ReportMetric(float64(kept)/(1<<20), "MiB/kept")
	tb.ReportMetric(float64(taken)/(1<<20), "MiB/taken")
}

// existing tells of nodes, of gangs that run on them, and of others that wait.
func (b *bench) existing(nodes, running, waiting int) {
	const size = 20
	name := func(i int) string { return fmt.Sprintf("n%05d", i%nodes) }
	for i := range nodes {
		b.send(coretest.NodeEvent(name(i), 32, 128))
	}
	shape := gangtest.Shape(3, 12)
	for i := range running {
		g := gangtest.Group(fmt.Sprintf("runs%d", i), size)
		b.send(core.GangSet{Gang: g})
		for k := range size {
			pod := fmt.Sprintf("runs%d-%d", i, k)
			m := &core.Member{ID: gang.PodID(pod), Name: pod, Gang: g.ID, Shape: shape, Created: b.now}
			b.send(podSet(m, name(i*size+k)))
		}
	}
	for i := range waiting {
		b.group(fmt.Sprintf("waits%d", i), size, gangtest.Shape(2, 8))
	}
}
