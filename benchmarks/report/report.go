// Package report makes tables of the results of runs.
package report

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/benchmarks/trial"
)

// Report is what all runs in a folder have come to.
type Report struct {
	Tables []Table `json:"tables"`
	// Loops are Muster's loop alone, which nothing is compared with.
	Loops []LoopRow `json:"loops,omitempty"`
	// Grids are scenarios of which the last bind tells nothing.
	Grids []Grid `json:"grids,omitempty"`
}

// Table compares the schedulers that have done one scenario.
type Table struct {
	Scenario scenario.Scenario `json:"scenario"`
	Rows     []Row             `json:"rows"`
}

// Row is a scheduler in a table. Numbers are medians over its rounds that did not
// fail.
type Row struct {
	Contender string `json:"contender"`
	Rounds    int    `json:"rounds"`
	// Failed says why rounds have failed, a sentence each.
	Failed []string `json:"failed,omitempty"`
	// Unfit is how many rounds ran on a busy machine.
	Unfit int `json:"unfit,omitempty"`

	Span Spread `json:"span"`
	// Floor and Peer are the ratios to the floor's span and to that of the best
	// other scheduler; zero where there is none.
	Floor float64 `json:"floor,omitempty"`
	Peer  float64 `json:"peer,omitempty"`

	GangP50      float64 `json:"gangP50"`
	GangP99      float64 `json:"gangP99"`
	SchedulerCPU float64 `json:"schedulerMillisPerPod"` // without its start
	ClusterCPU   float64 `json:"clusterMillisPerPod"`   // of all else
	// CPU is ClusterCPU by component, in milliseconds per pod.
	CPU        map[string]float64 `json:"clusterMillisPerPodByComponent,omitempty"`
	PeakMemory int64              `json:"peakMemory"`
	Writes     float64            `json:"writesPerGang"`
	Events     float64            `json:"eventsPerGang"`
	Stranded   int                `json:"stranded"`      // the most in a round
	OverCommit int                `json:"overCommitted"` // the same
	StolenRoom int                `json:"stolenRoom"`
}

// Spread is a median with its extremes.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// Load reads all results in a folder.
func Load(dir string) ([]trial.Result, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var results []trial.Result
	for _, file := range files {
		if filepath.Base(file) == File {
			continue
		}
		r, err := trial.Read(file)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("%s has no results; muster-bench run --out %s makes some", dir, dir)
	}
	return results, nil
}

// New compares results.
func New(results []trial.Result) Report {
	type key struct {
		scenario  scenario.Scenario
		contender string
	}
	runs := map[key][]trial.Result{}
	r := Report{Tables: []Table{}, Loops: loopRows(results), Grids: grids(results)}
	for _, result := range results {
		if result.Scenario.Mode == scenario.Loop || inGrid(result.Scenario) {
			continue
		}
		k := key{result.Scenario, result.Contender}
		runs[k] = append(runs[k], result)
		if !slices.ContainsFunc(r.Tables, func(t Table) bool { return t.Scenario == result.Scenario }) {
			r.Tables = append(r.Tables, Table{Scenario: result.Scenario})
		}
	}
	slices.SortFunc(r.Tables, func(a, b Table) int {
		return cmp.Or(cmp.Compare(a.Scenario.Name, b.Scenario.Name), cmp.Compare(a.Scenario.Nodes, b.Scenario.Nodes))
	})
	for i := range r.Tables {
		t := &r.Tables[i]
		for _, c := range contender.All(contender.Folders{}) {
			if rounds := runs[key{t.Scenario, c.Name}]; len(rounds) > 0 {
				t.Rows = append(t.Rows, row(c.Name, rounds))
			}
		}
		t.compare()
	}
	return r
}

// sift tells rounds that went well from those that failed, with a sentence for each of
// these, and counts those on a busy machine.
func sift(rounds []trial.Result) (good []trial.Result, failed []string, unfit int) {
	for _, result := range rounds {
		if result.Failed != "" {
			failed = append(failed, fmt.Sprintf("round %d: %s", result.Round, result.Failed))
		} else {
			good = append(good, result)
		}
		if result.Unfit != "" {
			unfit++
		}
	}
	return good, failed, unfit
}

func row(name string, rounds []trial.Result) Row {
	r := Row{Contender: name, Rounds: len(rounds)}
	var good []trial.Result
	good, r.Failed, r.Unfit = sift(rounds)
	for _, result := range rounds {
		r.Stranded = max(r.Stranded, result.Stranded)
		r.OverCommit = max(r.OverCommit, result.OverCommitted)
		r.StolenRoom = max(r.StolenRoom, result.StolenRoom)
	}
	if len(good) == 0 {
		return r
	}
	of := func(value func(trial.Result) float64) Spread { return spreadOf(good, value) }
	pods := float64(good[0].Scenario.Pods())
	r.Span = of(func(t trial.Result) float64 { return t.Span })
	r.GangP50 = of(func(t trial.Result) float64 { return t.GangLatency.P50 }).Median
	r.GangP99 = of(func(t trial.Result) float64 { return t.GangLatency.P99 }).Median
	r.SchedulerCPU = of(func(t trial.Result) float64 { return 1000 * SchedulerCPU(t) / pods }).Median
	r.ClusterCPU = of(func(t trial.Result) float64 { return 1000 * clusterCPU(t) / pods }).Median
	r.CPU = map[string]float64{}
	for name := range good[0].Costs {
		if ownComponent(good[0], name) {
			continue
		}
		r.CPU[name] = of(func(t trial.Result) float64 { return 1000 * t.Costs[name].CPU.Seconds() / pods }).Median
	}
	r.PeakMemory = int64(of(func(t trial.Result) float64 { return float64(t.Scheduler.PeakMemory) }).Median)
	r.Writes = of(func(t trial.Result) float64 { return t.Writes }).Median
	r.Events = of(func(t trial.Result) float64 { return t.Events }).Median
	return r
}

// SchedulerCPU is how many seconds the scheduler has worked, without its start.
func SchedulerCPU(t trial.Result) float64 { return (t.Scheduler.CPU - t.Start).Seconds() }

// ownComponent tells whether a component is one of the scheduler's own.
func ownComponent(t trial.Result, name string) bool {
	return slices.ContainsFunc(t.Processes, func(p trial.Process) bool { return p.Own && p.Name == name })
}

func clusterCPU(t trial.Result) float64 {
	sum := -t.Scheduler.CPU.Seconds()
	for _, cost := range t.Costs {
		sum += cost.CPU.Seconds()
	}
	return sum
}

// spreadOf is that of a value over several runs.
func spreadOf(results []trial.Result, value func(trial.Result) float64) Spread {
	values := make([]float64, len(results))
	for i, result := range results {
		values[i] = value(result)
	}
	return spread(values)
}

func spread(values []float64) Spread {
	slices.Sort(values)
	n := len(values)
	return Spread{Median: (values[(n-1)/2] + values[n/2]) / 2, Min: values[0], Max: values[n-1]}
}

// compare sets the ratios of a table.
func (t *Table) compare() {
	for i := range t.Rows {
		row := &t.Rows[i]
		if row.Span.Median == 0 {
			continue
		}
		for _, other := range t.Rows {
			if other.Span.Median == 0 || other.Contender == row.Contender {
				continue
			}
			ratio := row.Span.Median / other.Span.Median
			if other.Contender == contender.Floor {
				row.Floor = ratio
			} else {
				row.Peer = max(row.Peer, ratio)
			}
		}
	}
}
