package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"muster.sh/muster/benchmarks/loop"
	"muster.sh/muster/benchmarks/meter"
)

// loop has a process of its own measure Muster's loop alone.
func (t Trial) loop(ctx context.Context, r Result) (Result, error) {
	if err := os.MkdirAll(t.Logs, 0o755); err != nil {
		return r, fmt.Errorf("make the folder of logs: %w", err)
	}
	profile := filepath.Join(t.Logs, t.name()+".pprof")
	f, err := t.measureLoop(ctx, loop.Order{Scenario: t.Scenario, Timeout: t.Timeout, Profile: profile})
	if err != nil {
		return r, err
	}
	r.takeLoop(f)
	return r, nil
}

// measureLoop starts the process. Its log is kept beside the profile.
func (t Trial) measureLoop(ctx context.Context, o loop.Order) (loop.Figures, error) {
	var f loop.Figures
	self, err := os.Executable()
	if err != nil {
		return f, fmt.Errorf("find this program: %w", err)
	}
	order, err := json.Marshal(o)
	if err != nil {
		return f, fmt.Errorf("order a run of the loop: %w", err)
	}
	path := filepath.Join(t.Logs, t.name()+".log")
	log, err := os.Create(path)
	if err != nil {
		return f, fmt.Errorf("make the log of the loop: %w", err)
	}
	defer log.Close()
	var out bytes.Buffer
	process := exec.CommandContext(ctx, self, loop.Command)
	process.Stdin, process.Stdout, process.Stderr, process.Env = bytes.NewReader(order), &out, log, plainEnvironment()
	if err := process.Run(); err != nil {
		return f, fmt.Errorf("run the loop (its log is %s): %w", path, err)
	}
	if err := json.Unmarshal(out.Bytes(), &f); err != nil {
		return f, fmt.Errorf("read the figures of the loop: %w", err)
	}
	return f, nil
}

// plainEnvironment is this process's, without what changes how Go collects
// garbage: muster-scheduler runs with Go's defaults.
func plainEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "GOGC=") || strings.HasPrefix(v, "GOMEMLIMIT=") || strings.HasPrefix(v, "GODEBUG=")
	})
}

// takeLoop takes the figures of the loop over. What it did wrong makes it none.
func (r *Result) takeLoop(f loop.Figures) {
	pods, gangs := float64(r.Scenario.Pods()), float64(r.Scenario.Gangs)
	r.LoopCPU, r.ProcessCPU = 1e6*f.LoopCPU.Seconds()/pods, 1e6*f.ProcessCPU.Seconds()/pods
	r.Scheduler = meter.Cost{CPU: f.ProcessCPU, PeakMemory: f.PeakMemory}
	r.Costs["muster"] = r.Scheduler
	r.Binds, r.Bound = f.Binds, len(f.Binds)
	slices.Sort(r.Binds)
	if r.Bound > 0 {
		r.Span = r.Binds[r.Bound-1]
	}
	r.Writes, r.Events = float64(f.Patches+f.Events)/gangs, float64(f.Events)/gangs
	r.PodLatency = distribution(r.Binds)
	r.Failed, r.Faults = f.Failed, f.Faults
	if r.Failed == "" && len(r.Faults) > 0 {
		r.Failed = fmt.Sprintf("%d faults, the first: %s", len(r.Faults), r.Faults[0])
	}
	r.takeShare(f.ProcessCPU, f.Machine)
}
