package coretest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/resource"
)

// NodeEvent is the event of a ready node with cores and gibibytes.
func NodeEvent(name string, cores, gib int64) core.NodeSet {
	return core.NodeSet{Node: cluster.Node{
		Name: name, Ready: true,
		Allocatable: resource.Vector{MilliCPU: cores * 1000, Memory: gib << 30, Pods: 110},
	}}
}

// Cluster returns a synced world of equal nodes with 64 GiB each.
func Cluster(nodes int, cores int64) *World {
	w := New()
	for i := range nodes {
		w.Node(fmt.Sprintf("n%d", i), cores, 64)
	}
	w.Send(core.Synced{})
	return w
}

// Node adds a node with cores and gibibytes.
func (w *World) Node(name string, cores, gib int64) { w.SetNode(NodeEvent(name, cores, gib).Node) }

// SetNode adds or changes a node.
func (w *World) SetNode(n cluster.Node) {
	w.Nodes[n.Name] = n
	w.tell("node/"+n.Name, core.NodeSet{Node: n})
}

// RemoveNode removes a node. Its pods stay until they are ended.
func (w *World) RemoveNode(name string) {
	delete(w.Nodes, name)
	w.tell("node/"+name, core.NodeGone{Name: name})
}

// Declare declares a gang, or changes it.
func (w *World) Declare(g gang.Gang) {
	w.Gangs[g.ID] = g
	delete(w.Refused, g.ID)
	w.tell("gang/"+string(g.ID), core.GangSet{Gang: g})
}

// Refuse tells that a gang can't be understood as it is now.
func (w *World) Refuse(g gang.Gang, why string) {
	delete(w.Gangs, g.ID)
	w.Refused[g.ID] = core.GangRefused{
		ID: g.ID, Owner: g.Owner, Created: g.Created,
		Verdict: gang.Verdict{Code: gang.Refused, Detail: why},
	}
	w.tell("gang/"+string(g.ID), w.Refused[g.ID])
}

// Remove ends a gang. Its pods stay until they are ended.
func (w *World) Remove(id gang.ID) {
	delete(w.Gangs, id)
	delete(w.Refused, id)
	w.tell("gang/"+string(id), core.GangGone{ID: id})
}

// App declares a Spark application and creates its driver, a second after what
// was there before.
func (w *World) App(name string, executors int, shape gang.Shape) gang.ID {
	g := gangtest.Spark(name, executors, shape)
	w.Now = w.Now.Add(time.Second)
	g.Created = w.Now
	w.Declare(g)
	w.Pod(g.ID, "driver", name+"-driver", shape)
	return g.ID
}

// Group declares a PodGroup and creates its members, now.
func (w *World) Group(name string, members int, shape gang.Shape) gang.ID {
	g := gangtest.Group(name, members)
	g.Created = w.Now
	w.Declare(g)
	for i := range members {
		w.Pod(g.ID, "", fmt.Sprintf("%s-%d", name, i), shape)
	}
	return g.ID
}

// Pod creates a member; its name is its UID.
func (w *World) Pod(id gang.ID, role, name string, shape gang.Shape) {
	pod := gang.PodID(name)
	w.Members[pod] = &core.Member{
		ID: pod, Namespace: "default", Name: name, Gang: id, Role: role, Shape: shape, Created: w.Now,
	}
	w.tell("pod/"+name, w.PodEvent(pod))
}

// TellPod tells how a member is now, after the test has changed it.
func (w *World) TellPod(id gang.PodID) { w.tell("pod/"+string(id), w.PodEvent(id)) }

// Other lets a pod that belongs to no gang take room on a node.
func (w *World) Other(name, node string, request resource.Vector) {
	pod := cluster.Pod{ID: gang.PodID(name), Namespace: "default", Name: name, Node: node, Request: request}
	w.Others[pod.ID] = pod
	w.tell("pod/"+name, core.PodSet{Pod: pod})
}

// Terminate begins to delete a member. One that is not bound takes no part in
// anything from now on.
func (w *World) Terminate(name string) {
	w.Dying[gang.PodID(name)] = true
	w.tell("pod/"+name, w.PodEvent(gang.PodID(name)))
}

// BindOutside binds a member behind the machine's back.
func (w *World) BindOutside(id gang.PodID, node string) {
	delete(w.cycles, id)
	w.Bound[id] = node
	w.tell("pod/"+string(id), w.PodEvent(id))
}

