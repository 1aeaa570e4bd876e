package core_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/queue"
)

// supposed is a gang like those of inQueue, of which nobody is there yet.
func supposed(w *coretest.World, q string, members int, cores int64) gang.Gang {
	g := gangtest.Group("supposed", 0)
	g.Queue, g.Created = q, w.Now
	g.Roles = []gang.Role{{Name: "worker", Min: members, Max: members, Expected: true, Shape: gangtest.Shape(cores, 1)}}
	return g
}

func TestWhatWouldBecomeOfAGang(t *testing.T) {
	w := coretest.Cluster(2, 4)
	w.SetQueue(queue.Spec{Name: "small", Capability: coresOf(3)})
	inQueue(w, "runs", "small", 2, 2)
	for _, c := range []struct {
		queue   string
		members int
		cores   int64
		want    gang.Code
	}{
		{"", 3, 2, gang.Reserved},
		{"small", 1, 1, gang.Reserved},
		{"small", 2, 1, gang.OverQuota},
		{"small", 4, 1, gang.NeverInQueue},
		{"nowhere", 1, 1, gang.Barred},
		{"", 2, 4, gang.NoRoom},
		{"", 1, 5, gang.TooBig},
	} {
		f := w.Machine.WhatIf(supposed(w, c.queue, c.members, c.cores), 0)
		if f.Verdict.Code != c.want {
			t.Errorf("%d of %d cores in %q: %+v, want %s", c.members, c.cores, c.queue, f, c.want)
		}
	}
	inQueue(w, "waits", "", 7, 7)
	if f := w.Machine.WhatIf(supposed(w, "", 1, 1), 0); f.Verdict.Code != gang.Behind || f.Ahead != 1 || f.Verdict.Position != 2 {
		t.Errorf("behind one that waits for room: %+v", f)
	}
	if f := w.Machine.WhatIf(supposed(w, "", 1, 1), 5); f.Verdict.Code != gang.Reserved || f.Ahead != 0 || len(f.Placings) != 1 {
		t.Errorf("before one that waits for room: %+v", f)
	}
}

// Whatever there is: what was foretold of a gang comes true once it is there, and asking
// changes nothing.
func TestWhatIsForetoldComesTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := coretest.Cluster(rapid.IntRange(1, 4).Draw(t, "nodes"), 4)
		w.SetQueue(queue.Spec{Name: "a", Capability: coresOf(int64(rapid.IntRange(1, 8).Draw(t, "capability")))})
		w.SetQueue(queue.Spec{Name: "b", Guarantee: gangtest.Shape(1, 1).Request})
		queues := rapid.SampledFrom([]string{"a", "b"})
		for i := range rapid.IntRange(0, 5).Draw(t, "gangs") {
			members := rapid.IntRange(1, 6).Draw(t, "members")
			inQueue(w, fmt.Sprint("g", i), queues.Draw(t, "queue"), members, members)
		}
		w.Pass(time.Second)
		g := supposed(w, queues.Draw(t, "queue of it"), rapid.IntRange(1, 8).Draw(t, "members of it"), int64(rapid.IntRange(1, 5).Draw(t, "cores")))
		before, queuesBefore := w.Machine.Records(), w.Machine.QueueRecords()
		f := w.Machine.WhatIf(g, 0)
		if !reflect.DeepEqual(before, w.Machine.Records()) || !reflect.DeepEqual(queuesBefore, w.Machine.QueueRecords()) {
			t.Fatal("asking has changed something")
		}
		w.Declare(g)
		for i := range g.Roles[0].Min {
			w.Pod(g.ID, "worker", fmt.Sprint("supposed-", i), g.Roles[0].Shape)
		}
		became, want := code(w, g.ID), f.Verdict.Code
		if want == gang.Reserved {
			want = gang.Running
		}
		// Who is in line with others may be behind them or before, and lack something else by then.
		if f.Verdict.Code != gang.Behind && became != gang.Behind && became != want {
			t.Fatalf("it is %s, and was to be %+v", became, f)
		}
		if want == gang.Running && became != gang.Running {
			t.Fatalf("it is %s, and was to start: %+v", became, f)
		}
	})
}
