package coretest

import (
	"maps"
	"slices"
	"strings"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// cycle is a released member in kube-scheduler's hands; a member without one
// is in the hold.
type cycle struct {
	epoch core.Epoch
	// node on which it is assumed, once it has passed everything but its bind.
	node    string
	binding bool
}

// Fate is what becomes of a bind.
type Fate int

// The fates of a bind.
const (
	Binds Fate = iota
	// Fails: the apiserver says no.
	Fails
	// SeemsToFail: it is done, but the answer is lost.
	SeemsToFail
)

// isCall says whether a line leads to the apiserver.
func isCall(line string) bool { return len(line) > 4 && line[:4] == "api/" }

func (w *World) carryOut(d core.Decision) {
	switch d := d.(type) {
	case core.Release:
		w.release(d)
	case core.OpenLatch:
		w.open[d.Gang] = max(w.open[d.Gang], d.Epoch)
		w.leave(d.Gang, d.Epoch, w.bind)
	case core.ShutLatch:
		w.shut[d.Gang] = max(w.shut[d.Gang], d.Epoch)
		w.leave(d.Gang, d.Epoch, func(id gang.PodID) { w.park(id, core.Parked{Reason: d.Reason}) })
	case core.StoreReservation:
		w.send("api/"+string(d.Gang), func() { w.store(d) })
	case core.DropReservation:
		w.send("api/"+string(d.Gang), func() { delete(w.Stored, d.Gang); delete(w.Leaving, d.Gang) })
	case core.Evict:
		w.evict(d)
	case core.Spare:
		delete(w.evictions, d.Pod)
	case core.AskForRoom:
		w.send("api/ask/"+string(d.Gang), func() { w.Asked[d.Gang] = d.Lacks })
	case core.AskNoMore:
		w.send("api/ask/"+string(d.Gang), func() { delete(w.Asked, d.Gang) })
	case core.Explain:
		w.Verdicts[d.Gang] = append(w.Verdicts[d.Gang], d.Verdict.Code)
	}
}

func (w *World) release(d core.Release) {
	switch {
	case w.Members[d.Pod] == nil || w.Bound[d.Pod] != "":
		return // the machine will hear of it
	case w.cycles[d.Pod] != nil:
		w.fault("%s is released, but it is not in the hold", d.Pod)
	default:
		w.cycles[d.Pod] = &cycle{epoch: d.Epoch}
		w.send("cycle/"+string(d.Pod), func() { w.schedule(d.Pod, d.Epoch) })
	}
}

// schedule is kube-scheduler's cycle of one released member.
func (w *World) schedule(id gang.PodID, epoch core.Epoch) {
	c, mem := w.cycles[id], w.Members[id]
	if c == nil || c.epoch != epoch || w.Dying[id] {
		return // kube-scheduler has dropped it
	}
	place, ok := w.Board.Placement(mem.ID)
	if !ok || place.Epoch != epoch {
		w.park(mem.ID, core.Parked{Reason: "no placement"})
		return
	}
	if place.Roams {
		place.Node = w.choose(mem, place)
	}
	if node, why := w.refuses(mem, place); why != "" {
		if place.Roams && node == place.Node {
			node = ""
		}
		w.park(mem.ID, core.Parked{Veto: true, Node: node, Plugin: "Test", Reason: why, Room: w.Room || strings.HasPrefix(why, noRoom)})
		return
	}
	c.node = place.Node
	w.send("ack/"+string(mem.ID), func() { w.Step(core.AtLatch{ID: mem.ID, Epoch: epoch, Node: place.Node}) })
	switch {
	case w.open[mem.Gang] == epoch:
		w.bind(mem.ID)
	case w.shut[mem.Gang] >= epoch:
		w.park(mem.ID, core.Parked{Reason: "the latch is shut"})
	}
}

// noRoom begins the reason of our own check of room.
const noRoom = "no room on "

// refuses says which node kube-scheduler's own checks refuse, and why: the
// planned one, or one on which room is held for members to come.
func (w *World) refuses(mem *core.Member, place core.Placement) (node, why string) {
	if w.Veto != nil {
		if why := w.Veto(mem, place.Node); why != "" {
			return place.Node, why
		}
	}
	for _, name := range place.Check {
		if free, ok := w.Free(name, mem.ID); !ok || overdrawn(free) || (w.Absent != nil && w.Absent(name)) {
			return name, noRoom + name + " for members to come"
		}
	}
	return place.Node, w.refusesPlanned(mem, place.Node)
}

func (w *World) refusesPlanned(mem *core.Member, name string) string {
	node, ok := w.Nodes[name]
	if !ok || !cluster.Takes(&node, &mem.Shape) {
		return "the node does not suit"
	}
	if free, _ := w.Free(name, mem.ID); !mem.Shape.Request.Fits(free) {
		return noRoom + name
	}
	for _, p := range w.On(name) {
		if p.ID != mem.ID && slices.ContainsFunc(p.HostPorts, func(port string) bool { return slices.Contains(mem.Shape.HostPorts, port) }) {
			return "a host port is in use"
		}
	}
	return ""
}

// choose returns the first node that takes a member which roams, or where it was
// planned if none does.
func (w *World) choose(mem *core.Member, place core.Placement) string {
	for _, name := range slices.Sorted(maps.Keys(w.Nodes)) {
		at := place
		at.Node = name
		if slices.Contains(place.Except, name) {
			continue
		}
		if _, why := w.refuses(mem, at); why == "" {
			return name
		}
	}
	return place.Node
}

func overdrawn(free resource.Vector) bool {
	negative := false
	free.Each(func(_ string, value int64) { negative = negative || value < 0 })
	return negative
}

// Free is the room that kube-scheduler sees on a node for a pod: what bound
// and assumed pods leave, less what is held for others.
func (w *World) Free(node string, pod gang.PodID) (resource.Vector, bool) {
	n, ok := w.Nodes[node]
	if !ok {
		return resource.Vector{}, false
	}
	free, here := n.Allocatable, map[gang.PodID]bool{pod: true}
	for _, p := range w.On(node) {
		free, here[p.ID] = free.Sub(p.Request), true
	}
	place, _ := w.Board.Placement(pod)
	for _, h := range w.Board.Held(node) {
		if !here[h.Claimant] && !w.yields(h, place) {
			free = free.Sub(h.Request)
		}
	}
	return free, true
}

// yields says whether room is held for a member that roams, as the one with this
// placement does.
func (w *World) yields(h core.Held, place core.Placement) bool {
	other, _ := w.Board.Placement(h.Claimant)
	return place.Roams && other.Roams && h.Gang == place.Gang
}

// On returns the pods that are bound or assumed on a node, in no order.
func (w *World) On(node string) []cluster.Pod {
	var out []cluster.Pod
	for id, mem := range w.Members {
		on := w.Bound[id]
		if c := w.cycles[id]; on == "" && c != nil {
			on = c.node
		}
		if on == node {
			out = append(out, cluster.Pod{ID: id, Node: node, Request: mem.Shape.Request, HostPorts: mem.Shape.HostPorts, Gang: mem.Gang})
		}
	}
	for _, others := range []map[gang.PodID]cluster.Pod{w.Others, w.assumed} {
		for _, p := range others {
			if p.Node == node {
				out = append(out, p)
			}
		}
	}
	return out
}

// leave lets the members go that wait at the latch of a gang.
func (w *World) leave(id gang.ID, epoch core.Epoch, f func(gang.PodID)) {
	for _, pod := range slices.Sorted(maps.Keys(w.cycles)) {
		if c := w.cycles[pod]; c.node != "" && !c.binding && c.epoch == epoch && w.Members[pod].Gang == id {
			f(pod)
		}
	}
}

// park puts a member back into the hold.
func (w *World) park(id gang.PodID, p core.Parked) {
	p.ID, p.Epoch = id, w.cycles[id].epoch
	delete(w.cycles, id)
	w.send("ack/"+string(id), func() { w.Step(p) })
}

// bind sends a member's bind to the apiserver.
func (w *World) bind(id gang.PodID) {
	c := w.cycles[id]
	c.binding = true
	w.send("bind/"+string(id), func() {
		if w.cycles[id] != c {
			return // it was bound or deleted meanwhile
		}
		fate := Binds
		if w.Fate != nil {
			fate = w.Fate(id, c.node)
		}
		switch p, ok := w.Board.Placement(id); {
		case !ok || (p.Node != c.node && !p.Roams) || p.Epoch != c.epoch:
			w.park(id, core.Parked{Reason: "the placement was taken back"})
		case fate == Fails || w.Dying[id]:
			w.park(id, core.Parked{BindFailed: true, Node: c.node, Plugin: "Bind", Reason: "conflict"})
		case fate == SeemsToFail:
			w.park(id, core.Parked{BindFailed: true, Node: c.node, Plugin: "Bind", Reason: "timeout"})
			w.BindOutside(id, c.node)
		default:
			w.BindOutside(id, c.node)
		}
	})
}

// bindLate is a bind that an earlier process had sent.
func (w *World) bindLate(id gang.PodID, node string) {
	if w.Members[id] != nil && w.Bound[id] == "" && !w.Dying[id] {
		w.BindOutside(id, node)
	}
}

func (w *World) store(d core.StoreReservation) {
	err := ""
	if w.StoreFails != nil {
		err = w.StoreFails(d.Gang)
	}
	if err == "" {
		w.Stored[d.Gang], w.Leaving[d.Gang] = d.Slots, d.Leaving
	}
	if d.Epoch != 0 {
		w.send("store/"+string(d.Gang), func() { w.Step(core.ReservationStored{Gang: d.Gang, Epoch: d.Epoch, Err: err}) })
	}
}

// Single schedules a pod of ours that belongs to no gang, onto a node that has
// room for it at this moment. It is assumed first; its bind comes later, and
// has the fate that is given.
func (w *World) Single(name, node string, request resource.Vector, fate Fate) {
	pod := cluster.Pod{ID: gang.PodID(name), Namespace: "default", Name: name, Node: node, Request: request}
	w.assumed[pod.ID] = pod
	w.send("single/"+name, func() {
		w.Step(core.Assumed{Pod: pod})
		w.send("bind/"+name, func() { w.bindSingle(pod, fate) })
	})
	if !w.Async {
		w.DeliverAll()
	}
}

func (w *World) bindSingle(pod cluster.Pod, fate Fate) {
	if _, exists := w.assumed[pod.ID]; !exists {
		fate = Fails // it was deleted meanwhile
	}
	delete(w.assumed, pod.ID)
	if fate != Binds {
		w.send("ack/"+string(pod.ID), func() { w.Step(core.Forgotten{ID: pod.ID}) })
	}
	if fate != Fails {
		w.Others[pod.ID] = pod
		w.send("pod/"+string(pod.ID), func() { w.Step(core.PodSet{Pod: pod}) })
	}
}
