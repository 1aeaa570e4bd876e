package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster.sh/muster/benchmarks/meter"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/benchmarks/trial"
)

// streamed is a round of a stream beside so many gangs that are held.
func streamed(contender string, held, round int, rate float64) trial.Result {
	s := scenario.Scenario{Mode: scenario.Stream, Gangs: 2, Size: 2, Nodes: 10, Seconds: 5}.Holding(held)
	return trial.Result{
		Scenario: s, Contender: contender, Round: round, Rate: rate, Bound: int(5 * rate), Repeats: held,
		Scheduler: meter.Cost{CPU: time.Duration(rate * float64(10*time.Millisecond)), PeakMemory: 64 << 20},
	}
}

// rowOf is the row of a scheduler in a scenario, by its name on ten nodes.
func rowOf(t *testing.T, g Grid, name, contender string) []string {
	t.Helper()
	i := slices.IndexFunc(g.Rows, func(row []string) bool { return row[0] == name+" on 10 nodes" && row[1] == contender })
	if i < 0 {
		t.Fatalf("%s has no row of %s: %q", g.Title, contender, g.Rows)
	}
	if len(g.Rows[i]) != len(g.Heads) {
		t.Fatalf("a row has %d cells and the grid %d columns", len(g.Rows[i]), len(g.Heads))
	}
	return g.Rows[i]
}

func TestAStreamIsComparedWithTheSameAlone(t *testing.T) {
	failed := streamed("kueue", 3, 1, 0)
	failed.Failed = "it was too slow"
	r := New([]trial.Result{
		streamed("muster", 0, 1, 100), streamed("muster", 0, 2, 120), streamed("muster", 3, 1, 99),
		streamed("kueue", 0, 1, 40), failed, streamed("coscheduling", 3, 1, 50), result("muster", 1, 3),
	})
	if len(r.Tables) != 1 || len(r.Grids) != 1 {
		t.Fatalf("%d tables, %d grids", len(r.Tables), len(r.Grids))
	}
	g := r.Grids[0]
	for _, c := range []struct{ name, contender, bound, ratio, cpu, repeats string }{
		{"held/0x2", "muster", "110.0", "–", "1.1 s", "0"},
		{"held/3x2", "muster", "99.0", "0.90", "1.0 s", "3"},
		{"held/3x2", "coscheduling", "50.0", "–", "0.5 s", "3"},
		{"held/3x2", "kueue", "failed", "", "", ""},
	} {
		row := rowOf(t, g, c.name, c.contender)
		if row[3] != c.bound || row[5] != c.ratio || row[6] != c.cpu || row[9] != c.repeats {
			t.Errorf("%s of %s: %q", c.name, c.contender, row)
		}
	}
	if want := []string{"held/3x2, kueue failed, round 1: it was too slow"}; !slices.Equal(g.Notes, want) {
		t.Errorf("it notes %q", g.Notes)
	}
}

