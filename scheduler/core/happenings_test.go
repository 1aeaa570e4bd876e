package core_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// action is something that may happen. Weight is how often, in relation to
// others.
type action struct {
	name   string
	weight int
	do     func(*history)
}

// act lets one thing happen.
func (h *history) act() {
	i := rapid.SampledFrom(lots).Draw(h.t, "action")
	actions[i].do(h)
}

// lots has the index of each action as often as it weighs, well mixed, since
// rapid prefers what is in front. The first, to which it shrinks, is harmless.
var lots = func() []int {
	var out []int
	for i, a := range actions {
		for range a.weight {
			out = append(out, i)
		}
	}
	rand.New(rand.NewPCG(0, 0)).Shuffle(len(out)-1, func(i, j int) { out[i+1], out[j+1] = out[j+1], out[i+1] })
	return out
}()

var actions = []action{
	{"something arrives, or nothing happens", 60, func(h *history) {
		if n := h.InFlight(); n > 0 {
			h.Deliver(h.number("flight", 0, n-1))
		} else {
			h.Step(core.Tick{})
		}
	}},
	{"everything arrives", 4, (*history).arrive},
	{"time passes", 4, func(h *history) {
		h.Now = h.Now.Add(time.Duration(h.number("seconds", 1, 400)) * time.Second)
		h.Step(core.Tick{})
	}},
	{"a node comes or changes", 3, (*history).changeNode},
	{"a node goes", 1, (*history).loseNode},
	{"a Spark application is submitted", 5, (*history).submitSpark},
	{"a PodGroup is made", 3, (*history).makeGroup},
	{"pods are created", 12, (*history).createPods},
	{"a pod ends", 5, (*history).endPod},
	{"a pod is being deleted", 2, (*history).terminatePod},
	{"a gang is changed", 3, (*history).editGang},
	{"a waiting pod is changed", 1, (*history).changePod},
	{"time passes until something is due", 3, func(h *history) {
		if at, due := h.Machine.NextDeadline(); due {
			h.Now = at
			h.Step(core.Tick{})
		}
	}},
	{"a gang can't be understood", 1, (*history).refuseGang},
	{"a gang ends", 2, (*history).endGang},
	{"another scheduler binds a pod", 3, (*history).otherPod},
	{"a single pod is scheduled", 4, (*history).singlePod},
	{"a pod of no gang ends", 4, func(h *history) {
		if id, ok := pick(h, "other", h.Others, nil); ok {
			h.End(string(id), core.Deleted)
		}
	}},
	{"a kubelet admits a pod", 3, func(h *history) {
		if id, ok := pick(h, "bound", h.Bound, nil); ok {
			h.StartPod(id)
		}
	}},
	{"a node reports its zones", 2, func(h *history) { h.ReportZones(h.nodeName()) }},
	{"a check begins or ceases to refuse a node", 2, func(h *history) {
		toggle(h.vetoed, rapid.SampledFrom([]string{"driver", "executor", "ps", ""}).Draw(h.t, "role")+"@"+h.nodeName())
	}},
	{"members of a gang begin or cease to keep apart", 1, func(h *history) {
		if id, ok := pick(h, "gang", h.Gangs, nil); ok {
			toggle(h.apart, id)
		}
	}},
	{"reservations of a gang begin or cease to fail", 1, func(h *history) {
		if id, ok := pick(h, "gang", h.Gangs, nil); ok {
			toggle(h.unready, id)
		}
	}},
	{"binds begin or cease to fail", 1, func(h *history) { h.fates = !h.fates }},
	{"binds to a node begin or cease to fail", 1, func(h *history) { toggle(h.broken, h.nodeName()) }},
	{"somebody binds a member", 1, (*history).bindOutside},
	{"a disruption budget changes", 2, func(h *history) {
		if name := rapid.SampledFrom(budgets).Draw(h.t, "budget"); h.chance("gone", 4) {
			h.RemoveBudget(name)
		} else {
			h.SetBudget(name, h.number("allowed", 0, 2))
		}
	}},
	{"a queue is declared or changed", 3, (*history).setQueue},
	{"a queue is removed", 1, func(h *history) {
		if name, ok := pick(h, "queue", h.Queues, nil); ok {
			h.RemoveQueue(name)
		}
	}},
	{"a namespace gets another queue", 1, func(h *history) { h.SetHome("default", h.queue()) }},
	{"a pod that is being deleted is gone", 3, func(h *history) {
		if id, ok := pick(h, "pod", h.Dying, nil); ok {
			h.endMember(id, core.Failed)
		}
	}},
	{"evictions begin or cease to be refused", 3, func(h *history) {
		h.budget = !h.budget
		h.RetryEvictions()
	}},
	{"evictions begin or cease to be forbidden", 1, func(h *history) { h.forbidden = !h.forbidden }},
	{"an eviction that nobody asked for is answered", 1, func(h *history) {
		if id, ok := pick(h, "pod", h.Members, func(id gang.PodID) bool { return !h.IsEvicting(id) }); ok {
			h.Step(core.Evicted{ID: id, Err: "a budget", Again: h.chance("again", 1)})
		}
	}},
	{"the scheduler crashes", 1, (*history).crash},
	{"the world comes to rest", 1, (*history).rest},
}

