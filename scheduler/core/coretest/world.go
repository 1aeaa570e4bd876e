// Package coretest is a small world around a machine: a kube-scheduler, an
// apiserver and Spark's driver, as far as the machine can see them. Every order
// is carried out at once, unless the test says otherwise.
package coretest

import (
	"fmt"
	"slices"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// World holds what is outside of the machine.
type World struct {
	Machine *core.Machine
	Board   *core.Board
	Now     time.Time
	// Members that exist, and the node of those that are bound.
	Members map[gang.PodID]*core.Member
	Bound   map[gang.PodID]string
	// Stored reservations.
	Stored map[gang.ID][]core.ReservedSlot
	// Log has every event and decision, as one line each.
	Log []string
	// Verdicts has the kinds of verdict that were shown, by gang.
	Verdicts map[gang.ID][]gang.Code

	// Veto, if set, says why a member's own cycle refuses a node.
	Veto func(m *core.Member, node string) string
	// StoreFails, if set, says why a reservation can't be stored.
	StoreFails func(id gang.ID) string

	latch   map[gang.PodID]core.Epoch
	open    map[gang.ID]core.Epoch
	pending []core.Event
}

// New returns a world with a machine that has been told nothing.
func New() *World {
	w := &World{
		Now: gangtest.Epoch0, Members: map[gang.PodID]*core.Member{}, Bound: map[gang.PodID]string{},
		Stored: map[gang.ID][]core.ReservedSlot{}, Verdicts: map[gang.ID][]gang.Code{},
	}
	w.Restart()
	return w
}

// Restart replaces the machine by one that knows nothing, as after a crash of
// the process. What was on its way is lost; the test tells the new machine
// what exists.
func (w *World) Restart() {
	w.Machine = core.NewMachine(core.DefaultOptions(), queue.NewFIFO())
	w.Board = &core.Board{}
	w.latch, w.open, w.pending = map[gang.PodID]core.Epoch{}, map[gang.ID]core.Epoch{}, nil
}

// Send takes events in one after the other, and carries out all that follows.
func (w *World) Send(events ...core.Event) {
	for _, e := range events {
		w.pending = append(w.pending, e)
		w.drain()
	}
}

// Pass lets time go by.
func (w *World) Pass(d time.Duration) {
	w.Now = w.Now.Add(d)
	w.Send(core.Tick{})
}

func (w *World) drain() {
	for len(w.pending) > 0 {
		e := w.pending[0]
		w.pending = w.pending[1:]
		w.Step(e)
	}
}

// Step takes one event in, and queues what follows from the decisions.
func (w *World) Step(e core.Event) []core.Decision {
	w.Log = append(w.Log, fmt.Sprintf("  %T%+v", e, e))
	out := w.Machine.Step(w.Now, e)
	w.Machine.Publish(w.Board)
	for _, d := range out {
		w.Log = append(w.Log, fmt.Sprintf("→ %T%+v", d, d))
		w.carryOut(d)
	}
	return out
}

func (w *World) carryOut(d core.Decision) {
	switch d := d.(type) {
	case core.Release:
		w.cycle(d)
	case core.OpenLatch:
		w.open[d.Gang] = d.Epoch
		w.leave(d.Gang, d.Epoch, w.bind)
	case core.ShutLatch:
		w.leave(d.Gang, d.Epoch, func(id gang.PodID) {
			w.pending = append(w.pending, core.Parked{ID: id, Epoch: d.Epoch, Reason: d.Reason})
		})
	case core.StoreReservation:
		w.store(d)
	case core.DropReservation:
		delete(w.Stored, d.Gang)
	case core.Explain:
		w.Verdicts[d.Gang] = append(w.Verdicts[d.Gang], d.Verdict.Code)
	}
}

// cycle is kube-scheduler's cycle of one released member.
func (w *World) cycle(d core.Release) {
	place, ok := w.Board.Placement(d.Pod)
	mem := w.Members[d.Pod]
	switch {
	case mem == nil:
	case !ok || place.Epoch != d.Epoch:
		w.pending = append(w.pending, core.Parked{ID: d.Pod, Epoch: d.Epoch, Reason: "no placement"})
	case w.Veto != nil && w.Veto(mem, place.Node) != "":
		w.pending = append(w.pending, core.Parked{ID: d.Pod, Epoch: d.Epoch, Veto: true, Node: place.Node, Plugin: "Test", Reason: w.Veto(mem, place.Node)})
	case w.open[d.Gang] == d.Epoch:
		w.latch[d.Pod] = d.Epoch
		w.bind(d.Pod)
	default:
		w.latch[d.Pod] = d.Epoch
		w.pending = append(w.pending, core.AtLatch{ID: d.Pod, Epoch: d.Epoch})
	}
}

func (w *World) leave(id gang.ID, epoch core.Epoch, f func(gang.PodID)) {
	var pods []gang.PodID
	for pod, e := range w.latch {
		if mem := w.Members[pod]; e == epoch && mem != nil && mem.Gang == id {
			pods = append(pods, pod)
		}
	}
	slices.Sort(pods)
	for _, pod := range pods {
		delete(w.latch, pod)
		f(pod)
	}
}

func (w *World) bind(id gang.PodID) {
	place, ok := w.Board.Placement(id)
	if !ok {
		panic("coretest: a member without a placement passed the latch")
	}
	delete(w.latch, id)
	w.Bound[id] = place.Node
	w.pending = append(w.pending, w.PodEvent(id))
}

func (w *World) store(d core.StoreReservation) {
	err := ""
	if w.StoreFails != nil {
		err = w.StoreFails(d.Gang)
	}
	if err == "" {
		w.Stored[d.Gang] = d.Slots
	}
	if d.Epoch != 0 {
		w.pending = append(w.pending, core.ReservationStored{Gang: d.Gang, Epoch: d.Epoch, Err: err})
	}
}

// PodEvent is what the source tells of a member now.
func (w *World) PodEvent(id gang.PodID) core.PodSet {
	mem := w.Members[id]
	return core.PodSet{
		Pod:    cluster.Pod{ID: id, Namespace: mem.Namespace, Name: mem.Name, Node: w.Bound[id], Request: mem.Shape.Request, Gang: mem.Gang},
		Member: mem,
	}
}

// Node tells of a node with cores and gibibytes.
func (w *World) Node(name string, cores, gib int64) {
	w.Send(NodeEvent(name, cores, gib))
}

// NodeEvent is the event of a ready node with cores and gibibytes.
func NodeEvent(name string, cores, gib int64) core.NodeSet {
	return core.NodeSet{Node: cluster.Node{
		Name: name, Ready: true,
		Allocatable: resource.Vector{MilliCPU: cores * 1000, Memory: gib << 30, Pods: 110},
	}}
}

// Pod creates a member; its name is its UID.
func (w *World) Pod(id gang.ID, role, name string, shape gang.Shape) {
	w.Members[gang.PodID(name)] = &core.Member{
		ID: gang.PodID(name), Namespace: "default", Name: name, Gang: id, Role: role, Shape: shape, Created: w.Now,
	}
	w.Send(w.PodEvent(gang.PodID(name)))
}

// End ends a pod.
func (w *World) End(name string, end core.End) {
	id := gang.PodID(name)
	delete(w.Members, id)
	delete(w.Bound, id)
	delete(w.latch, id)
	w.Send(core.PodGone{ID: id, End: end})
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
