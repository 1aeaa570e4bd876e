package trial

import (
	"fmt"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/benchmarks/scenario"
)

// replayed is a gang whose pods were created, bound and ended at such seconds of a run.
// Where there are fewer of the latter two, the others never were.
func replayed(began time.Time, name string, created, bound, ended []float64) audit.Gang {
	g := audit.Gang{Namespace: scenario.Namespace, Name: name, Min: len(created)}
	for i := range created {
		p := &audit.Pod{Namespace: scenario.Namespace, Name: fmt.Sprint(name, i), Created: at(began, created[i])}
		if i < len(bound) {
			p.Bound, p.Node = at(began, bound[i]), "n"
		}
		if i < len(ended) {
			p.Ended, p.Phase = at(began, ended[i]), corev1.PodSucceeded
		}
		g.Members = append(g.Members, p)
	}
	return g
}

func TestWaitsAreFromTheLastPodsCreationToTheLastBind(t *testing.T) {
	began := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	gangs := audit.Times([]audit.Gang{
		replayed(began, "at-once", []float64{1, 2}, []float64{1.5, 2}, nil),
		replayed(began, "later", []float64{1, 3}, []float64{4, 7}, nil),
		replayed(began, "half", []float64{2, 2}, []float64{5}, nil), // waits until the end
		replayed(began, "never", []float64{6}, nil, nil),
	})
	w := waits(gangs, began.Add(12*time.Second))
	if w.Gangs != 4 || w.Started != 2 || w.Mean != (0+4+10+6)/4. || w.P50 != 6 || w.Max != 10 {
		t.Errorf("they come to %+v", w)
	}
	if none := waits(nil, began); none != (Waits{}) {
		t.Errorf("no gangs come to %+v", none)
	}
}

func TestAReplayTellsOfLargeGangsAndOfTheEnd(t *testing.T) {
	began := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := scenario.Scenario{Name: "trace/2869ce", Mode: scenario.Trace, Nodes: 11, Seconds: 120}
	arrivals := s.Arrivals()
	large := arrivals[slices.IndexFunc(arrivals, scenario.Arrival.Large)]
	small := arrivals[slices.IndexFunc(arrivals, func(a scenario.Arrival) bool { return !a.Large() })]
	tl := &audit.Timeline{End: began.Add(200 * time.Second)}
	var r Result
	m := &measured{Trial: Trial{Scenario: s}, result: &r, began: began}
	m.judgeReplay(tl, []audit.Gang{
		replayed(began, large.Name, []float64{10, 10}, []float64{14, 15}, []float64{16, 17}),
		replayed(began, small.Name, []float64{20, 20}, []float64{21, 21}, []float64{30}), // of which one fails to end
	})
	got := r.Replay
	if got.All.Gangs != 2 || got.All.Started != 2 || got.All.Mean != 3 || got.Large.Gangs != 1 || got.Large.Mean != 5 || got.Large.Max != 5 {
		t.Errorf("waits: %+v and %+v", got.All, got.Large)
	}
	if got.Finished != 1 || got.Makespan != 17 {
		t.Errorf("%d have finished, the last after %g s", got.Finished, got.Makespan)
	}
}

// TestASmallReplay has the first gangs of a trace come to a node that has room for one of
// them at a time.
func TestASmallReplay(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a cluster: not with -short")
	}
	s := scenario.Scenario{Name: "trace-declared/2869ce", Mode: scenario.Trace, Nodes: 1, Seconds: 3, Declared: true}
	r, n := run(t, s).Replay, len(s.Arrivals())
	if r == nil || n < 2 || r.All.Gangs != n || r.All.Started != n || r.Finished != n {
		t.Fatalf("of %d gangs it came to %+v", n, r)
	}
	// That the last comes before any has started is possible.
	if r.Utilisation < 0 || r.Utilisation > 1 || r.All.Max <= 0 || r.All.Max >= r.Makespan || r.All.Mean > r.All.Max {
		t.Errorf("it came to %+v", r)
	}
}
