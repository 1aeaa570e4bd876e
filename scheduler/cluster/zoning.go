package cluster

import (
	"maps"
	"slices"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// ZoneReport is what a node says of its zones at one moment.
type ZoneReport struct {
	// Free is what each zone has left, in the order of the topology's zones.
	Free []resource.Vector `json:"free"`
	// Pods is the fingerprint of the pods that were on the node then. Only a report
	// of exactly the pods that are known now is believed: an older one, or one that
	// is ahead of what is known, says nothing of them. A report without a fingerprint
	// is believed where nothing is known, no pod is arriving, and as much is taken in
	// all as the pods that are known take.
	Pods string `json:"pods,omitempty"`
}

// zoning is the book of a node's zones. The kubelet chooses the zones of a pod when
// it admits it; the choice is foretold, and set right by the node's reports.
type zoning struct {
	topology *numa.Topology
	// state is what admitted pods leave. It is nil while it is not known.
	state numa.State
	// arriving pods are bound, and the kubelet may admit them in any order, or has
	// already; the value says whether it surely has.
	arriving map[gang.PodID]arrival
	// admitted pods, each with those of which it is not known who was first.
	admitted map[gang.PodID]*batch
	// blurred counts the batches of which some have gone, and it is not known what
	// these had.
	blurred int
	report  *ZoneReport // the last one, unless it has been made use of
}

type arrival struct {
	demand  *numa.Demand
	started bool
}

// batch is pods that were admitted in an order that nobody saw. What they take
// together is known, or nothing of it.
type batch struct {
	takes []numa.Allocation // nil if it is not known
	left  int               // how many of the pods are still there
	gone  int               // of which it is not known what they gave back
}

func newZoning(t *numa.Topology) *zoning {
	return &zoning{topology: t, state: t.Empty(), arriving: map[gang.PodID]arrival{}, admitted: map[gang.PodID]*batch{}}
}

// set takes in a pod on the node, as it is now.
func (z *zoning) set(p *Pod) {
	if p.Aligned == nil || z.admitted[p.ID] != nil {
		return
	}
	if _, known := z.arriving[p.ID]; !known && p.Started {
		// Nobody saw what was there when it came.
		z.admitted[p.ID] = &batch{left: 1}
		z.state = nil
		return
	}
	z.arriving[p.ID] = arrival{p.Aligned, p.Started}
	z.settle()
}

// settle takes arriving pods for admitted once the kubelet has admitted all of them.
func (z *zoning) settle() {
	if len(z.arriving) == 0 {
		return
	}
	for _, a := range z.arriving {
		if !a.started {
			return
		}
	}
	b := &batch{left: len(z.arriving)}
	if z.known() {
		z.state, b.takes, _ = z.topology.Settle(z.state, z.demands())
	} else {
		z.state = nil
	}
	z.admit(b)
}

func (z *zoning) admit(b *batch) {
	for id := range z.arriving {
		z.admitted[id] = b
	}
	clear(z.arriving)
}

// known says whether it is known what admitted pods leave.
func (z *zoning) known() bool { return z.state != nil && z.blurred == 0 }

// demands are those of the arriving pods, in the order of their IDs.
func (z *zoning) demands() []*numa.Demand {
	out := make([]*numa.Demand, 0, len(z.arriving))
	for _, id := range slices.Sorted(maps.Keys(z.arriving)) {
		out = append(out, z.arriving[id].demand)
	}
	return out
}

// remove takes in that a pod has left the node.
func (z *zoning) remove(id gang.PodID) {
	_, arriving := z.arriving[id]
	delete(z.arriving, id)
	b := z.admitted[id]
	delete(z.admitted, id)
	switch {
	case !arriving && b == nil:
		return
	case len(z.arriving) > 0:
		z.state = nil // the others are admitted beside it, or in its place
	case b != nil && z.state != nil:
		z.give(b)
	}
	z.settle()
	if len(z.arriving)+len(z.admitted) == 0 {
		z.state, z.blurred = z.topology.Empty(), 0
	}
}

// give takes back what one pod of a batch had.
func (z *zoning) give(b *batch) {
	b.left--
	switch {
	case b.takes == nil:
		z.state = nil
	case b.gone == 0 && allEqual(b.takes):
		z.state = z.topology.Give(z.state, b.takes[0])
		b.takes = b.takes[1:]
	case b.left > 0:
		if b.gone == 0 {
			z.blurred++
		}
		b.gone++
	default:
		for _, a := range b.takes {
			z.state = z.topology.Give(z.state, a)
		}
		z.blurred--
	}
}

func allEqual(takes []numa.Allocation) bool {
	return !slices.ContainsFunc(takes, func(a numa.Allocation) bool {
		return a.Uncertain || !slices.Equal(a.Blocks, takes[0].Blocks)
	})
}

// believe makes use of the last report if it is of exactly the pods that are on the
// node, and tells what all of them have: then the kubelet has admitted them. What was
// foretold stays if the report agrees; else the report counts, and it is not known
// what each pod has. It reports whether more is known now.
func (z *zoning) believe(pods map[gang.PodID]Pod) bool {
	if z.report == nil || len(z.report.Free) != len(z.topology.Zones) || !z.covers(pods) {
		return false
	}
	free, arriving := z.report.Free, len(z.arriving) > 0
	if z.foretold(free) {
		z.report = nil
		return arriving
	}
	if !z.topology.Tells(free, demandsOf(pods)) {
		return false
	}
	z.report = nil
	z.state, z.blurred = z.topology.Observed(free), 0
	b := &batch{left: len(z.arriving) + len(z.admitted)}
	z.admit(b)
	for id := range z.admitted {
		z.admitted[id] = b
	}
	return true
}

// covers says whether the last report is of exactly these pods. Of one that does not
// tell it is only held where nothing better is known, no pod is arriving, and exactly
// what the pods have is taken.
func (z *zoning) covers(pods map[gang.PodID]Pod) bool {
	if z.report.Pods != "" {
		return z.report.Pods == Fingerprint(maps.Values(pods))
	}
	return len(z.arriving) == 0 && !z.known() && z.topology.AddsUp(z.report.Free, demandsOf(pods))
}

// foretold says whether a report agrees with what is known, once all that are
// arriving have been admitted, and takes them for admitted then.
func (z *zoning) foretold(free []resource.Vector) bool {
	if !z.known() {
		return false
	}
	state, takes, ok := z.topology.Settle(z.state, z.demands())
	if !ok || !z.topology.Agrees(state, free) {
		return false
	}
	z.state = state
	z.admit(&batch{left: len(z.arriving), takes: takes})
	return true
}

// Zones is what a plan may count on of a node's zones. It is never changed in place.
type Zones struct {
	Topology *numa.Topology
	// State is what admitted pods leave; nil while that is not known.
	State numa.State
	// Arriving are the demands of pods that the kubelet is still to admit, in any
	// order, and of members for which room is held.
	Arriving []*numa.Demand
}

// zones is the book as a plan sees it; nil where there is none.
func (z *zoning) zones() *Zones {
	if z == nil {
		return nil
	}
	out := &Zones{Topology: z.topology, Arriving: z.demands()}
	if z.known() {
		out.State = z.state
	}
	return out
}

// With is the same with one more pod that is to come.
func (z *Zones) With(d *numa.Demand) *Zones {
	if z == nil || d == nil {
		return z
	}
	out := *z
	out.Arriving = append(slices.Clip(out.Arriving), d)
	return &out
}

// Admits says whether all that are arriving will be admitted, in whatever order, as
// far as that is known.
func (z *Zones) Admits() bool {
	return z == nil || z.State == nil || len(z.Arriving) == 0 || z.Topology.AdmitAll(z.State, z.Arriving)
}

// Times says how often a pod can come, at most limit, so that it, and all that are
// arriving, are admitted in whatever order they come. others are more that come.
func (z *Zones) Times(d *numa.Demand, others []*numa.Demand, limit int) int {
	switch {
	case z == nil || d == nil || limit <= 0:
		return max(limit, 0)
	case z.State == nil:
		return 0
	case len(z.Arriving)+len(others) == 0:
		return z.Topology.Times(z.State, d, limit)
	}
	var few [16]*numa.Demand // mostly enough, and then it costs nothing
	all := append(append(few[:0], z.Arriving...), others...)
	if !slices.ContainsFunc(all, func(o *numa.Demand) bool { return !o.Equal(d) }) {
		return max(z.Topology.Times(z.State, d, len(all)+limit)-len(all), 0)
	}
	for k := range limit {
		if all = append(all, d); !z.Topology.AdmitAll(z.State, all) {
			return k
		}
	}
	return limit
}
