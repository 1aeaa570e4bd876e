package numa_test

import (
	"testing"

	"muster.sh/muster/scheduler/numa"
)

func TestTimesCountsPodsThatAreAdmittedOneAfterTheOther(t *testing.T) {
	single := twoZones(numa.SingleNUMANode, numa.Container)
	restricted := twoZones(numa.Restricted, numa.Container)
	preferring := twoZones(numa.BestEffort, numa.Container)
	preferring.PinnedMemory = false
	one := pinned(app(amounts{"cpu": 3000, "memory": gi}))
	wide := pinned(app(amounts{"cpu": 9000, "memory": 17 * gi}))
	for name, c := range map[string]struct {
		topology *numa.Topology
		used     []amounts
		pod      *numa.Demand
		limit    int
		want     int
	}{
		"each zone has room for its own":              {single, nil, one, 9, 4},
		"never more than the limit":                   {single, nil, one, 3, 3},
		"a limit below zero is none":                  {single, nil, one, -3, 0},
		"rests of zones do not add up":                {single, []amounts{{"cpu": 5000}, {"cpu": 6000}}, one, 9, 0},
		"the scarcest resource of each zone decides":  {single, []amounts{{"memory": 15 * gi}}, one, 9, 3},
		"what is not aligned does not count":          {single, nil, pinned(app(amounts{license: 1})), 9, 9},
		"restricted does the same for one zone":       {restricted, nil, one, 9, 4},
		"restricted stops where it is uncertain":      {restricted, nil, wide, 9, 1},
		"containers may be in different zones":        {single, nil, pinned(one.Containers[0], one.Containers[0]), 9, 2},
		"init containers leave what they had":         {single, nil, pinned(initial(amounts{"cpu": 3000}), app(amounts{"cpu": 3000})), 9, 4},
		"a kubelet that only prefers limits nothing":  {preferring, []amounts{{"cpu": 7000}}, one, 9, 9},
		"nor does one that only prefers below a zero": {preferring, nil, one, -1, 0},
	} {
		if got := c.topology.Times(taken(c.topology, c.used...), c.pod, c.limit); got != c.want {
			t.Errorf("%s: %d times, want %d", name, got, c.want)
		}
	}
}

func TestTimesLeavesAloneAZoneInAGroup(t *testing.T) {
	topology := twoZones(numa.SingleNUMANode, numa.Container)
	s := topology.Empty()
	s[1].Group, s[1].Blocks = 3, 1
	if got := topology.Times(s, pinned(app(amounts{"memory": 8 * gi})), 9); got != 2 {
		t.Errorf("%d pods are admitted, want the 2 of zone 0", got)
	}
}

func TestAdmitAllLooksAtEveryOrder(t *testing.T) {
	single := twoZones(numa.SingleNUMANode, numa.Container)
	restricted := twoZones(numa.Restricted, numa.Container)
	preferring := twoZones(numa.BestEffort, numa.Container)
	preferring.PinnedMemory = false
	cpu := func(n int64) *numa.Demand { return pinned(app(amounts{"cpu": n * 1000})) }
	many := func(d *numa.Demand, n int) []*numa.Demand {
		var out []*numa.Demand
		for range n {
			out = append(out, d)
		}
		return out
	}
	wide := pinned(app(amounts{"cpu": 9000, "memory": 17 * gi}))
	for name, c := range map[string]struct {
		topology *numa.Topology
		used     []amounts
		pods     []*numa.Demand
		want     bool
	}{
		"no pod": {single, nil, nil, true},
		"some orders fill the zone another needs": {single, []amounts{{"cpu": 2000}, {"cpu": 4000}}, []*numa.Demand{cpu(2), cpu(5)}, false},
		"no order does":                             {single, []amounts{{"cpu": 5000}, {"cpu": 3000}}, []*numa.Demand{cpu(2), cpu(5)}, true},
		"too many":                                  {single, nil, many(cpu(4), 4), false},
		"as many as fit":                            {single, nil, many(cpu(1), 15), true},
		"the last may leave the node uncertain":     {restricted, nil, many(wide, 1), true},
		"one before it may not":                     {restricted, nil, []*numa.Demand{wide, pinned(app(amounts{gpu: 1}))}, false},
		"a kubelet that only prefers is not judged": {preferring, nil, many(cpu(8), 9), true},
	} {
		if got := c.topology.AdmitAll(taken(c.topology, c.used...), c.pods); got != c.want {
			t.Errorf("%s: all are admitted in any order: %t, want %t", name, got, c.want)
		}
	}
}

func TestAdmitAllGivesUpBeyondItsBound(t *testing.T) {
	topology := twoZones(numa.SingleNUMANode, numa.Container)
	for z := range topology.Zones {
		plenty := topology.Zones[z].Allocatable.With("cpu", 100_000) // not enough for all in one zone
		topology.Zones[z].Capacity, topology.Zones[z].Allocatable = plenty, plenty
	}
	var pods []*numa.Demand
	for n := range int64(16) {
		pods = append(pods, pinned(app(amounts{"cpu": (n + 1) * 1000})))
	}
	if topology.AdmitAll(topology.Empty(), pods) {
		t.Error("2^16 states were judged")
	}
	if !topology.AdmitAll(topology.Empty(), pods[:5]) {
		t.Error("five pods that all fit were not")
	}
}
