package journal_test

import (
	"testing"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/journal"
)

// counter counts what is written.
type counter struct{ bytes int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	return len(p), nil
}

// BenchmarkRecord is what the machine's loop pays for each event: there are most of
// pods, and a member is released on many of them.
func BenchmarkRecord(b *testing.B) {
	shape := gangtest.Shape(4, 16)
	member := core.Member{ID: "4f0c8c5e-9d0c-4b7e-8f5e-0d2b6a1c3e4f", Namespace: "default", Name: "train-worker-17", Gang: "podgroup/default/train", Role: "worker", Shape: shape, Created: gangtest.Epoch0}
	pod := cluster.Pod{ID: member.ID, Namespace: "default", Name: member.Name, Node: "node-00042", Request: shape.Request, Gang: member.Gang}
	for _, c := range []struct {
		name  string
		event core.Event
		out   []core.Decision
	}{
		{"Tick", core.Tick{}, nil},
		{"AtLatch", core.AtLatch{ID: member.ID, Epoch: 7, Node: "node-00042"}, nil},
		{"PodSet", core.PodSet{Pod: pod, Member: &member}, nil},
		{"PodSetAndRelease", core.PodSet{Pod: pod, Member: &member}, []core.Decision{core.Release{Gang: member.Gang, Pod: member.ID, Epoch: 7}}},
		{"NodeSet", coretest.NodeEvent("node-00042", 64, 256), nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			var out counter
			w, err := journal.NewWriter(&out, journal.Header{}, 1<<62)
			if err != nil {
				b.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- w.Run() }()
			b.ReportAllocs()
			for b.Loop() {
				w.Record(core.Stamped{At: gangtest.Epoch0, Event: c.event}, c.out)
			}
			w.Close()
			if err := <-ended; err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(out.bytes)/float64(b.N), "B/event")
		})
	}
}
