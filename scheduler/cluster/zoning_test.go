package cluster

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

const gpu = "example.com/gpu"

// twoZones is a machine of two zones with eight CPUs and four GPUs each.
func twoZones(policy numa.Policy, scope numa.Scope) *numa.Topology {
	zone := resource.Vector{MilliCPU: 8000, Memory: 32 << 30}.With(gpu, 4)
	return &numa.Topology{
		Policy: policy, Scope: scope, ExclusiveCPUs: true,
		Zones: []numa.Zone{{ID: 0, Capacity: zone, Allocatable: zone}, {ID: 1, Capacity: zone, Allocatable: zone}},
	}
}

// pinned is a pod of one container with exclusive CPUs and GPUs.
func pinned(cpus, gpus int64) *numa.Demand {
	asks := resource.Vector{MilliCPU: cpus * 1000, Memory: 1 << 30}.With(gpu, gpus)
	return &numa.Demand{Pinned: true, Containers: []numa.Claim{{Asks: asks}}}
}

// node is a table with one node, and the kubelet of that node.
type node struct {
	*Table
	kubelet   numa.State
	had       map[gang.PodID]numa.Allocation // admitted
	waiting   []gang.PodID                   // bound, and not seen by the kubelet
	demands   map[gang.PodID]*numa.Demand
	names     int
	topology  *numa.Topology
	unstarted []gang.PodID // admitted, which is not known yet
}

func newNode(t *numa.Topology) *node {
	n := &node{Table: NewTable(), kubelet: t.Empty(), had: map[gang.PodID]numa.Allocation{}, demands: map[gang.PodID]*numa.Demand{}, topology: t}
	n.SetNode(Node{Name: "n", Ready: true, NUMA: t, Allocatable: resource.Vector{Pods: 110}})
	return n
}

func (n *node) zones() *Zones {
	row, _ := n.Row("n")
	return row.Zones
}

// bind puts a pod onto the node.
func (n *node) bind(d *numa.Demand) gang.PodID {
	n.names++
	id := gang.PodID(fmt.Sprint("p", n.names))
	n.demands[id] = d
	n.waiting = append(n.waiting, id)
	n.SetPod(n.pod(id, false))
	return id
}

func (n *node) pod(id gang.PodID, started bool) Pod {
	return Pod{ID: id, Name: string(id), Node: "n", Aligned: n.demands[id], Started: started}
}

// admit lets the kubelet see a pod. It reports false if that refuses it.
func (n *node) admit(i int) bool {
	id := n.waiting[i]
	n.waiting = slices.Delete(n.waiting, i, i+1)
	a, refusal := n.topology.Admit(n.kubelet, n.demands[id])
	if refusal != nil {
		return false
	}
	n.kubelet, n.had[id] = n.kubelet.Take(a), a
	n.unstarted = append(n.unstarted, id)
	return true
}

// start makes it known that the kubelet has admitted a pod.
func (n *node) start(i int) {
	id := n.unstarted[i]
	n.unstarted = slices.Delete(n.unstarted, i, i+1)
	n.SetPod(n.pod(id, true))
}

// end ends a pod that the kubelet has admitted.
func (n *node) end(id gang.PodID) {
	n.kubelet = n.topology.Give(n.kubelet, n.had[id])
	delete(n.had, id)
	n.unstarted = slices.DeleteFunc(n.unstarted, func(o gang.PodID) bool { return o == id })
	n.RemovePod(id)
}

// report is what the kubelet would say now.
func (n *node) report() ZoneReport {
	r := ZoneReport{Pods: n.fingerprintOf()}
	for _, f := range n.kubelet {
		r.Free = append(r.Free, f.Left)
	}
	return r
}

// halfway is what the kubelet would say while it admits a pod.
func (n *node) halfway(i int) ZoneReport {
	r := n.report()
	r.Pods = n.fingerprintOf(n.waiting[i])
	return r
}

// fingerprintOf stands for the pods that the kubelet has admitted, and more.
func (n *node) fingerprintOf(more ...gang.PodID) string {
	return Fingerprint(func(yield func(Pod) bool) {
		for _, id := range slices.Concat(slices.Sorted(maps.Keys(n.had)), more) {
			if !yield(n.pod(id, true)) {
				return
			}
		}
	})
}

