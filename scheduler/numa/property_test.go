package numa_test

import (
	"encoding/json"
	"math/bits"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

func topologies() *rapid.Generator[*numa.Topology] {
	return rapid.Custom(func(t *rapid.T) *numa.Topology {
		out := &numa.Topology{
			Policy:        rapid.SampledFrom([]numa.Policy{numa.None, numa.BestEffort, numa.Restricted, numa.SingleNUMANode}).Draw(t, "policy"),
			Scope:         rapid.SampledFrom([]numa.Scope{numa.Container, numa.Pod}).Draw(t, "scope"),
			PreferClosest: rapid.Bool().Draw(t, "prefer closest"),
			ExclusiveCPUs: rapid.Bool().Draw(t, "exclusive CPUs"),
			PinnedMemory:  rapid.Bool().Draw(t, "pinned memory"),
			FullCores:     rapid.SampledFrom([]int64{0, 0, 2}).Draw(t, "full cores"),
		}
		zones := rapid.IntRange(1, 4).Draw(t, "zones")
		for id := range zones {
			cpus := rapid.Int64Range(0, 4).Draw(t, "cores") * 2000
			all := resource.Of(amounts{
				"cpu": cpus, "memory": rapid.Int64Range(1, 8).Draw(t, "memory") * gi, pages: 2 * gi,
				gpu: rapid.Int64Range(0, 4).Draw(t, "GPUs"),
			})
			zone := numa.Zone{ID: id, Capacity: all, Allocatable: all}
			if cpus > 0 && rapid.Bool().Draw(t, "reserved") {
				zone.Allocatable = all.With("cpu", cpus-2000)
			}
			zone.Costs = rapid.SliceOfN(rapid.Int64Range(10, 13), zones, zones).Draw(t, "costs")
			out.Zones = append(out.Zones, zone)
		}
		return out
	})
}

func demands() *rapid.Generator[*numa.Demand] {
	return rapid.Custom(func(t *rapid.T) *numa.Demand {
		d := &numa.Demand{Pinned: rapid.IntRange(0, 3).Draw(t, "pinned") > 0}
		for range rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(t, "containers") {
			role := rapid.SampledFrom([]numa.Role{numa.App, numa.App, numa.App, numa.Init, numa.Sidecar}).Draw(t, "role")
			d.Containers = append(d.Containers, numa.Claim{Role: role, Asks: resource.Of(amounts{
				"cpu":    rapid.SampledFrom([]int64{0, 1000, 2000, 2000, 4000, 9000, 1500}).Draw(t, "cpu"),
				"memory": rapid.SampledFrom([]int64{0, 1, 1, 2, 3, 9}).Draw(t, "memory") * gi,
				pages:    rapid.SampledFrom([]int64{0, 0, 0, 1, 3}).Draw(t, "pages") * gi,
				gpu:      rapid.SampledFrom([]int64{0, 0, 1, 2, 5}).Draw(t, "GPUs"),
				license:  rapid.SampledFrom([]int64{0, 0, 1}).Draw(t, "licenses"),
			})})
		}
		return d
	})
}

// TestZonesAreNeverOverdrawn holds, for each state of a stream of pods:
//   - every zone has left between nothing and what it can give;
//   - what an allocation has of a resource is at most what the pod asks for;
//   - a zone is in a group only while it has blocks, and all of the group are;
//   - a pod that goes at once leaves the state as it was;
//   - at the end of all pods the node is empty.
func TestZonesAreNeverOverdrawn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topology := topologies().Draw(t, "topology")
		s := topology.Empty()
		var running []numa.Allocation
		for _, d := range rapid.SliceOfN(demands(), 1, 8).Draw(t, "pods") {
			before := slices.Clone(s)
			a, refusal := topology.Admit(s, d)
			if !reflect.DeepEqual(s, before) {
				t.Fatalf("Admit changed its state")
			}
			if refusal != nil {
				continue
			}
			boundedByAsks(t, d, a)
			s = s.Take(a)
			running = append(running, a)
			sound(t, topology, s)
			if back := topology.Give(s, a); !reflect.DeepEqual(grouped(back), grouped(before)) {
				t.Fatalf("Give(Take(%+v)) of %+v is %+v", before, a, back)
			}
			if len(running) > 1 && rapid.Bool().Draw(t, "one ends") {
				i := rapid.IntRange(0, len(running)-1).Draw(t, "which")
				s = topology.Give(s, running[i])
				running = slices.Delete(running, i, i+1)
				sound(t, topology, s)
			}
		}
		for _, a := range running {
			s = topology.Give(s, a)
		}
		if !reflect.DeepEqual(s, topology.Empty()) {
			t.Fatalf("all pods have gone, but %+v is left", s)
		}
	})
}

func sound(t *rapid.T, topology *numa.Topology, s numa.State) {
	for z, f := range s {
		all := topology.Zones[z].Allocatable
		if !f.Left.Fits(all) || !(resource.Vector{}).Sub(f.Left).Fits(resource.Vector{}) {
			t.Fatalf("zone %d has %s left of %s", z, f.Left, all)
		}
		if f.Blocks < 0 || f.Group != 0 && (f.Blocks == 0 || bits.OnesCount64(uint64(f.Group)) < 2) {
			t.Fatalf("zone %d has %+v left", z, f)
		}
		for other := range s {
			if f.Group>>other&1 == 1 && s[other].Group != f.Group {
				t.Fatalf("zone %d is in group %b, and its zone %d in %b", z, f.Group, other, s[other].Group)
			}
		}
	}
}

