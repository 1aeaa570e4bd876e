// Package scenario says what is asked of a scheduler in a benchmark.
package scenario

import (
	"fmt"
	"slices"
	"strings"
)

// Mode is when pods come into being.
type Mode string

const (
	// PreCreated pods exist before the scheduler is started.
	PreCreated Mode = "pre-created"
	// Concurrent pods are created while the scheduler runs.
	Concurrent Mode = "concurrent"
	// Burst is a burst of Spark-like applications on room for a fifth of them:
	// each gang is one, a driver that creates its executors once it runs.
	Burst Mode = "spark-burst"
	// Loop is Muster's own loop alone, in a process without a cluster: all exists
	// before it is let go, and what it asks of the API is answered in memory.
	Loop Mode = "loop"
	// Stream is gangs that come for a time, a new one as soon as one is bound, beside
	// gangs that can't start.
	Stream Mode = "stream"
	// Contention is gangs that come one after the other to a cluster that has no room for
	// all; Arrivals lists them.
	Contention Mode = "contention"
	// Restart is pods that are created while the scheduler is down, which was killed, on a
	// cluster on which others run.
	Restart Mode = "restart"
	// Trace is gangs that come as they did to a real cluster, but faster; Arrivals lists
	// them.
	Trace Mode = "trace"
)

// Scenario is a set of gangs, all alike, on nodes that are all alike. But for a
// burst, for contention and for a trace they hold all of them.
type Scenario struct {
	Name string `json:"name"`
	Mode Mode   `json:"mode"`
	// Gangs of Size pods each; of a stream, how many wait at a time. Plain pods belong
	// to no gang, Size is 1. Gangs that Arrivals lists are of several sizes, and these are
	// zero.
	Gangs int  `json:"gangs"`
	Size  int  `json:"size"`
	Plain bool `json:"plain,omitempty"`
	Nodes int  `json:"nodes"`
	// Held is how many pods there are besides, in gangs of Size that can't start.
	// Only Loop and Stream have some.
	Held int `json:"held,omitempty"`
	// Running is how many pods there are besides, in gangs of Size that run. Only Restart
	// has some.
	Running int `json:"running,omitempty"`
	// Seconds is how long gangs of a Stream or a Trace come, and for how long it is measured
	// how full the cluster is in Contention.
	Seconds int `json:"seconds,omitempty"`
	// Declared is set where gangs say how long they run. Only those of a Trace may.
	Declared bool `json:"declared,omitempty"`
}

// Pods is how many are to be bound in all.
func (s Scenario) Pods() int { return s.Gangs * s.Size }

// What says in words what is asked.
func (s Scenario) What() string {
	switch {
	case s.Mode == Burst:
		return fmt.Sprintf("%d Spark-like applications of a driver and %d executors", s.Gangs, s.Size-1)
	case s.Mode == Loop:
		return fmt.Sprintf("Muster's loop alone: %d gangs of %d pods, with %d pods held,", s.Gangs, s.Size, s.Held)
	case s.Mode == Stream:
		return fmt.Sprintf("gangs of %d pods that come for %d seconds, with %s held,", s.Size, s.Seconds, count(s.Held/s.Size, "gang"))
	case s.Mode == Restart:
		return fmt.Sprintf("the scheduler is killed and started again, with %d pods that run and %s of %d that wait,", s.Running, count(s.Gangs, "gang"), s.Size)
	case s.Mode == Contention:
		return s.contested().about
	case s.Mode == Trace:
		return s.replayed()
	case s.Plain:
		return fmt.Sprintf("%d plain pods", s.Gangs)
	default:
		return fmt.Sprintf("%s of %d pods", count(s.Gangs, "gang"), s.Size)
	}
}

// count puts a number before the name of a thing.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// growthPrefix begins the names of the scenarios of growth.
const growthPrefix = "growth/"

// IsGrowth tells whether it is one of those that differ in their nodes alone.
func (s Scenario) IsGrowth() bool { return strings.HasPrefix(s.Name, growthPrefix) }

// Namespace has all pods of a run.
const Namespace = "bench"

// NodeShape is what each node offers, in the public set of kube-scheduling-perf.
const (
	NodeShape = "cpu=16,memory=64Gi,pods=110"
	nodeCPUs  = 16
)