var budgets = []string{"first", "second"}

func toggle[K comparable](set map[K]bool, k K) {
	if set[k] {
		delete(set, k)
		return
	}
	set[k] = true
}

// changePod makes a pod that waits larger, or one of a PodGroup's other task.
func (h *history) changePod() {
	if id, ok := pick(h, "pod", h.Members, func(id gang.PodID) bool { return h.Bound[id] == "" }); ok {
		mem := *h.Members[id]
		other, moves := map[string]string{"": "ps", "ps": ""}[mem.Role]
		if moves && h.chance("another role", 1) {
			mem.Role = other
		} else {
			mem.Shape.Request.MilliCPU += 100
		}
		h.Members[id] = &mem
		h.TellPod(id)
	}
}

func (h *history) nodeName() string { return fmt.Sprintf("n%d", h.number("node", 0, 5)) }

func (h *history) changeNode() {
	n := coretest.NodeEvent(h.nodeName(), int64(h.number("cores", 1, 6)), int64(h.number("gib", 4, 32))).Node
	n.Labels = map[string]string{"zone": rapid.SampledFrom([]string{"a", "b"}).Draw(h.t, "zone")}
	if h.chance("with devices", 1) {
		n.Allocatable = n.Allocatable.With("example.com/gpu", int64(h.number("gpus", 1, 4)))
	}
	if h.chance("with zones", 3) {
		n.NUMA = halves(n.Allocatable)
	}
	n.Unschedulable = h.chance("cordoned", 5)
	n.Ready = !h.chance("not ready", 7)
	if h.chance("tainted", 7) {
		n.Taints = []gang.Taint{{Key: "dedicated", Effect: gang.NoSchedule}}
	}
	h.SetNode(n)
}

// halves divides what a node has into two zones.
func halves(all resource.Vector) *numa.Topology {
	zone := resource.Vector{MilliCPU: all.MilliCPU / 2000 * 1000, Memory: all.Memory / 2}.With("example.com/gpu", all.Get("example.com/gpu")/2)
	return &numa.Topology{
		Policy: numa.SingleNUMANode, Scope: numa.Pod, ExclusiveCPUs: true,
		Zones: []numa.Zone{{ID: 0, Capacity: zone, Allocatable: zone}, {ID: 1, Capacity: zone, Allocatable: zone}},
	}
}

func (h *history) loseNode() {
	name, ok := pick(h, "node", h.Nodes, nil)
	if !ok {
		return
	}
	h.RemoveNode(name)
	for _, id := range slices.Sorted(maps.Keys(h.Bound)) {
		if h.Bound[id] == name {
			h.endMember(id, core.Failed)
		}
	}
}

func (h *history) submitSpark() {
	if len(h.Gangs) >= 6 {
		return
	}
	g := gangtest.Spark(h.name("app"), h.number("executors", 0, 4), h.shape())
	g.Created, g.Queue = h.Now, h.queue()
	g.Topology, g.Moves, g.BelowMinimum = h.topology(), h.moves(), h.belowMinimum()
	g.Runtime, g.Application = h.runtime()
	g.NonPreemptible = h.chance("non-preemptible", 3)
	r := &g.Roles[1]
	r.Topology = h.topology()
	if r.Shrinks = h.chance("dynamic", 1); r.Shrinks {
		r.Max += 3
	}
	driver := h.name("pod")
	g.Owner.UID = driver
	h.Declare(g)
	h.Pod(g.ID, "driver", driver, h.shape())
}

func (h *history) makeGroup() {
	if len(h.Gangs) >= 6 {
		return
	}
	g := gangtest.Group(h.name("group"), h.number("minMember", 0, 4))
	g.Created, g.Queue, g.Alone = h.Now, h.queue(), g.MinMember == 1
	if h.chance("tasks", 1) {
		g.Alone = false
		g.Roles = []gang.Role{{Name: "", Max: -1}, {Name: "ps", Min: h.number("minTaskMember", 0, 2), Max: -1}}
	}
	g.Topology, g.Moves, g.BelowMinimum = h.topology(), h.moves(), h.belowMinimum()
	g.Runtime, g.Application = h.runtime()
	g.NonPreemptible = h.chance("non-preemptible", 3)
	if h.chance("minResources", 3) {
		g.MinResources = resource.Vector{MilliCPU: int64(h.number("cores", 1, 8)) * 1000}
	}
	h.Declare(g)
}

