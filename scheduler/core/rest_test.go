package core_test

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// rest mends what is out of order, lets everything arrive and enough time pass
// for every veto to be forgotten. Then nothing may be on its way any more, the
// machine must know the truth, and no gang may be stranded.
func (h *history) rest() {
	clear(h.vetoed)
	clear(h.apart)
	clear(h.unready)
	clear(h.broken)
	h.fates, h.budget, h.forbidden = false, false, false
	for range 4 {
		h.RetryEvictions()
		h.arrive()
		h.Now = h.Now.Add(h.Options.VetoTimeout + time.Second)
		h.Step(core.Tick{})
	}
	h.arrive()
	h.awaitAsks()
	if what := h.Machine.UnderWay(); what != "" {
		h.fail("nothing is under way at rest: %s", what)
	}
	if err := h.Machine.Differs(h.Nodes, h.running()); err != nil {
		h.fail("the machine knows the truth at rest: %v", err)
	}
	for _, id := range slices.Sorted(maps.Keys(h.Members)) {
		h.checkStranded(id)
	}
	h.checkGone()
	h.checkFigures()
	if asked := h.Machine.Asked(); !reflect.DeepEqual(asked, h.Asked) {
		h.fail("autoscalers are asked for what is lacking at rest: they are for %v, and should be for %v", h.Asked, asked)
	}
}

// awaitAsks lets the time pass in which a lack must last before it is asked for: the
// last of what has happened may have changed one.
func (h *history) awaitAsks() {
	for range 3 {
		if reflect.DeepEqual(h.Machine.Asked(), h.Asked) {
			return
		}
		h.Now = h.Now.Add(h.Options.AskAfter)
		h.Step(core.Tick{})
		h.arrive()
	}
}

// checkGone says that of a gang that goes nothing runs any more.
func (h *history) checkGone() {
	for _, r := range h.Machine.Records() {
		if r.Phase == core.Leaving && h.runs(r.Gang) {
			h.fail("a gang that goes is gone at rest: %s is not", r.Gang)
		}
	}
}

// checkFigures compares sums with the records that they are of, and with what
// the board promises to these gangs: a move under way keeps room besides.
func (h *history) checkFigures() {
	gangs, known, unclaimed := map[core.Phase]int{}, map[gang.ID]bool{}, resource.Vector{}
	for _, r := range h.Machine.Records() {
		gangs[r.Phase]++
		known[r.Gang] = true
	}
	for node := range h.Nodes {
		for _, held := range h.Board.Held(node) {
			if held.Claimant == "" && known[held.Gang] {
				unclaimed = unclaimed.Add(held.Request)
			}
		}
	}
	if f := h.Machine.Figures(); !maps.Equal(f.Gangs, gangs) || !f.Unclaimed.Equal(unclaimed) {
		h.fail("figures are the sums of records: %+v, records have %v and %s", f, gangs, unclaimed)
	}
}

// arrive is DeliverAll, but notices when that would never end.
func (h *history) arrive() {
	for n := 0; h.InFlight() > 0; n++ {
		if h.Deliver(0); n > 5000 {
			h.fail("the world comes to rest: 5000 events, and more follow")
		}
	}
}

func (h *history) running() []cluster.Pod {
	out := slices.Collect(maps.Values(h.Others))
	for id := range h.Bound {
		out = append(out, h.PodEvent(id).Pod)
	}
	return out
}

// isNear says whether a node is near enough to those of a gang that hold room, as far
// as that is plain: they may have been torn apart by a change of the nodes.
func (h *history) isNear(r core.Record, role string, node cluster.Node) bool {
	g := h.Gangs[r.Gang]
	own, _ := g.Role(role)
	for _, s := range r.Slots {
		there := h.Nodes[s.Node]
		if (g.Topology.Required || (own.Topology.Required && s.Role == role)) && there.Domain("zone") != node.Domain("zone") {
			return false
		}
	}
	required := g.Topology.Required || own.Topology.Required
	return !required || node.Domain("zone") != ""
}

