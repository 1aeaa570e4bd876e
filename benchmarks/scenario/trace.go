package scenario

import (
	"fmt"
	"strings"
	"time"

	"muster.sh/muster/benchmarks/trace"
)

// folded is what becomes of a trace: its six busiest weeks all at once, in two minutes.
// Pods run for at least as long as makes it worth to have started them, and for no more
// than half of the time.
var folded = trace.Fold{Spans: 6, Span: 7 * 24 * time.Hour, In: 2 * time.Minute, Least: time.Second, Most: time.Minute}

const (
	tracePrefix    = "trace/"
	declaredPrefix = "trace-declared/"
	// traceNodes are as many as have about as much GPU time as is asked for in either
	// trace.
	traceNodes = 11
)

// traces are replays of each cluster, in which gangs don't say, or say, how long they run.
func traces() []Scenario {
	var all []Scenario
	for _, declared := range []bool{false, true} {
		for _, cluster := range trace.Clusters() {
			s := Scenario{Name: tracePrefix + cluster, Mode: Trace, Nodes: traceNodes, Seconds: int(folded.In.Seconds()), Declared: declared}
			if declared {
				s.Name = declaredPrefix + cluster
			}
			all = append(all, s)
		}
	}
	return all
}

// Cluster is that of which a Trace is.
func (s Scenario) Cluster() string {
	_, cluster, _ := strings.Cut(s.Name, "/")
	return cluster
}

// replay lists the gangs of a trace. One of fewer Seconds is its beginning.
func (s Scenario) replay() []Arrival {
	jobs, err := trace.Of(s.Cluster())
	if err != nil {
		return nil // there is no such trace
	}
	var all []Arrival
	for i, j := range folded.Busiest(jobs) {
		if j.At >= time.Duration(s.Seconds)*time.Second {
			break
		}
		a := Arrival{At: j.At, Name: fmt.Sprintf("job-%04d", i), Runs: j.Runs}
		a.Size, a.GPUs = pods(j.GPUs)
		if s.Declared {
			a.Says = j.Runs
		}
		all = append(all, a)
	}
	return all
}

// pods are those of a job: one for each GPU or, where it has more of these than a node, one
// for each node that it needs, in equal parts.
func pods(gpus int) (size, each int) {
	if gpus <= NodeGPUs {
		return gpus, 1
	}
	size = (gpus + NodeGPUs - 1) / NodeGPUs
	return size, (gpus + size - 1) / size
}

// Large tells whether a gang needs several nodes.
func (a Arrival) Large() bool { return a.Size*a.GPUs > NodeGPUs }

// Offered is the GPU time that the gangs of a Trace ask for while they come, as a part of
// what there is.
func (s Scenario) Offered() float64 {
	var asked time.Duration
	for _, a := range s.replay() {
		asked += time.Duration(a.Size*a.GPUs) * a.Runs
	}
	return asked.Seconds() / float64(s.Nodes*NodeGPUs*s.Seconds)
}

// replayed says in words what a trace is.
func (s Scenario) replayed() string {
	says := ""
	if s.Declared {
		says = ", who say how long they run,"
	}
	return fmt.Sprintf("six weeks of training jobs of Philly's cluster %s, all at once and %.0f times as fast: %d gangs%s for %.0f %% of all GPUs",
		s.Cluster(), folded.Factor(), len(s.replay()), says, 100*s.Offered())
}