// Nodes of a trace offer GPUs besides.
const (
	GPU      = "nvidia.com/gpu"
	NodeGPUs = 8
)

// Shape is what each node offers.
func (s Scenario) Shape() string {
	if s.Mode == Trace {
		return fmt.Sprintf("%s,%s=%d", NodeShape, GPU, NodeGPUs)
	}
	return NodeShape
}

// Every pod asks for this, as in the public set; those of a trace for GPUs too.
const (
	PodCPU    = "1"
	PodMemory = "1Gi"
)

// defaultNodes is the size of the cluster in the public set.
const defaultNodes = 1000

// shapes are gangs × size: the public set, and twins of a fifth for machines
// with few cores.
var shapes = []struct{ gangs, size int }{
	{2000, 1}, {100, 20}, {4, 500}, {1, 2000},
	{10000, 1}, {500, 20}, {20, 500}, {1, 10000},
}

// small are the most pods of a scenario that suits few cores.
const small = 2000

// All lists every scenario.
func All() []Scenario {
	return slices.Concat(throughput(), growth(), []Scenario{sparkBurst()}, loops(), streams(), contention(), restarts(), traces())
}

// Small lists the scenarios that suit a machine with few cores. Those of growth
// tell something only beside each other, and are run by name.
func Small() []Scenario {
	return slices.DeleteFunc(append(throughput(), sparkBurst()), func(s Scenario) bool { return s.Pods() > small })
}

// throughput is how fast gangs, and plain pods, get their nodes.
func throughput() []Scenario {
	var all []Scenario
	for _, mode := range []Mode{PreCreated, Concurrent} {
		for _, s := range shapes {
			all = append(all, Scenario{
				Name: fmt.Sprintf("%s/%dx%d", mode, s.gangs, s.size), Mode: mode, Gangs: s.gangs, Size: s.size, Nodes: defaultNodes,
			})
		}
		all = append(all, Scenario{Name: fmt.Sprintf("%s/plain-%d", mode, small), Mode: mode, Gangs: small, Size: 1, Plain: true, Nodes: defaultNodes})
	}
	return all
}

// growth is the same gangs on ever more nodes, to see what a node costs.
func growth() []Scenario {
	var all []Scenario
	for _, nodes := range []int{500, 1000, 2000, 5000} {
		all = append(all, Scenario{
			Name: fmt.Sprintf(growthPrefix+"%d-nodes", nodes), Mode: PreCreated, Gangs: 100, Size: 20, Nodes: nodes,
		})
	}
	return all
}

// sparkBurst is 200 applications of a driver and five executors on room for 40.
func sparkBurst() Scenario {
	return Scenario{Name: string(Burst) + "/200x6", Mode: Burst, Gangs: 200, Size: 6, Nodes: 15}
}

// loops are gangs on many nodes with nothing held, and with as many pods held as
// are bound.
func loops() []Scenario {
	free := Scenario{Name: string(Loop) + "/1000x20", Mode: Loop, Gangs: 1000, Size: 20, Nodes: 5000}
	held := free
	held.Held = held.Pods()
	held.Name = fmt.Sprintf("%s-held-%d", held.Name, held.Held)
	return []Scenario{free, held}
}

// streams are gangs that come for a minute, alone and beside a thousand that are held.
func streams() []Scenario {
	free := Scenario{Mode: Stream, Gangs: 20, Size: 20, Nodes: 500, Seconds: 60}
	return []Scenario{free.Holding(0), free.Holding(1000)}
}

// Holding is a stream with another number of gangs held.
func (s Scenario) Holding(gangs int) Scenario {
	s.Held = gangs * s.Size
	s.Name = fmt.Sprintf("held/%dx%d", gangs, s.Size)
	return s
}

// restarts are of a large cluster, and of two that fewer cores can have.
func restarts() []Scenario {
	var all []Scenario
	for _, c := range []struct{ nodes, running, gangs int }{{500, 5000, 100}, {1000, 10000, 200}, {5000, 50000, 1000}} {
		all = append(all, Scenario{
			Name: fmt.Sprintf("restart/%d-nodes", c.nodes), Mode: Restart, Gangs: c.gangs, Size: 20, Nodes: c.nodes, Running: c.running,
		})
	}
	return all
}