// checkStranded looks at a member that waits while others of its gang run. If
// the gang is below its minimum, there must be no room for it anywhere.
func (h *history) checkStranded(id gang.PodID) {
	mem := h.Members[id]
	if h.Bound[id] != "" || h.Dying[id] || !h.runs(mem.Gang) {
		return
	}
	if _, declared := h.Gangs[mem.Gang]; !declared {
		return
	}
	r, _ := h.Machine.Record(mem.Gang)
	if r.Phase != core.Started && r.Phase != core.Leaving {
		h.fail("no gang is stranded: %s of %s waits while others run, and the gang is %s", id, mem.Gang, r.Phase)
	}
	if r.Phase == core.Leaving || h.Machine.Lacks(mem.Gang, mem.Role) <= 0 {
		return
	}
	for _, node := range h.Nodes {
		if mem.Shape.Aligned != nil && node.NUMA != nil {
			continue // its zones may be full, or not known
		}
		free, _ := h.Free(node.Name, id)
		if h.isNear(r, mem.Role, node) && len(cluster.Suits(&node, &mem.Shape)) == 0 && mem.Shape.Request.Fits(free) && !h.portsTaken(node.Name, mem) {
			h.fail("no gang is stranded: %s of %s waits below the minimum, and there is room on %s", id, mem.Gang, node.Name)
		}
	}
}

func (h *history) portsTaken(node string, mem *core.Member) bool {
	for _, p := range h.On(node) {
		for _, port := range p.HostPorts {
			if slices.Contains(mem.Shape.HostPorts, port) {
				return true
			}
		}
	}
	return len(mem.Shape.HostPorts) > 0 && len(h.Board.Held(node)) > 0
}

// runs says whether a member of a gang is bound that is not being deleted.
func (h *history) runs(id gang.ID) bool {
	for pod, m := range h.Members {
		if m.Gang == id && h.Bound[pod] != "" && !h.Dying[pod] {
			return true
		}
	}
	return false
}

// windDown lets everything end. What waits must start then, one after the
// other, and in the end nothing may be left.
func (h *history) windDown() {
	for quiet := 0; quiet < 2; {
		h.complete()
		h.rest()
		ended := false
		for _, id := range slices.Sorted(maps.Keys(h.Others)) {
			h.End(string(id), core.Deleted)
			ended = true
		}
		for _, id := range slices.Sorted(maps.Keys(h.Dying)) {
			h.endMember(id, core.Deleted)
			ended = true
		}
		for _, id := range slices.Sorted(maps.Keys(h.Gangs)) {
			if h.runs(id) {
				h.endAll(id)
				ended = true
			}
		}
		for _, id := range slices.Sorted(maps.Keys(h.Bound)) {
			if h.Members[id] != nil { // its gang has ended before
				h.End(string(id), core.Succeeded)
				ended = true
			}
		}
		if quiet++; ended {
			quiet = 0
		}
		h.arrive()
		h.Now = h.Now.Add(h.Options.ExpectedTimeout) // nobody will come any more
	}
	for _, id := range slices.Sorted(maps.Keys(h.Gangs)) {
		if h.Machine.Startable(id) {
			h.fail("every gang starts in the end: %s does not", id)
		}
	}
	h.endEverything()
}

// complete creates what gangs lack of their minimum.
func (h *history) complete() {
	for _, id := range slices.Sorted(maps.Keys(h.Gangs)) {
		g := h.Gangs[id]
		if h.driverRuns(id) {
			for h.membersOf(id, "executor") < g.Roles[1].Min {
				h.create(g, "executor")
			}
		}
		if _, spark := g.Role("executor"); !spark {
			for r, ok := g.Role("ps"); ok && h.membersOf(id, "ps") < r.Min; {
				h.create(g, "ps")
			}
			for h.membersOf(id, "")+h.membersOf(id, "ps") < max(g.MinMember, 1) {
				h.create(g, "")
			}
		}
	}
}

func (h *history) endAll(id gang.ID) {
	for _, pod := range slices.Sorted(maps.Keys(h.Members)) {
		if h.Members[pod].Gang == id {
			h.End(string(pod), core.Succeeded)
		}
	}
	h.Remove(id)
}

func (h *history) endEverything() {
	for _, pod := range slices.Sorted(maps.Keys(h.Members)) {
		h.End(string(pod), core.Deleted)
	}
	for _, id := range slices.Sorted(maps.Keys(h.Gangs)) {
		h.Remove(id)
	}
	for _, id := range slices.Sorted(maps.Keys(h.Refused)) {
		h.Remove(id)
	}
	h.rest()
	if what := h.Machine.Left(); what != "" {
		h.fail("nothing is kept when everything has ended: %s", what)
	}
	if what := h.Board.Left(); what != "" {
		h.fail("nothing is shown when everything has ended: %s", what)
	}
	for id, slots := range h.Stored {
		h.fail("no reservation is left when everything has ended: %v of %s", slots, id)
	}
	for id, lacks := range h.Asked {
		h.fail("nobody asks for room when everything has ended: %v of %s", lacks, id)
	}
}