// End ends a pod.
func (w *World) End(name string, end core.End) {
	id := gang.PodID(name)
	delete(w.Members, id)
	delete(w.Bound, id)
	delete(w.Dying, id)
	delete(w.Started, id)
	delete(w.Others, id)
	delete(w.cycles, id)
	delete(w.assumed, id)
	delete(w.evictions, id)
	w.tell("pod/"+name, core.PodGone{ID: id, End: end})
}

// PodEvent is what the source tells of a member now.
func (w *World) PodEvent(id gang.PodID) core.PodSet {
	mem := *w.Members[id]
	return core.PodSet{
		Pod: cluster.Pod{
			ID: id, Namespace: mem.Namespace, Name: mem.Name, Node: w.Bound[id],
			Request: mem.Shape.Request, HostPorts: mem.Shape.HostPorts, Gang: mem.Gang,
			Aligned: mem.Shape.Aligned, Started: w.Started[id],
		},
		Member:      &mem,
		Terminating: w.Dying[id],
	}
}

// Crash kills the scheduler and starts it anew. Whatever its process had under
// way is lost, but for calls that the apiserver still gets: keep says which
// do. The test tells the new machine what exists.
func (w *World) Crash(keep func(line string) bool) {
	old, cycles, assumed, evictions := w.flights, w.cycles, w.assumed, w.evictions
	w.flights = nil
	w.start()
	for _, f := range old {
		if isCall(f.line) && keep(f.line) {
			f.land()
		}
	}
	w.flights = nil
	for _, id := range slices.Sorted(maps.Keys(cycles)) {
		if c := cycles[id]; c.binding && keep("late/"+string(id)) {
			w.send("late/"+string(id), func() { w.bindLate(id, c.node) })
		}
	}
	for _, id := range slices.Sorted(maps.Keys(evictions)) {
		if !evictions[id].refused && keep("late/"+string(id)) {
			w.send("late/"+string(id), func() { w.evictLate(id) })
		}
	}
	for _, id := range slices.Sorted(maps.Keys(assumed)) {
		if keep("late/" + string(id)) {
			w.send("late/"+string(id), func() { w.Other(string(id), assumed[id].Node, assumed[id].Request) })
		}
	}
}

// Restart is a Crash after which nothing arrives, and the new machine is told
// what exists, in order of kind and name.
func (w *World) Restart() {
	w.Crash(func(string) bool { return false })
	for _, e := range w.Existing() {
		w.Step(e)
	}
	w.Step(core.Synced{})
	w.DeliverAll()
}

// Existing is what sources find at their start.
func (w *World) Existing() []core.Event {
	var out []core.Event
	for _, name := range slices.Sorted(maps.Keys(w.Nodes)) {
		out = append(out, core.NodeSet{Node: w.Nodes[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(w.Budgets)) {
		out = append(out, core.BudgetSet{Name: name, Allowed: w.Budgets[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(w.Queues)) {
		out = append(out, core.QueueSet{Queue: w.Queues[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(w.Homes)) {
		out = append(out, core.NamespaceSet{Name: name, Queue: w.Homes[name]})
	}
	for _, id := range slices.Sorted(maps.Keys(w.Gangs)) {
		out = append(out, core.GangSet{Gang: w.Gangs[id]})
	}
	for _, id := range slices.Sorted(maps.Keys(w.Refused)) {
		out = append(out, w.Refused[id])
	}
	for _, id := range slices.Sorted(maps.Keys(w.Members)) {
		out = append(out, w.PodEvent(id))
	}
	for _, id := range slices.Sorted(maps.Keys(w.Others)) {
		out = append(out, core.PodSet{Pod: w.Others[id]})
	}
	for _, name := range slices.Sorted(maps.Keys(w.Nodes)) {
		if w.Nodes[name].NUMA != nil {
			out = append(out, core.ZonesReported{Node: name, Report: w.report(name)})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.Stored)) {
		g, declared := w.Gangs[id]
		if !declared {
			delete(w.Stored, id) // its owner is gone
			delete(w.Leaving, id)
			continue
		}
		out = append(out, core.ReservationFound{Gang: id, Owner: g.Owner, Slots: w.Stored[id], Leaving: w.Leaving[id]})
	}
	for _, id := range slices.Sorted(maps.Keys(w.Asked)) {
		out = append(out, core.AskFound{Gang: id})
	}
	return out
}
