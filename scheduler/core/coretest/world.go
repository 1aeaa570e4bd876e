// Package coretest is a small world around a machine: a kube-scheduler, an
// apiserver, sources and Spark's driver, as far as the machine can see them.
// What is under way between them is in flight: usually it arrives at once and
// in order, but a test may choose what arrives when.
package coretest

import (
	"fmt"
	"reflect"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/queue"
)

// World holds what is outside of the machine: the truth, of which the machine
// hears sooner or later.
type World struct {
	Machine *core.Machine
	Board   *core.Board
	Options core.Options
	Now     time.Time
	Synced  bool

	Nodes map[string]cluster.Node
	// Gangs that were declared, and those whose declaration was refused.
	Gangs   map[gang.ID]gang.Gang
	Refused map[gang.ID]core.GangRefused
	// Members that exist, the node of those that are bound, and those that are
	// being deleted.
	Members map[gang.PodID]*core.Member
	Bound   map[gang.PodID]string
	Dying   map[gang.PodID]bool
	// Started members are known to be admitted by their kubelet.
	Started map[gang.PodID]bool
	// Others are bound pods that belong to no gang.
	Others map[gang.PodID]cluster.Pod
	// Budgets are how many more pods of each disruption budget may be evicted.
	Budgets map[string]int
	// Queues that are declared, and the homes of namespaces.
	Queues map[string]queue.Spec
	Homes  map[string]string
	// Stored reservations, and those of gangs that go.
	Stored  map[gang.ID][]core.ReservedSlot
	Leaving map[gang.ID]bool
	// Asked is the room that autoscalers are asked for.
	Asked map[gang.ID][]core.Lack

	// Log has every event and decision, as one line each.
	Log []string
	// Seen counts events by kind.
	Seen map[string]int
	// Verdicts has the kinds of verdict that were shown, by gang.
	Verdicts map[gang.ID][]gang.Code
	// Faults are breaches of what the machine owes to the world.
	Faults []string

	// Async leaves everything in flight until the test delivers it.
	Async bool
	// Observe, if set, is called after each step.
	Observe func(core.Stamped, []core.Decision)
	// Veto, if set, says why a member's own cycle refuses a node.
	Veto func(m *core.Member, node string) string
	// Room makes the vetoes of members' cycles ones of our own check of room.
	Room bool
	// Absent, if set, says that by kube-scheduler's book the room that is held on
	// a node for members to come is not there.
	Absent func(node string) bool
	// StoreFails, if set, says why a reservation can't be stored.
	StoreFails func(id gang.ID) string
	// Budget, if set, says why a member can't be evicted, and whether that may change.
	Budget func(id gang.PodID) (why string, again bool)
	// Fate, if set, says what becomes of a bind.
	Fate func(id gang.PodID, node string) Fate

	flights  []flight
	kubelets map[string]*kubelet
	cycles   map[gang.PodID]*cycle
	// assumed are pods of no gang whose bind is under way.
	assumed map[gang.PodID]cluster.Pod
	// evictions that were ordered, of members that still exist.
	evictions map[gang.PodID]*eviction
	open      map[gang.ID]core.Epoch
	shut      map[gang.ID]core.Epoch
}

// New returns a world with a machine that has been told nothing.
func New() *World { return NewWith(core.DefaultOptions()) }

// NewWith is New with other options.
func NewWith(o core.Options) *World {
	w := &World{
		Options: o, Now: gangtest.Epoch0,
		Nodes: map[string]cluster.Node{}, Gangs: map[gang.ID]gang.Gang{}, Refused: map[gang.ID]core.GangRefused{},
		Members: map[gang.PodID]*core.Member{}, Bound: map[gang.PodID]string{}, Dying: map[gang.PodID]bool{},
		Started: map[gang.PodID]bool{}, kubelets: map[string]*kubelet{},
		Others: map[gang.PodID]cluster.Pod{}, Stored: map[gang.ID][]core.ReservedSlot{}, Leaving: map[gang.ID]bool{},
		Asked: map[gang.ID][]core.Lack{}, Budgets: map[string]int{}, Queues: map[string]queue.Spec{}, Homes: map[string]string{},
		Seen: map[string]int{}, Verdicts: map[gang.ID][]gang.Code{},
	}
	w.start()
	return w
}

// start makes a machine that knows nothing, and a kube-scheduler beside it.
func (w *World) start() {
	w.Machine = core.NewMachine(w.Options)
	w.Board = &core.Board{}
	w.Synced = false
	w.evictions = map[gang.PodID]*eviction{}
	w.cycles, w.assumed = map[gang.PodID]*cycle{}, map[gang.PodID]cluster.Pod{}
	w.open, w.shut = map[gang.ID]core.Epoch{}, map[gang.ID]core.Epoch{}
}

// Step takes one event in, and begins what was decided.
func (w *World) Step(e core.Event) []core.Decision {
	w.logf("  %T%+v", e, e)
	w.Seen[reflect.TypeOf(e).Name()]++
	if _, ok := e.(core.Synced); ok {
		w.Synced = true
	}
	out := w.Machine.Step(w.Now, e)
	w.Machine.Publish(w.Board)
	for _, d := range out {
		w.logf("→ %T%+v", d, d)
	}
	if w.Observe != nil {
		w.Observe(core.Stamped{At: w.Now, Event: e}, out)
	}
	for _, d := range out {
		w.carryOut(d)
	}
	return out
}

func (w *World) logf(format string, args ...any) {
	w.Log = append(w.Log, fmt.Sprintf(format, args...))
}

func (w *World) fault(format string, args ...any) {
	w.Faults = append(w.Faults, fmt.Sprintf(format, args...))
}

// Send hands events to the machine, and waits until all that follows is done.
func (w *World) Send(events ...core.Event) {
	for _, e := range events {
		w.tell("test", e)
	}
}

// Pass lets time go by.
func (w *World) Pass(d time.Duration) {
	w.Now = w.Now.Add(d)
	w.Send(core.Tick{})
}

// BoundOf counts the bound members of a gang.
func (w *World) BoundOf(id gang.ID) int {
	n := 0
	for pod := range w.Bound {
		if w.Members[pod].Gang == id {
			n++
		}
	}
	return n
}
