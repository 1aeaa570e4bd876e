package core_test

import (
	"fmt"
	"testing"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/resource"
)

// bench drives a machine as fast as it goes: kube-scheduler agrees with
// everything at once.
type bench struct {
	*core.Machine
	board core.Board
	now   time.Time
	// members by pod, those at a latch by gang, and those whose bind is done.
	members map[gang.PodID]*core.Member
	latched map[gang.ID][]gang.PodID
	open    map[gang.ID]bool
	events  []core.Event
	steps   int
	// slowest is the time of the longest step.
	slowest time.Duration
}

func newBench(nodes int) *bench {
	b := unsynced(core.DefaultOptions())
	for i := range nodes {
		b.send(coretest.NodeEvent(fmt.Sprintf("n%05d", i), 32, 128))
	}
	b.send(core.Synced{})
	return b
}

// unsynced is a machine that is still to be told of what exists.
func unsynced(options core.Options) *bench {
	return &bench{
		Machine: core.NewMachine(options), now: gangtest.Epoch0,
		members: map[gang.PodID]*core.Member{}, latched: map[gang.ID][]gang.PodID{}, open: map[gang.ID]bool{},
	}
}

func (b *bench) send(e core.Event) {
	b.events = append(b.events, e)
	for len(b.events) > 0 {
		next := b.events[0]
		b.events = b.events[1:]
		b.now = b.now.Add(time.Millisecond)
		began := time.Now()
		out := b.Step(b.now, next)
		b.Publish(&b.board)
		b.slowest = max(b.slowest, time.Since(began))
		b.steps++
		for _, d := range out {
			b.carryOut(d)
		}
	}
}

func (b *bench) carryOut(d core.Decision) {
	switch d := d.(type) {
	case core.Release:
		if b.open[d.Gang] {
			b.bind(d.Pod)
			return
		}
		b.latched[d.Gang] = append(b.latched[d.Gang], d.Pod)
		b.events = append(b.events, core.AtLatch{ID: d.Pod, Epoch: d.Epoch})
	case core.OpenLatch:
		b.open[d.Gang] = true
		for _, pod := range b.latched[d.Gang] {
			b.bind(pod)
		}
	case core.StoreReservation:
		if d.Epoch != 0 {
			b.events = append(b.events, core.ReservationStored{Gang: d.Gang, Epoch: d.Epoch})
		}
	}
}

func (b *bench) bind(id gang.PodID) {
	p, _ := b.board.Placement(id)
	b.events = append(b.events, podSet(b.members[id], p.Node))
}

func podSet(m *core.Member, node string) core.PodSet {
	return core.PodSet{Pod: cluster.Pod{ID: m.ID, Name: m.Name, Node: node, Request: m.Shape.Request, Gang: m.Gang}, Member: m}
}

func (b *bench) create(id gang.ID, role, name string, s gang.Shape) {
	m := &core.Member{ID: gang.PodID(name), Name: name, Gang: id, Role: role, Shape: s, Created: b.now}
	b.members[m.ID] = m
	b.send(podSet(m, ""))
}

func (b *bench) group(name string, size int, s gang.Shape) {
	g := gangtest.Group(name, size)
	g.Created = b.now
	b.send(core.GangSet{Gang: g})
	for i := range size {
		b.create(g.ID, "", fmt.Sprintf("%s-%d", name, i), s)
	}
}

func (b *bench) spark(name string, executors int, s gang.Shape) {
	g := gangtest.Spark(name, executors, s)
	g.Created = b.now
	b.send(core.GangSet{Gang: g})
	b.create(g.ID, "driver", name+"-driver", s)
	if b.open[g.ID] {
		for i := range executors {
			b.create(g.ID, "executor", fmt.Sprintf("%s-%d", name, i), s)
		}
	}
}

// perEvent reports what one event costs.
func perEvent(tb *testing.B, steps int) {
	tb.ReportMetric(float64(tb.Elapsed().Nanoseconds())/float64(steps), "ns/event")
}

func BenchmarkStart(tb *testing.B) {
	s := gangtest.Shape(1, 4)
	for _, c := range []struct {
		kind        string
		gangs, size int
	}{{"groups", 1, 2000}, {"groups", 100, 20}, {"groups", 1000, 20}, {"spark", 1, 2000}, {"spark", 1000, 20}} {
		tb.Run(fmt.Sprintf("%s=%dx%d", c.kind, c.gangs, c.size), func(tb *testing.B) {
			steps := 0
			for tb.Loop() {
				b := newBench(1000)
				for i := range c.gangs {
					if c.kind == "spark" {
						b.spark(fmt.Sprintf("s%d", i), c.size-1, s)
					} else {
						b.group(fmt.Sprintf("g%d", i), c.size, s)
					}
				}
				steps += b.steps
			}
			perEvent(tb, steps)
		})
	}
}

// BenchmarkWaiting measures events of a cluster that is full, while 10,000
// gangs wait.
func BenchmarkWaiting(tb *testing.B) {
	b := newBench(5000)
	b.group("full", 5000, gangtest.Shape(30, 120))
	for i := range 10_000 {
		b.spark(fmt.Sprintf("w%d", i), 19, gangtest.Shape(4, 16))
	}
	node := coretest.NodeEvent("n00000", 32, 128)
	tb.Run("a node changes", func(tb *testing.B) {
		for i := 0; tb.Loop(); i++ {
			node.Node.Allocatable.Memory = int64(128<<30 - i%2)
			b.send(node)
		}
	})
	tb.Run("a single pod comes and goes", func(tb *testing.B) {
		for tb.Loop() {
			p := cluster.Pod{ID: "single", Node: "n00001", Request: resource.Vector{MilliCPU: 100, Pods: 1}}
			b.send(core.Assumed{Pod: p})
			b.send(core.PodSet{Pod: p})
			b.send(core.PodGone{ID: p.ID, End: core.Deleted})
		}
	})
	tb.Run("a gang is submitted and withdrawn", func(tb *testing.B) {
		for i := 0; tb.Loop(); i++ {
			name := fmt.Sprintf("x%d", i)
			b.spark(name, 19, gangtest.Shape(4, 16))
			b.send(core.PodGone{ID: gang.PodID(name + "-driver"), End: core.Deleted})
			b.send(core.GangGone{ID: gang.NewID("spark", "default", name)})
		}
	})
}

// BenchmarkTooBig measures a node's change while many gangs wait that no room
// to come will help.
func BenchmarkTooBig(tb *testing.B) {
	b := newBench(1000)
	for i := range 1000 {
		b.spark(fmt.Sprintf("w%d", i), 19, gangtest.Shape(64, 16))
	}
	node := coretest.NodeEvent("n00000", 32, 128)
	for i := 0; tb.Loop(); i++ {
		node.Node.Allocatable.Memory = int64(128<<30 - i%2)
		b.send(node)
	}
}