func TestZonesAreForetold(t *testing.T) {
	n := newNode(twoZones(numa.SingleNUMANode, numa.Container))
	if got := n.zones().Times(pinned(4, 2), nil, 99); got != 4 {
		t.Fatalf("an empty node takes %d, want 4", got)
	}
	n.bind(pinned(4, 2))
	n.bind(pinned(4, 2))
	if got := n.zones().Times(pinned(4, 2), nil, 99); got != 2 {
		t.Errorf("beside two that arrive it takes %d, want 2", got)
	}
	if got := n.zones().Times(pinned(8, 4), nil, 99); got != 1 {
		t.Errorf("beside two that go to one zone there is room for %d that fill the other, want 1", got)
	}
	n.admit(0)
	n.start(0)
	if got := len(n.zones().Arriving); got != 2 {
		t.Errorf("%d are arriving, want both: nobody knows which of them was first", got)
	}
	n.admit(0)
	n.start(0)
	if z := n.zones(); len(z.Arriving) != 0 || !z.State.Equal(n.kubelet) {
		t.Errorf("foretold is %v, the kubelet has %v", z.State, n.kubelet)
	}
}

func TestAPodThatTookAnUnknownZoneLeavesADoubt(t *testing.T) {
	n := newNode(twoZones(numa.SingleNUMANode, numa.Container))
	a, b := n.bind(pinned(8, 4)), n.bind(pinned(8, 4))
	for range 2 {
		n.admit(0)
		n.start(0)
	}
	n.end(a)
	if z := n.zones(); z.State != nil {
		t.Fatalf("which of two zones is free is held to be known: %v", z.State)
	}
	if got := n.zones().Times(pinned(1, 1), nil, 9); got != 0 {
		t.Errorf("%d pods are placed into the unknown", got)
	}
	n.ReportZones("n", n.report())
	if z := n.zones(); z.State == nil || !z.State.Equal(n.kubelet) {
		t.Errorf("after a report foretold is %v, the kubelet has %v", z.State, n.kubelet)
	}
	n.end(b)
	if z := n.zones(); !z.State.Equal(n.kubelet) {
		t.Errorf("an empty node is known as %v", z.State)
	}
}

func TestAReportOfOtherPodsIsNotBelieved(t *testing.T) {
	n := newNode(twoZones(numa.SingleNUMANode, numa.Container))
	before := n.report()
	n.bind(pinned(8, 4))
	n.admit(0)
	n.start(0)
	n.ReportZones("n", before)
	if z := n.zones(); !z.State.Equal(n.kubelet) {
		t.Errorf("an old report is believed: %v", z.State)
	}
	// One that is ahead counts once the pods are known.
	m := newNode(twoZones(numa.SingleNUMANode, numa.Container))
	m.SetPod(Pod{ID: "p1", Name: "p1", Node: "n", Aligned: pinned(8, 4), Started: true})
	if m.zones().State != nil {
		t.Fatal("the zone of a pod that was there before us is held to be known")
	}
	ahead := n.report()
	m.RemovePod("p1")
	m.ReportZones("n", ahead)
	m.SetPod(Pod{ID: "p1", Name: "p1", Node: "n", Aligned: pinned(8, 4), Started: true})
	if z := m.zones(); z.State == nil || !z.State.Equal(n.kubelet) {
		t.Errorf("the report of the pods that are there is not believed: %v", z.State)
	}
}

func TestAReportThatNamesNoPodsIsBelievedIfItAddsUp(t *testing.T) {
	n := newNode(twoZones(numa.SingleNUMANode, numa.Container))
	n.bind(pinned(3, 1))
	n.admit(0)
	n.unstarted = nil
	n.RemovePod("p1")
	n.SetPod(n.pod("p1", true)) // as if it had been there before us
	if n.zones().State != nil {
		t.Fatal("the zone of a pod that was there before us is held to be known")
	}
	r := n.report()
	r.Pods = ""
	less := ZoneReport{Free: []resource.Vector{r.Free[0].With(resource.CPU, 6000), r.Free[1]}}
	n.ReportZones("n", less)
	if n.zones().State != nil {
		t.Error("a report of which less is taken than the pod has is believed")
	}
	n.ReportZones("n", r)
	if z := n.zones(); z.State == nil || !z.State.Equal(n.kubelet) {
		t.Errorf("a report that adds up is not believed: %v", z.State)
	}
	// What is known already is better than a report of nobody knows which pods.
	n.bind(pinned(8, 4))
	n.admit(0)
	n.start(0)
	n.ReportZones("n", ZoneReport{Free: []resource.Vector{r.Free[1], r.Free[0]}})
	if z := n.zones(); !z.State.Equal(n.kubelet) {
		t.Errorf("it goes before what is known: %v", z.State)
	}
}

