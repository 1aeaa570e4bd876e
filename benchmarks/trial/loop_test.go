package trial

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/loop"
	"muster.sh/muster/benchmarks/meter"
	"muster.sh/muster/benchmarks/scenario"
)

// TestMain lets this program be the process that measures the loop, as
// muster-bench is.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, loop.Command) {
		if err := loop.Run(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestALoopRunsInAProcessOfItsOwn(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole scheduler for some seconds: not with -short")
	}
	c, err := contender.Find("muster", contender.Folders{})
	if err != nil {
		t.Fatal(err)
	}
	logs := t.TempDir()
	r, err := Trial{
		Scenario:  scenario.Scenario{Name: "loop/test", Mode: scenario.Loop, Gangs: 10, Size: 5, Nodes: 20, Held: 50},
		Contender: c, Round: 1, Logs: logs, Timeout: time.Minute,
	}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Failed != "" || r.Bound != 50 || r.ProcessCPU <= 0 || r.Span <= 0 || r.Scheduler.CPU <= 0 {
		t.Errorf("%d bound in %g s at %g µs a pod, failed %q", r.Bound, r.Span, r.ProcessCPU, r.Failed)
	}
	for _, kept := range []string{"loop-test-muster-1.log", "loop-test-muster-1.pprof"} {
		if _, err := os.Stat(filepath.Join(logs, kept)); err != nil {
			t.Error(err)
		}
	}
}

func TestAFaultOfTheLoopIsAFailedRun(t *testing.T) {
	r := Result{Scenario: scenario.Scenario{Mode: scenario.Loop, Gangs: 2, Size: 2}, Costs: map[string]meter.Cost{}}
	r.takeLoop(loop.Figures{
		ProcessCPU: 800 * time.Microsecond, LoopCPU: 400 * time.Microsecond, Machine: time.Millisecond,
		Binds: []float64{2, 1, 3, 4}, Patches: 4, Events: 2, Faults: []string{"pod p was bound 2 times"},
	})
	if r.LoopCPU != 100 || r.ProcessCPU != 200 || r.Span != 4 || r.Writes != 3 || r.Events != 1 {
		t.Errorf("it came to %+v", r)
	}
	if r.Failed == "" || r.Unfit == "" {
		t.Errorf("failed %q, unfit %q", r.Failed, r.Unfit)
	}
}
