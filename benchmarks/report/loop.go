package report

import (
	"cmp"
	"fmt"
	"slices"

	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/benchmarks/trial"
)

// LoopRow is a scenario of Muster's loop alone. Numbers are over its rounds that
// did not fail, in microseconds of CPU time per pod.
type LoopRow struct {
	Scenario scenario.Scenario `json:"scenario"`
	Rounds   int               `json:"rounds"`
	// Failed says why rounds have failed, a sentence each.
	Failed []string `json:"failed,omitempty"`
	// Unfit is how many rounds ran on a busy machine.
	Unfit int `json:"unfit,omitempty"`

	Loop    Spread `json:"loopMicrosPerPod"`
	Process Spread `json:"processMicrosPerPod"`
	// LoopRatio and ProcessRatio are to the same scenario with nothing held; zero
	// where there is none.
	LoopRatio    float64 `json:"loopRatio,omitempty"`
	ProcessRatio float64 `json:"processRatio,omitempty"`

	Span       Spread  `json:"span"`
	PeakMemory int64   `json:"peakMemory"`
	Writes     float64 `json:"writesPerGang"`
}

// loopRows makes a row of each scenario of the loop.
func loopRows(results []trial.Result) []LoopRow {
	rounds := map[scenario.Scenario][]trial.Result{}
	for _, r := range results {
		if r.Scenario.Mode == scenario.Loop {
			rounds[r.Scenario] = append(rounds[r.Scenario], r)
		}
	}
	rows := make([]LoopRow, 0, len(rounds))
	for s, list := range rounds {
		rows = append(rows, loopRow(s, list))
	}
	slices.SortFunc(rows, func(a, b LoopRow) int {
		return cmp.Or(
			cmp.Compare(a.Scenario.Nodes, b.Scenario.Nodes), cmp.Compare(a.Scenario.Held, b.Scenario.Held),
			cmp.Compare(a.Scenario.Name, b.Scenario.Name))
	})
	compareLoops(rows)
	return rows
}

func loopRow(s scenario.Scenario, rounds []trial.Result) LoopRow {
	r := LoopRow{Scenario: s, Rounds: len(rounds)}
	var good []trial.Result
	good, r.Failed, r.Unfit = sift(rounds)
	if len(good) == 0 {
		return r
	}
	r.Loop = spreadOf(good, func(t trial.Result) float64 { return t.LoopCPU })
	r.Process = spreadOf(good, func(t trial.Result) float64 { return t.ProcessCPU })
	r.Span = spreadOf(good, func(t trial.Result) float64 { return t.Span })
	r.PeakMemory = int64(spreadOf(good, func(t trial.Result) float64 { return float64(t.Scheduler.PeakMemory) }).Median)
	r.Writes = spreadOf(good, func(t trial.Result) float64 { return t.Writes }).Median
	return r
}

// compareLoops sets the ratios of rows.
func compareLoops(rows []LoopRow) {
	for i := range rows {
		row := &rows[i]
		if row.Scenario.Held == 0 || row.Process.Median == 0 {
			continue
		}
		for _, free := range rows {
			a, b := free.Scenario, row.Scenario
			if a.Held == 0 && a.Gangs == b.Gangs && a.Size == b.Size && a.Nodes == b.Nodes && free.Process.Median > 0 && free.Loop.Median > 0 {
				row.LoopRatio, row.ProcessRatio = row.Loop.Median/free.Loop.Median, row.Process.Median/free.Process.Median
			}
		}
	}
}

// loopHeads are the columns of the table of loops.
var loopHeads = []string{
	"scenario", "rounds", "loop CPU/pod", "spread", "× none held", "process CPU/pod", "spread", "× none held", "last bind", "memory", "writes/gang",
}

// Cells are the row's, as the columns have them.
func (r LoopRow) Cells() []string {
	out := []string{fmt.Sprintf("%s on %d nodes", r.Scenario.Name, r.Scenario.Nodes), fmt.Sprint(r.Rounds)}
	if r.Process.Median == 0 {
		return append(out, "failed", "", "", "", "", "", "", "", "")
	}
	micros := func(s Spread) []string {
		return []string{fmt.Sprintf("%.0f µs", s.Median), fmt.Sprintf("%.0f–%.0f", s.Min, s.Max)}
	}
	out = append(append(out, micros(r.Loop)...), ratio(r.LoopRatio))
	out = append(append(out, micros(r.Process)...), ratio(r.ProcessRatio))
	return append(out, fmt.Sprintf("%.2f s", r.Span.Median), fmt.Sprintf("%d MiB", r.PeakMemory>>20), fmt.Sprintf("%.1f", r.Writes))
}