func TestAReportFromTheMidstOfAnAdmissionIsNotBelieved(t *testing.T) {
	n := newNode(twoZones(numa.SingleNUMANode, numa.Container))
	n.bind(pinned(8, 4))
	halfway := n.halfway(0)
	n.ReportZones("n", halfway)
	if z := n.zones(); len(z.Arriving) != 1 {
		t.Errorf("a pod that has nothing yet is held to be admitted: %+v", z)
	}
	n.admit(0)
	n.start(0)
	n.ReportZones("n", halfway)
	if z := n.zones(); !z.State.Equal(n.kubelet) {
		t.Errorf("foretold is %v, the kubelet has %v", z.State, n.kubelet)
	}
}

func TestAKubeletThatOnlyPrefersNeedsNoBook(t *testing.T) {
	for _, policy := range []numa.Policy{numa.None, numa.BestEffort} {
		if z := newNode(twoZones(policy, numa.Pod)).zones(); z != nil {
			t.Errorf("%s: %+v", policy, z)
		}
	}
}

// TestNoPodIsRefused lets pods come whenever the book has room for them, be admitted
// and become known in any order, end, and the node report, sometimes late.
func TestNoPodIsRefused(t *testing.T) {
	refused, bound := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		policy := rapid.SampledFrom([]numa.Policy{numa.SingleNUMANode, numa.Restricted}).Draw(t, "policy")
		n := newNode(twoZones(policy, rapid.SampledFrom([]numa.Scope{numa.Container, numa.Pod}).Draw(t, "scope")))
		var late *ZoneReport
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			switch rapid.IntRange(0, 8).Draw(t, "event") {
			case 0, 1:
				d := pinned(rapid.Int64Range(1, 8).Draw(t, "cpus"), rapid.Int64Range(0, 4).Draw(t, "gpus"))
				for range n.zones().Times(d, nil, rapid.IntRange(1, 3).Draw(t, "pods")) {
					n.bind(d)
					bound++
				}
			case 2, 3:
				if len(n.waiting) > 0 && !n.admit(rapid.IntRange(0, len(n.waiting)-1).Draw(t, "which")) {
					t.Fatalf("the kubelet refuses a pod")
				}
			case 4:
				if len(n.unstarted) > 0 {
					n.start(rapid.IntRange(0, len(n.unstarted)-1).Draw(t, "which"))
				}
			case 5:
				// A pod that ends in the moment in which others are on their way lets the
				// kubelet choose anew, and nobody can foretell whether it ends.
				if ids := slices.Sorted(maps.Keys(n.had)); len(ids) > 0 && len(n.waiting) == 0 {
					n.end(rapid.SampledFrom(ids).Draw(t, "which"))
				}
			case 6:
				r := n.report()
				n.ReportZones("n", r)
			case 7: // a report is under way for a while
				if late != nil {
					n.ReportZones("n", *late)
				}
				r := n.report()
				late = &r
			case 8:
				if len(n.waiting) > 0 {
					r := n.halfway(rapid.IntRange(0, len(n.waiting)-1).Draw(t, "which"))
					late = &r
				}
			}
			if z := n.zones(); z.State != nil && len(n.waiting)+len(n.unstarted) == 0 && len(z.Arriving) == 0 && !z.State.Equal(n.kubelet) {
				t.Fatalf("foretold is %v, the kubelet has %v", z.State, n.kubelet)
			}
		}
	})
	t.Logf("%d pods were bound, %d refused", bound, refused)
	if bound == 0 && !testing.Short() {
		t.Error("no pod was ever bound")
	}
}