func boundedByAsks(t *rapid.T, d *numa.Demand, a numa.Allocation) {
	var asked, got resource.Vector
	for _, c := range d.Containers {
		asked = asked.Add(c.Asks)
	}
	for _, b := range a.Blocks {
		got = got.Add(resource.Of(amounts{b.Resource: b.Amount}))
	}
	if !got.Fits(asked) {
		t.Fatalf("%+v asks for %s and gets %s", d, asked, got)
	}
}

// grouped moves the memory that zones of a group have left to the first of them:
// how it is split among them means nothing.
func grouped(s numa.State) numa.State {
	out := slices.Clone(s)
	for z, f := range s {
		first := bits.TrailingZeros64(uint64(f.Group))
		if f.Group == 0 || z == first {
			continue
		}
		for _, name := range []string{resource.Memory, pages} {
			out[first].Left = out[first].Left.With(name, out[first].Left.Get(name)+out[z].Left.Get(name))
			out[z].Left = out[z].Left.With(name, 0)
		}
	}
	return out
}

// states are those that streams of pods lead to.
func states(topology *numa.Topology) *rapid.Generator[numa.State] {
	return rapid.Custom(func(t *rapid.T) numa.State {
		s := topology.Empty()
		for _, d := range rapid.SliceOfN(demands(), 0, 4).Draw(t, "running") {
			if a, refusal := topology.Admit(s, d); refusal == nil {
				s = s.Take(a)
			}
		}
		return s
	})
}

func TestTimesIsWhatAdmittingOneByOneGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topology := topologies().Filter((*numa.Topology).Refuses).Draw(t, "topology")
		s := states(topology).Draw(t, "state")
		d := demands().Draw(t, "pod")
		limit := rapid.IntRange(0, 9).Draw(t, "limit")
		got := topology.Times(s, d, limit)
		want, certain := 0, true
		for at := s; certain && want < limit; want++ {
			a, refusal := topology.Admit(at, d)
			if refusal != nil {
				break
			}
			certain, at = !a.Uncertain, at.Take(a)
		}
		if got != want {
			t.Fatalf("Times is %d, one by one %d are admitted", got, want)
		}
	})
}

func TestAdmitAllIsWhatAllPermutationsGive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topology := topologies().Filter((*numa.Topology).Refuses).Draw(t, "topology")
		s := states(topology).Draw(t, "state")
		pods := rapid.SliceOfN(demands(), 0, 3).Draw(t, "pods")
		pods = append(pods, pods...)[:min(4, 2*len(pods))]
		if got, want := topology.AdmitAll(s, pods), inAnyOrder(topology, s, pods); got != want {
			t.Fatalf("AdmitAll is %t, all permutations say %t", got, want)
		}
	})
}

func inAnyOrder(topology *numa.Topology, s numa.State, pods []*numa.Demand) bool {
	for i, d := range pods {
		a, refusal := topology.Admit(s, d)
		rest := slices.Delete(slices.Clone(pods), i, i+1)
		if refusal != nil || len(rest) > 0 && (a.Uncertain || !inAnyOrder(topology, s.Take(a), rest)) {
			return false
		}
	}
	return true
}

func TestValuesSurviveTheirJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topology := topologies().Draw(t, "topology")
		survives(t, *topology)
		survives(t, *demands().Draw(t, "pod"))
		s := states(topology).Draw(t, "state")
		survives(t, s)
		if a, refusal := topology.Admit(s, demands().Draw(t, "next")); refusal == nil {
			survives(t, a)
		}
	})
}

func survives[T any](t *rapid.T, in T) {
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, out) {
		t.Fatalf("%+v became %+v by %s", in, out, text)
	}
}

func BenchmarkTimes(b *testing.B) {
	for name, pod := range map[string]*numa.Demand{
		"CPUs and memory":           pinned(app(amounts{"cpu": 2000, "memory": gi})),
		"CPUs, memory, GPU and NIC": pinned(app(amounts{"cpu": 2000, "memory": gi, gpu: 1, nic: 1})),
		"two containers":            pinned(app(amounts{"cpu": 2000, "memory": gi}), app(amounts{"cpu": 1000, "memory": gi})),
	} {
		b.Run(name, func(b *testing.B) {
			topology := twoZones(numa.SingleNUMANode, numa.Container)
			s := topology.Empty()
			b.ReportAllocs()
			for b.Loop() {
				topology.Times(s, pod, 20)
			}
		})
	}
}

func BenchmarkAdmit(b *testing.B) {
	topology := twoZones(numa.SingleNUMANode, numa.Container)
	s, pod := topology.Empty(), pinned(app(amounts{"cpu": 2000, "memory": gi, gpu: 1}))
	b.ReportAllocs()
	for b.Loop() {
		topology.Admit(s, pod)
	}
}
