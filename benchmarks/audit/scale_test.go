package audit_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/benchmarks/audit"
)

// TestMemoryGrowsWithPodsAndNotWithRecords reads ten thousand records of
// few pods, without ever having them all in memory.
func TestMemoryGrowsWithPodsAndNotWithRecords(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 10,000 records: not with -short")
	}
	const pods, rounds = 100, 100
	b := newLog(t).node("n", fmt.Sprintf("cpu=%d,pods=%d", pods, pods))
	for i := range pods {
		b.create(fmt.Sprintf("p%d", i)).bind(fmt.Sprintf("p%d", i), "n")
	}
	head := b.text()
	b.lines = nil
	for i := range pods {
		b.phase(fmt.Sprintf("p%d", i), corev1.PodRunning)
	}
	round := b.text()

	before := heap()
	log, err := audit.Read(&repeated{head: head, text: round, times: rounds})
	if err != nil {
		t.Fatal(err)
	}
	grown := int64(heap()) - int64(before)
	tl := log.Timeline()
	status := audit.Writes(log).All.Sum(func(w audit.Write) bool { return w.Resource == "pods/status" })
	if len(tl.Pods) != pods || status.Done != pods*rounds || len(tl.Gaps) != 0 {
		t.Errorf("%d pods, %d writes of status, gaps %v", len(tl.Pods), status.Done, tl.Gaps)
	}
	if limit := int64(len(head)+len(round)) * 10; grown > limit {
		t.Errorf("the log holds %d bytes for %d pods, more than %d", grown, pods, limit)
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// repeated reads a head once and a text many times.
type repeated struct {
	head, text string
	times      int
	now        strings.Reader
	started    bool
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.now.Len() == 0 {
		switch {
		case !r.started:
			r.started = true
			r.now.Reset(r.head)
		case r.times > 0:
			r.times--
			r.now.Reset(r.text)
		}
	}
	return r.now.Read(p)
}

func BenchmarkRead(b *testing.B) {
	log := newLog(b).node("n", "cpu=1000,pods=1000")
	for i := range 1000 {
		name := fmt.Sprintf("p%d", i)
		log.create(name).bind(name, "n").phase(name, corev1.PodRunning)
	}
	text := log.text()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := audit.Read(strings.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(log.lines)), "µs/record")
}