// queue draws the name of a queue, or none. Some do not exist, but most do: a history in
// which nobody may start tells little.
func (h *history) queue() string {
	if !h.tenants || !h.chance("names a queue", 2) {
		return ""
	}
	return rapid.SampledFrom(append(slices.Sorted(maps.Keys(h.Queues)), "a")).Draw(h.t, "queue")
}

func (h *history) setQueue() {
	if !h.tenants {
		return
	}
	s := queue.Spec{
		Name: rapid.SampledFrom([]string{"a", "b", "c", "a", "b", "c", "root", "default"}).Draw(h.t, "name"), Created: h.Now,
		Weight: int64(h.number("weight", 1, 3)), Priority: int64(h.number("priority", 0, 1)),
		Backfill: h.chance("backfill", 1), Closed: h.chance("closed", 7),
	}
	if s.Name != queue.Root {
		s.Parent = rapid.SampledFrom([]string{"", "", "a", "b", "root"}).Draw(h.t, "parent")
	}
	if h.chance("capability", 1) {
		s.Capability = queue.LimitsOf(map[string]int64{resource.CPU: int64(h.number("cores", 1, 10)) * 1000})
	}
	if h.chance("deserved", 1) {
		s.Deserved = queue.LimitsOf(map[string]int64{resource.CPU: int64(h.number("cores", 0, 8)) * 1000})
	}
	if h.chance("guarantee", 1) {
		s.Guarantee = resource.Vector{MilliCPU: int64(h.number("cores", 1, 6)) * 1000}
	}
	s.MaxExpected, s.MaxNonPreemptible = h.limit("expected", 2), h.limit("non-preemptible", 1)
	if h.chance("namespaces", 7) {
		s.Namespaces = []string{"elsewhere"}
	}
	h.SetQueue(s)
}

// limit draws how many cores of a part a queue may have; mostly, or often, it does not say.
func (h *history) limit(part string, rarely int) queue.Limits {
	if !h.chance("limits "+part, rarely) {
		return nil
	}
	return coresOf(int64(h.number(part, 0, 6)))
}

// topology draws how near members are to be; most don't care.
func (h *history) topology() gang.Topology {
	if !h.chance("near", 7) {
		return gang.Topology{}
	}
	return gang.Topology{Levels: []string{"zone"}, Required: h.chance("required", 1)}
}

// moves draws what of a gang may be moved.
func (h *history) moves() gang.Moves {
	return rapid.SampledFrom([]gang.Moves{gang.MovesElastic, gang.MovesWhole, gang.MovesNothing}).Draw(h.t, "moves")
}

// runtime draws how long a gang runs, and of which application it is.
func (h *history) runtime() (time.Duration, string) {
	application := rapid.SampledFrom([]string{"", "", "nightly", "hourly"}).Draw(h.t, "application")
	return time.Duration(h.number("runtime", 0, 10)) * time.Minute, application
}

// belowMinimum draws what becomes of a gang that falls below its minimum; some leave
// it to the scheduler.
func (h *history) belowMinimum() gang.BelowMinimum {
	policy := rapid.SampledFrom([]gang.Policy{"", gang.Wait, gang.Go, gang.Continue}).Draw(h.t, "below its minimum")
	return gang.BelowMinimum{Policy: policy, Timeout: time.Duration(h.number("minutes", 0, 8)) * time.Minute}
}

// create makes a pod of a gang's role, in the shape that was declared for it.
func (h *history) create(g gang.Gang, role string) {
	r, _ := g.Role(role)
	shape := r.Shape
	if !r.Expected {
		shape = h.shape()
	}
	h.Now = h.Now.Add(time.Millisecond)
	h.Pod(g.ID, role, h.name("pod"), shape)
	if h.chance("with a priority", 3) {
		id := gang.PodID(fmt.Sprintf("pod%d", h.names))
		h.Members[id].Priority = int64(h.number("priority", -1, 2))
		h.TellPod(id)
	}
	if h.chance("with a budget", 7) {
		id := gang.PodID(fmt.Sprintf("pod%d", h.names))
		h.Members[id].Budgets = budgets[:h.number("budgets", 1, 2)]
		h.TellPod(id)
	}
}

func (h *history) membersOf(id gang.ID, role string) int {
	n := 0
	for _, m := range h.Members {
		if m.Gang == id && m.Role == role {
			n++
		}
	}
	return n
}

