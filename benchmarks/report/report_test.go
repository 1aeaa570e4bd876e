package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster.sh/muster/benchmarks/meter"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/benchmarks/trial"
)

var four = scenario.Scenario{Name: "pre-created/2x2", Mode: scenario.PreCreated, Gangs: 2, Size: 2, Nodes: 10}

// result is a run in which pods were bound one second apart, the last at span.
func result(contender string, round int, span float64) trial.Result {
	r := trial.Result{
		Scenario: four, Contender: contender, Round: round, Bound: 4, Span: span,
		GangLatencies: []float64{span - .2, span},
		Processes: []trial.Process{
			{Name: "scheduler", Own: true, Command: []string{contender, "--qps=7"}, Config: "kind: Its"},
			{Name: "etcd", Command: []string{"etcd", "--quota=3"}},
		},
		Scheduler: meter.Cost{CPU: 8 * time.Millisecond, PeakMemory: 64 << 20},
		Costs: map[string]meter.Cost{
			"scheduler": {CPU: 8 * time.Millisecond}, "etcd": {CPU: 20 * time.Millisecond},
		},
	}
	for i := range 4 {
		r.Binds = append(r.Binds, span-float64(3-i)/10)
	}
	return r
}

func failed(contender string, round int) trial.Result {
	r := result(contender, round, 0)
	r.Failed, r.Bound, r.Binds = "1 of 4 pods are bound after 10m0s", 1, r.Binds[:1]
	r.Stranded = 1
	return r
}

func TestSchedulersAreComparedByTheirMedians(t *testing.T) {
	report := New([]trial.Result{
		result("floor", 1, 2), result("floor", 2, 1), result("floor", 3, 9),
		result("muster", 1, 3), result("muster", 2, 2.5), failed("muster", 3),
		result("coscheduling", 1, 5), failed("kube-scheduler-gang", 1),
	})
	if len(report.Tables) != 1 {
		t.Fatalf("%d tables", len(report.Tables))
	}
	rows := map[string]Row{}
	for _, row := range report.Tables[0].Rows {
		rows[row.Contender] = row
	}
	if floor := rows["floor"]; floor.Span != (Spread{Median: 2, Min: 1, Max: 9}) || floor.Floor != 0 {
		t.Errorf("the floor: %+v", floor)
	}
	muster := rows["muster"]
	if muster.Span.Median != 2.75 || muster.Floor != 2.75/2 || muster.Peer != 2.75/5 || muster.Rounds != 3 || len(muster.Failed) != 1 || muster.Stranded != 1 {
		t.Errorf("muster: %+v", muster)
	}
	if len(muster.CPU) != 1 || muster.CPU["etcd"] != 5 {
		t.Errorf("the cluster's costs by component: %v", muster.CPU)
	}
	if muster.SchedulerCPU != 2 || muster.ClusterCPU != 5 || muster.PeakMemory != 64<<20 {
		t.Errorf("muster's costs: %+v", muster)
	}
	if cos := rows["coscheduling"]; cos.Floor != 2.5 || cos.Peer != 5/2.75 {
		t.Errorf("the floor is no peer: %+v", cos)
	}
	if native := rows["kube-scheduler-gang"]; native.Span.Median != 0 || native.Floor != 0 || len(native.Failed) != 1 {
		t.Errorf("one that always fails has no ratio: %+v", native)
	}
}

func TestTheReportIsReadFromTheResultsAndWrittenBesideThem(t *testing.T) {
	dir := t.TempDir()
	for _, r := range []trial.Result{result("floor", 1, 2), result("muster", 1, 3), failed("kube-scheduler-gang", 1)} {
		if err := r.Write(filepath.Join(dir, r.Contender+".json")); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the report itself is no result
		results, err := Load(dir)
		if err != nil || len(results) != 3 {
			t.Fatalf("%d results, %v", len(results), err)
		}
		r := New(results)
		if err := r.Write(dir); err != nil {
			t.Fatal(err)
		}
		if err := r.WritePage(dir, results); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"pre-created/2x2", "<svg", "3.00", "1.50", "1 of 4 pods are bound after 10m0s", "--qps=7", "kind: Its", "--quota=3"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if images, _ := filepath.Glob(filepath.Join(dir, "*.png")); len(images) != 2 { // binds and latencies
		t.Errorf("images %v", images)
	}
}

func TestAnEmptyFolderSaysHowToFillIt(t *testing.T) {
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "muster-bench run") {
		t.Errorf("got %v", err)
	}
}

func TestALineSaysWhatMatters(t *testing.T) {
	busy := result("muster", 1, 3)
	busy.Unfit = "only 50 % of the machine's work was the run's own"
	for want, r := range map[string]trial.Result{
		"3.0 s, 2.00 ms scheduler CPU per pod":                 result("muster", 1, 3),
		"FAILED: 1 of 4 pods are bound after 10m0s":            failed("muster", 1),
		"(busy machine: only 50 % of the machine's work was t": busy,
	} {
		if got := Line(r); !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

func TestGrowthIsDrawnOverTheNodes(t *testing.T) {
	var results []trial.Result
	for _, nodes := range []int{500, 1000} {
		r := result("muster", 1, 3)
		r.Scenario = scenario.Scenario{Name: fmt.Sprintf("growth/%d-nodes", nodes), Mode: scenario.PreCreated, Gangs: 2, Size: 2, Nodes: nodes}
		results = append(results, r)
	}
	for n, want := range map[int]bool{1: false, 2: true} {
		drawn, err := New(results[:n]).growth()
		if err != nil || (drawn != nil) != want {
			t.Errorf("of %d sizes something is drawn: %t, %v", n, drawn != nil, err)
		}
	}
}
