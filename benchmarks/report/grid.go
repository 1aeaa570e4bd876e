package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/benchmarks/trial"
)

// Grid is a table with figures of its own, for scenarios of one kind.
type Grid struct {
	Title string `json:"title"`
	// About says in a sentence or two what the figures mean.
	About string     `json:"about"`
	Heads []string   `json:"heads"`
	Rows  [][]string `json:"rows"`
	// Notes tell of rounds that failed or ran on a busy machine.
	Notes []string `json:"notes,omitempty"`
}

// kinds of grids, by the mode of their scenarios.
var kinds = []struct {
	mode scenario.Mode
	make func([]series) Grid
}{
	{scenario.Stream, streams},
	{scenario.Contention, contests},
	{scenario.Trace, replays},
	{scenario.Restart, restarts},
}

// inGrid tells whether a scenario has its figures in a grid.
func inGrid(s scenario.Scenario) bool {
	for _, k := range kinds {
		if k.mode == s.Mode {
			return true
		}
	}
	return false
}

// series are the rounds of one scheduler in one scenario.
type series struct {
	scenario  scenario.Scenario
	contender string
	all, good []trial.Result
}

// grids makes the grids for which there are results.
func grids(results []trial.Result) []Grid {
	var all []Grid
	for _, k := range kinds {
		list := seriesOf(k.mode, results)
		if len(list) == 0 {
			continue
		}
		g := k.make(list)
		for _, s := range list {
			g.Notes = append(g.Notes, s.notes()...)
		}
		all = append(all, g)
	}
	return all
}

// seriesOf sorts the results of a mode by scenario and, as reports do, by scheduler.
func seriesOf(mode scenario.Mode, results []trial.Result) []series {
	type key struct {
		scenario  scenario.Scenario
		contender string
	}
	rounds := map[key][]trial.Result{}
	for _, r := range results {
		if r.Scenario.Mode == mode {
			k := key{r.Scenario, r.Contender}
			rounds[k] = append(rounds[k], r)
		}
	}
	var list []series
	for k, all := range rounds {
		good, _, _ := sift(all)
		list = append(list, series{k.scenario, k.contender, all, good})
	}
	order := map[string]int{}
	for i, c := range contender.All(contender.Folders{}) {
		order[c.Name] = i
	}
	slices.SortFunc(list, func(a, b series) int {
		return cmp.Or(cmp.Compare(a.scenario.Nodes, b.scenario.Nodes), cmp.Compare(a.scenario.Held, b.scenario.Held),
			cmp.Compare(a.scenario.Name, b.scenario.Name), cmp.Compare(order[a.contender], order[b.contender]))
	})
	return list
}

// notes tell of rounds that went wrong.
func (s series) notes() []string {
	name := s.scenario.Name + ", " + s.contender
	var notes []string
	_, failed, unfit := sift(s.all)
	for _, why := range failed {
		notes = append(notes, fmt.Sprintf("%s failed, %s", name, why))
	}
	if unfit > 0 {
		notes = append(notes, fmt.Sprintf("%s: %d of %d rounds on a busy machine", name, unfit, len(s.all)))
	}
	faults := map[string]bool{}
	for _, r := range s.all {
		for _, f := range r.Faults {
			faults[f] = true
		}
	}
	if len(faults) > 0 {
		first := slices.Min(slices.Collect(maps.Keys(faults)))
		notes = append(notes, fmt.Sprintf("%s: %d faults, one of them: %s", name, len(faults), first))
	}
	return notes
}

// head begins a row.
func (s series) head() []string {
	return []string{fmt.Sprintf("%s on %d nodes", s.scenario.Name, s.scenario.Nodes), s.contender, fmt.Sprint(len(s.all))}
}

// of is the spread of a figure over the rounds that went well, of which there are some.
func (s series) of(value func(trial.Result) float64) Spread { return spreadOf(s.good, value) }

// render prints a grid as text.
func (g Grid) render(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n%s\n", g.Title, strings.Join(g.Heads, "\t"))
	for _, row := range g.Rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	for _, note := range g.Notes {
		fmt.Fprintln(w, note)
	}
}
