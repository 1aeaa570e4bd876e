package trial

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/benchmarks/meter"
	"muster.sh/muster/benchmarks/scenario"
)

// Result is what one run has come to. Times are in seconds, from the moment at
// which the scheduler was started or, where pods are created while it runs, from
// the first pod's creation.
type Result struct {
	Scenario  scenario.Scenario `json:"scenario"`
	Contender string            `json:"contender"`
	Round     int               `json:"round"`
	At        time.Time         `json:"at"`

	// Failed says why the run is none, in a sentence; empty if all is well.
	Failed string `json:"failed,omitempty"`
	// Unfit says why its times mean little though it went well.
	Unfit string `json:"unfit,omitempty"`

	// Processes are all components of the cluster, the scheduler's too.
	Processes []Process `json:"processes"`

	Bound int `json:"bound"`
	// Finished applications of a burst.
	Finished int `json:"finished,omitempty"`
	// Span is the time to the last bind.
	Span float64 `json:"span"`
	// Binds are the times of all binds, in order.
	Binds []float64 `json:"binds,omitempty"`
	// PodLatency and GangLatency are from creation, or from the scheduler's start
	// if that was later, to the bind: of each pod, and of the last of each gang's
	// minimum.
	PodLatency  Distribution `json:"podLatency"`
	GangLatency Distribution `json:"gangLatency"`
	// GangLatencies are those of all gangs, in order.
	GangLatencies []float64 `json:"gangLatencies,omitempty"`

	// Ready is when the scheduler, which was started, said that it was ready.
	Ready float64 `json:"ready,omitempty"`
	// ReadyCPU and FirstCPU are what it had used by then, and when the first pod was bound
	// after a Restart.
	ReadyCPU time.Duration `json:"readyCPU,omitempty"`
	FirstCPU time.Duration `json:"firstCPU,omitempty"`
	// Rate is how many pods of a stream were bound in a second.
	Rate float64 `json:"rate,omitempty"`
	// Repeats is how often the scheduler wrote, or told by an event, again of what belongs
	// to gangs that are held, while others were bound.
	Repeats int `json:"repeatedWrites,omitempty"`

	// Contest is what came of contention.
	Contest *Contest `json:"contest,omitempty"`

	// Replay is what came of a trace.
	Replay *Replay `json:"replay,omitempty"`

	// Costs are of each component in the measured time.
	Costs map[string]meter.Cost `json:"costs"`
	// Scheduler is the sum of the contender's own processes.
	Scheduler meter.Cost `json:"scheduler"`
	// Start is the CPU time that it takes the contender to start and to read all
	// nodes, where that is a part of the measured time.
	Start time.Duration `json:"start,omitempty"`
	// LoopCPU and ProcessCPU are what the loop alone costs, in microseconds of CPU
	// time per pod that was bound; package loop says what belongs to each.
	LoopCPU    float64 `json:"loopMicrosPerPod,omitempty"`
	ProcessCPU float64 `json:"processMicrosPerPod,omitempty"`
	// Share is the part of the machine's work that the cluster and the load did.
	Share float64 `json:"share"`

	Writes        float64  `json:"writesPerGang"` // but for one bind per pod
	Events        float64  `json:"eventsPerGang"`
	Stranded      int      `json:"stranded"`
	StrandedGangS float64  `json:"strandedGangSeconds"`
	OverCommitted int      `json:"overCommitted"`
	StolenRoom    int      `json:"stolenRoom"`
	Faults        []string `json:"faults,omitempty"`
}

// Process is how a component was started.
type Process struct {
	Name string `json:"name"`
	// Own is set where it is one of the contender's.
	Own bool `json:"own,omitempty"`
	// Command is its command line; the cluster's folder is DIR in it.
	Command []string `json:"command"`
	// Config is the content of its configuration file, if it has one.
	Config string `json:"config,omitempty"`
}

// Distribution is that of some times.
type Distribution struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// distribution of sorted times.
func distribution(sorted []float64) Distribution {
	if len(sorted) == 0 {
		return Distribution{}
	}
	at := func(part float64) float64 { return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)] }
	return Distribution{P50: at(.5), P90: at(.9), P99: at(.99), Max: sorted[len(sorted)-1]}
}

// take takes the auditors' verdict over; blind says that what becomes of gangs is
// nobody's fault.
func (r *Result) take(v *audit.Verdict, blind bool) {
	if blind {
		v.Findings = slices.DeleteFunc(v.Findings, func(f audit.Finding) bool { return f.Kind == audit.Stranded })
	}
	for _, f := range v.Faults() {
		r.Faults = append(r.Faults, fmt.Sprintf("%s %s: %s", f.Kind, f.Object, f.Detail))
	}
	r.Stranded, r.OverCommitted, r.StolenRoom = len(v.Of(audit.Stranded)), len(v.Of(audit.OverCommitted)), len(v.Of(audit.Stolen))
	r.StrandedGangS = audit.Lasted(v.Of(audit.Stranded)).Seconds()
}

// Write keeps a result in a file.
func (r *Result) Write(path string) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep a result: %w", err)
	}
	// The file appears whole, so that a run which was killed is run again.
	if err := os.WriteFile(path+".part", data, 0o644); err != nil {
		return fmt.Errorf("keep a result: %w", err)
	}
	return os.Rename(path+".part", path)
}

// Read reads what Write has kept.
func Read(path string) (Result, error) {
	var r Result
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read the result %s: %w", path, err)
	}
	return r, nil
}
