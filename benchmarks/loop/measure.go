package loop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	volcanov1beta1 "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/benchmarks/memory"
	"muster.sh/muster/benchmarks/meter"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/scheduler/run"
)

// Order is what is to be measured.
type Order struct {
	Scenario scenario.Scenario `json:"scenario"`
	// Timeout bounds the time from the moment at which the loop is let go.
	Timeout time.Duration `json:"timeout"`
	// Profile is the file in which the CPU profile is kept; empty: in none.
	Profile string `json:"profile,omitempty"`
}

// Figures are what came of it.
type Figures struct {
	// Start is the CPU time until the loop is let go, which is in no other figure.
	Start time.Duration `json:"start"`
	// ProcessCPU is the CPU time of the whole process after that, LoopCPU the part
	// of it in which it decided.
	ProcessCPU time.Duration `json:"processCPU"`
	LoopCPU    time.Duration `json:"loopCPU"`
	// Samples are those of the profile that tells the one from the other.
	Samples int64 `json:"samples"`
	// Machine is the CPU time of all processes of the machine in the same time.
	Machine    time.Duration `json:"machine"`
	PeakMemory int64         `json:"peakMemory"`
	// Binds are the times in seconds from the moment at which it was let go.
	Binds  []float64 `json:"binds"`
	Events int       `json:"events"`
	// Patches are writes of a status.
	Patches int `json:"patches"`
	// Failed says why it did not come to its end, Faults what it did wrong.
	Failed string   `json:"failed,omitempty"`
	Faults []string `json:"faults,omitempty"`
}

// Measure runs the scheduler in this process until it has done its work. It is
// done once in the life of a process whose figures are to be compared.
func Measure(ctx context.Context, o Order) (Figures, error) {
	exist, err := newObjects(o.Scenario)
	if err != nil {
		return Figures{}, err
	}
	api, err := memory.New(exist.nodes, exist.pods, exist.groups)
	if err != nil {
		return Figures{}, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	m := &measured{Order: o, api: api, exist: exist, ended: ended, ready: make(chan struct{}), let: make(chan struct{})}
	begin := func() {
		close(m.ready)
		select {
		case <-m.let:
		case <-running.Done():
		}
	}
	go func() {
		ended <- run.RunOn(running, config.NewSchedulerConfiguration(), run.Clients{Kubernetes: api.Kubernetes(), Dynamic: api.Dynamic()}, begin)
	}()
	f, err := m.measure(ctx)
	stop()
	if m.over {
		return f, err
	}
	return f, errors.Join(err, <-ended)
}

// measured is a scheduler that runs.
type measured struct {
	Order
	api   *memory.API
	exist *objects
	// ready is closed by the scheduler once it has taken up all that exists, let
	// to let it go.
	ready, let chan struct{}
	// ended gets the scheduler's error; over is set once it did.
	ended <-chan error
	over  bool
}

func (m *measured) measure(ctx context.Context) (Figures, error) {
	if err := m.await(ctx); err != nil {
		return Figures{}, err
	}
	var sampled bytes.Buffer
	if err := startProfile(&sampled); err != nil {
		return Figures{}, err
	}
	before, err := clocks()
	if err != nil {
		return Figures{}, err
	}
	began := time.Now()
	close(m.let)
	failed := m.work(ctx)
	after, err := clocks()
	stopProfile()
	if err != nil || ctx.Err() != nil {
		return Figures{}, errors.Join(err, ctx.Err())
	}
	f := Figures{Start: before.process, ProcessCPU: after.process - before.process, Machine: after.machine - before.machine, Faults: m.faults()}
	if failed != nil {
		f.Failed = failed.Error()
	}
	binds, _ := m.api.Binds()
	for _, b := range binds {
		f.Binds = append(f.Binds, b.At.Sub(began).Seconds())
	}
	f.Events, f.Patches = m.api.Writes()
	cost, err := meter.Process(os.Getpid())
	if err != nil {
		return f, err
	}
	f.PeakMemory = cost.PeakMemory
	return f, m.divide(&f, sampled.Bytes())
}

// await waits until the scheduler has taken up everything, and starts the measured
// time without its garbage.
func (m *measured) await(ctx context.Context) error {
	select {
	case <-m.ready:
	case err := <-m.ended:
		m.over = true
		return fmt.Errorf("the scheduler has ended at its start: %w", err)
	case <-ctx.Done():
		return ctx.Err()
	}
	runtime.GC()
	return nil
}

// work returns once every gang that can start says that all of its members run.
func (m *measured) work(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	running := map[string]bool{}
	for seen := 0; len(running) < m.Scenario.Gangs; {
		versions, more := m.api.GroupsAfter(seen)
		seen += len(versions)
		for _, group := range versions {
			if runs(group, m.Scenario.Size) {
				running[group.GetName()] = true
			}
		}
		if len(versions) > 0 {
			continue
		}
		select {
		case <-more:
		case err := <-m.ended:
			m.over = true
			return fmt.Errorf("the scheduler has ended: %w", err)
		case <-limited.Done():
			binds, _ := m.api.Binds()
			return fmt.Errorf("%d of %d pods are bound and %d of %d gangs run after %s", len(binds), m.Scenario.Pods(), len(running), m.Scenario.Gangs, m.Timeout)
		}
	}
	return nil
}

func runs(group *unstructured.Unstructured, size int) bool {
	phase, _, _ := unstructured.NestedString(group.Object, "status", "phase")
	members, _, _ := unstructured.NestedInt64(group.Object, "status", "running")
	return phase == string(volcanov1beta1.PodGroupRunning) && members >= int64(size)
}

// divide tells the loop's part of the process's CPU time.
func (m *measured) divide(f *Figures, sampled []byte) error {
	if m.Profile != "" {
		if err := os.WriteFile(m.Profile, sampled, 0o600); err != nil {
			return fmt.Errorf("keep the profile: %w", err)
		}
	}
	loop, all, err := count(sampled)
	if err != nil {
		return err
	}
	f.Samples = all
	if all > 0 {
		f.LoopCPU = time.Duration(float64(f.ProcessCPU) * float64(loop) / float64(all))
	}
	return nil
}