func TestAGridIsInTheTextAndOnThePage(t *testing.T) {
	results := []trial.Result{streamed("muster", 0, 1, 100), streamed("muster", 3, 1, 99)}
	r, dir := New(results), t.TempDir()
	var text bytes.Buffer
	if err := r.Render(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.WritePage(dir, results); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{text.String(), string(page)} {
		for _, want := range []string{"Gangs that are held", "held/3x2 on 10 nodes", "0.99"} {
			if !strings.Contains(shown, want) {
				t.Errorf("it lacks %q:\n%s", want, shown)
			}
		}
	}
}

func TestAContestSaysWhoCannotTakePart(t *testing.T) {
	contested := func(name, contender string, waited, used float64) trial.Result {
		return trial.Result{
			Scenario:  scenario.Scenario{Name: name, Mode: scenario.Contention, Nodes: 10, Seconds: 60},
			Contender: contender, Round: 1, StrandedGangS: 1.5, Scheduler: meter.Cost{CPU: 2 * time.Second},
			Contest: &trial.Contest{
				Waited: trial.Distribution{P50: waited / 2, Max: waited}, Awaited: 3, Started: 2, Finished: 4, Gangs: 9,
				Utilisation: used, EvictedPods: 8, EvictedS: 33,
			},
		}
	}
	g := New([]trial.Result{
		contested("contention/tenants", "muster", 4, .9), contested("contention/large", "muster", 20, .8),
		contested("contention/large", "coscheduling", 80, .7),
	}).Grids[0]
	want := []string{
		"contention/large on 10 nodes", "coscheduling", "1", "2 of 3", "40.0 s", "80.0 s", "70 %", "8", "33", "1.5", "4 of 9", "2.0 s",
	}
	if row := rowOf(t, g, "contention/large", "coscheduling"); !slices.Equal(row, want) {
		t.Errorf("got  %q\nwant %q", row, want)
	}
	if row := rowOf(t, g, "contention/tenants", "coscheduling"); row[3] != "has no queues of tenants" {
		t.Errorf("%q", row)
	}
	if len(g.Rows) != 4 {
		t.Errorf("the rows are %q", g.Rows)
	}
}

func TestARestartIsTimedFromTheStartAndFromWhenItIsReady(t *testing.T) {
	r := result("muster", 1, 9)
	r.Scenario = scenario.Scenario{Name: "restart/10-nodes", Mode: scenario.Restart, Gangs: 2, Size: 2, Nodes: 10, Running: 40}
	r.Ready, r.Binds = 3, []float64{4.5, 6, 7, 9}
	r.ReadyCPU, r.FirstCPU = 2*time.Second, 2700*time.Millisecond
	want := []string{"restart/10-nodes on 10 nodes", "muster", "1", "3.0 s", "1.5 s", "0.7 s", "4.5 s", "9.0 s", "64 MiB", "0.0 s"}
	if row := rowOf(t, New([]trial.Result{r}).Grids[0], "restart/10-nodes", "muster"); !slices.Equal(row, want) {
		t.Errorf("got  %q\nwant %q", row, want)
	}
}

// replayed is a round of a trace in which gangs waited so long on average.
func replayed(name, contender string, mean float64) trial.Result {
	return trial.Result{
		Scenario:  scenario.Scenario{Name: name, Mode: scenario.Trace, Nodes: 10, Seconds: 120, Declared: strings.HasPrefix(name, "trace-declared/")},
		Contender: contender, Round: 1, StrandedGangS: 2.5, Scheduler: meter.Cost{CPU: 3 * time.Second},
		Replay: &trial.Replay{
			All:      trial.Waits{Gangs: 7, Started: 7, Mean: mean, Distribution: trial.Distribution{P50: 1, P99: 9}},
			Large:    trial.Waits{Gangs: 2, Started: 2, Mean: 6, Distribution: trial.Distribution{P50: 5, P99: 8}},
			Finished: 6, Utilisation: .84, Makespan: 151,
		},
	}
}

func TestATraceTellsOfWaitsAndStandsBesideTheSameDeclared(t *testing.T) {
	failed := replayed("trace/e13805", "kueue", 0)
	failed.Failed, failed.Replay = "it was too slow", nil
	results := []trial.Result{
		replayed("trace-declared/e13805", "muster", 2), replayed("trace-declared/2869ce", "muster", 2),
		replayed("trace/e13805", "muster", 3), replayed("trace/2869ce", "muster", 3), replayed("trace/e13805", "coscheduling", 4), failed,
	}
	g := New(results).Grids[0]
	offered := fmt.Sprintf("%.0f %%", 100*results[0].Scenario.Offered())
	want := []string{
		"trace/e13805 on 10 nodes", "coscheduling", "1", offered, "4.0 s", "1.0 s", "9.0 s", "6.0 s", "8.0 s", "84 %", "151.0 s", "2.5", "6 of 7", "3.0 s",
	}
	if row := rowOf(t, g, "trace/e13805", "coscheduling"); !slices.Equal(row, want) {
		t.Errorf("got  %q\nwant %q", row, want)
	}
	if row := rowOf(t, g, "trace/e13805", "kueue"); row[3] != offered || row[4] != "failed" {
		t.Errorf("%q", row)
	}
	var names []string
	for _, row := range g.Rows {
		names = append(names, strings.TrimSuffix(row[0], " on 10 nodes")+" "+row[1])
	}
	inOrder := []string{
		"trace/2869ce muster", "trace-declared/2869ce muster",
		"trace/e13805 muster", "trace/e13805 coscheduling", "trace/e13805 kueue", "trace-declared/e13805 muster",
	}
	if !slices.Equal(names, inOrder) {
		t.Errorf("the rows are %q", names)
	}
	if line := Line(results[0]); !strings.Contains(line, "waited 2.0 s on average, 9.0 s at p99; 84 % of GPUs used, 6 of 7 gangs finished") {
		t.Errorf("the line is %q", line)
	}
}