// createPods lets an owner create some of its pods: a driver that runs creates
// executors, a PodGroup's owner whatever it likes.
func (h *history) createPods() {
	id, ok := pick(h, "gang", h.Gangs, nil)
	if !ok {
		return
	}
	g := h.Gangs[id]
	for range h.number("pods", 1, 4) {
		h.createOne(g)
	}
}

func (h *history) createOne(g gang.Gang) {
	role := ""
	if r, spark := g.Role("executor"); spark {
		if role = "executor"; !h.driverRuns(g.ID) || h.membersOf(g.ID, role) >= r.Max+1 {
			return
		}
	} else if len(g.Roles) > 0 {
		role = rapid.SampledFrom([]string{"", "ps"}).Draw(h.t, "role")
	}
	if h.membersOf(g.ID, role) < 6 {
		h.create(g, role)
	}
}

func (h *history) driverRuns(id gang.ID) bool {
	for pod, m := range h.Members {
		if m.Gang == id && m.Role == "driver" && h.Bound[pod] != "" && !h.Dying[pod] {
			return true
		}
	}
	return false
}

func (h *history) endPod() {
	id, ok := pick(h, "pod", h.Members, nil)
	if !ok {
		return
	}
	ends := []core.End{core.Deleted}
	if h.Bound[id] != "" {
		ends = []core.End{core.Failed, core.Deleted, core.Succeeded}
	}
	h.endMember(id, rapid.SampledFrom(ends).Draw(h.t, "end"))
}

// endMember ends a member; an application ends with its driver.
func (h *history) endMember(id gang.PodID, end core.End) {
	mem := h.Members[id]
	h.End(string(id), end)
	if mem.Role == "driver" {
		h.Remove(mem.Gang)
	}
}

func (h *history) terminatePod() {
	if id, ok := pick(h, "pod", h.Members, func(id gang.PodID) bool { return !h.Dying[id] }); ok {
		h.Terminate(string(id))
	}
}

func (h *history) editGang() {
	id, ok := pick(h, "gang", h.Gangs, nil)
	if !ok {
		return
	}
	g := h.Gangs[id]
	if _, spark := g.Role("executor"); !spark {
		g.MinMember = h.number("minMember", 0, 5)
		g.Alone = g.MinMember == 1 && len(g.Roles) == 0
	}
	if h.chance("another queue", 3) {
		g.Queue = h.queue()
	}
	if h.chance("another claim", 3) {
		g.NonPreemptible = !g.NonPreemptible
	}
	if h.chance("another policy", 3) {
		g.BelowMinimum = h.belowMinimum()
	}
	g.Roles = slices.Clone(g.Roles)
	for i := range g.Roles {
		if g.Roles[i].Name == "ps" {
			g.Roles[i].Min = h.number("minTaskMember", 0, 2)
		}
	}
	h.Declare(g)
}

func (h *history) refuseGang() {
	if id, ok := pick(h, "gang", h.Gangs, nil); ok {
		g := h.Gangs[id]
		h.Refuse(g, "spark.executor.memory=much: not a quantity")
		if h.chance("mended", 1) {
			h.Declare(g)
		}
	}
}

func (h *history) endGang() {
	if id, ok := pick(h, "gang", h.Gangs, nil); ok {
		h.Remove(id)
	}
}

// otherPod is a pod of another scheduler, which knows nothing of what is held.
func (h *history) otherPod() {
	request := resource.Vector{MilliCPU: int64(h.number("millis", 500, 2000)), Memory: 1 << 30, Pods: 1}
	node, ok := pick(h, "node", h.Nodes, func(name string) bool {
		free := h.Nodes[name].Allocatable
		for _, p := range h.On(name) {
			free = free.Sub(p.Request)
		}
		return request.Fits(free)
	})
	if ok {
		h.Other(h.name("other"), node, request)
	}
}

func (h *history) singlePod() {
	if !h.Synced {
		return
	}
	request := resource.Vector{MilliCPU: int64(h.number("millis", 500, 2000)), Memory: 1 << 30, Pods: 1}
	node, ok := pick(h, "node", h.Nodes, func(name string) bool {
		free, _ := h.Free(name, "")
		return request.Fits(free)
	})
	if ok {
		h.Single(h.name("single"), node, request, coretest.Fate(h.number("fate", 0, 2)))
	}
}

func (h *history) bindOutside() {
	id, ok := pick(h, "pod", h.Members, func(id gang.PodID) bool { return h.Bound[id] == "" && !h.Dying[id] })
	if !ok {
		return
	}
	if node, ok := pick(h, "node", h.Nodes, nil); ok {
		h.BindOutside(id, node)
	}
}
