package report

import (
	"bytes"
	"strings"
	"testing"

	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/benchmarks/trial"
)

// loopResult is a run of the loop with so many pods held.
func loopResult(held, round int, loop, process float64) trial.Result {
	s := scenario.Scenario{Name: "loop/2x2", Mode: scenario.Loop, Gangs: 2, Size: 2, Nodes: 10, Held: held}
	if held > 0 {
		s.Name += "-held"
	}
	return trial.Result{Scenario: s, Contender: "muster", Round: round, Bound: 4, Span: 2, LoopCPU: loop, ProcessCPU: process}
}

func TestLoopsHaveATableOfTheirOwn(t *testing.T) {
	failed := loopResult(4, 3, 0, 0)
	failed.Failed = "1 faults, the first: pod p was bound 2 times"
	results := []trial.Result{
		loopResult(4, 1, 104, 210), loopResult(4, 2, 104, 210), failed,
		loopResult(0, 1, 90, 190), loopResult(0, 2, 100, 200), loopResult(0, 3, 120, 220),
		result("muster", 1, 3),
	}
	r := New(results)
	if len(r.Tables) != 1 || len(r.Loops) != 2 {
		t.Fatalf("%d tables, %d loops", len(r.Tables), len(r.Loops))
	}
	free, held := r.Loops[0], r.Loops[1]
	if free.Loop != (Spread{Median: 100, Min: 90, Max: 120}) || free.ProcessRatio != 0 {
		t.Errorf("nothing held: %+v", free)
	}
	if held.LoopRatio != 1.04 || held.ProcessRatio != 1.05 || held.Rounds != 3 || len(held.Failed) != 1 {
		t.Errorf("some held: %+v", held)
	}
	var text bytes.Buffer
	if err := r.Render(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"loop/2x2-held on 10 nodes", "104 µs", "1.05", "loop/2x2-held failed, round 3: 1 faults"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, text.String())
		}
	}
	if got := Line(results[0]); !strings.Contains(got, "104 µs loop CPU and 210 µs process CPU per pod") {
		t.Errorf("the line is %q", got)
	}
}
