package numa_test

import (
	"slices"
	"testing"

	"muster.sh/muster/scheduler/numa"
)

func TestPolicies(t *testing.T) {
	single := twoZones(numa.SingleNUMANode, numa.Container)
	restricted := twoZones(numa.Restricted, numa.Container)
	reserving := *restricted
	reserving.Zones = slices.Clone(restricted.Zones)
	reserving.Zones[1].Allocatable = reserving.Zones[1].Allocatable.With("cpu", 7000)
	bestEffort := twoZones(numa.BestEffort, numa.Container)
	none := twoZones(numa.None, "")
	small := pinned(app(amounts{"cpu": 2000, "memory": gi, gpu: 1}))
	both := pinned(app(amounts{"cpu": 15000, "memory": 20 * gi}))
	tell(t, map[string]story{
		"single-numa-node takes all from the lowest zone that has all": {
			single, nil, small, "cpu=2@0 nvidia.com/gpu=1@0 memory=1Gi@0"},
		"single-numa-node passes over a zone that lacks one thing": {
			single, []amounts{{gpu: 2}}, small, "cpu=2@1 nvidia.com/gpu=1@1 memory=1Gi@1"},
		"single-numa-node refuses what no zone has": {
			single, []amounts{{"cpu": 6000}, {"cpu": 7000}}, small, "no zones have enough cpu under policy single-numa-node"},
		"single-numa-node refuses what no zone could ever have": {
			single, nil, both, "no zones have enough cpu under policy single-numa-node"},
		"single-numa-node refuses what is only in different zones": {
			single, []amounts{{}, {gpu: 2}}, pinned(app(amounts{"cpu": 1000, "memory": gi, gpu: 1, nic: 1})),
			"no zones have all that is asked for together under policy single-numa-node"},
		"single-numa-node refuses memory of two zones": {
			single, nil, pinned(app(amounts{"cpu": 500, "memory": 20 * gi})), "no zones have enough memory under policy single-numa-node"},
		"a pod that asks for nothing aligned is admitted": {
			single, []amounts{{"cpu": 7000}, {"cpu": 8000}}, &numa.Demand{Containers: []numa.Claim{app(amounts{"cpu": 2000, "memory": gi})}}, ""},

		"restricted takes two zones where one can never be enough": {
			restricted, nil, both, "cpu=7@0 cpu=8@1 memory=20Gi@0+1"},
		"restricted does not know which CPUs of two zones it takes": {
			restricted, nil, pinned(app(amounts{"cpu": 9000, "memory": 20 * gi})), "cpu=7@0 cpu=2@1 memory=20Gi@0+1 or elsewhere"},
		"restricted refuses two zones where one could be enough": {
			restricted, []amounts{{"cpu": 5000}, {"cpu": 6000}}, pinned(app(amounts{"cpu": 3000, "memory": gi})),
			"no zones have enough cpu under policy restricted"},
		"restricted counts reserved CPUs when it says that one zone could be enough": {
			&reserving, nil, pinned(app(amounts{"cpu": 8000, "memory": gi})),
			"no zones have enough cpu under policy restricted"},
		"restricted refuses where one resource needs two zones and another one": {
			restricted, nil, pinned(app(amounts{"cpu": 9000, "memory": gi})),
			"no zones have all that is asked for together under policy restricted"},

		"best-effort takes from one zone if it can": {
			bestEffort, nil, small, "cpu=2@0 nvidia.com/gpu=1@0 memory=1Gi@0"},
		"best-effort takes as many zones as the widest need": {
			bestEffort, []amounts{{"cpu": 6000}, {"cpu": 7000}}, pinned(app(amounts{"cpu": 2000, "memory": gi})),
			"cpu=1@0 cpu=1@1 memory=1Gi@0+1"},
		"best-effort refuses what the node does not have": {
			bestEffort, []amounts{{gpu: 2}, {gpu: 2}}, small, "no zones have enough nvidia.com/gpu under policy best-effort"},

		"no policy takes from anywhere": {
			none, nil, small, "cpu=2@0 nvidia.com/gpu=1@0 memory=1Gi@0 or elsewhere"},
		"no policy leaves no doubt where only one zone has any": {
			none, []amounts{{gpu: 2, "cpu": 7000}}, small, "cpu=2@1 nvidia.com/gpu=1@1 memory=1Gi@0"},
	})
}

func TestScopes(t *testing.T) {
	two := func(cpu int64) *numa.Demand {
		return pinned(app(amounts{"cpu": cpu, "memory": gi}), app(amounts{"cpu": cpu, "memory": gi}))
	}
	tell(t, map[string]story{
		"container: each container has a zone": {
			twoZones(numa.SingleNUMANode, numa.Container), nil, two(5000),
			"cpu=5@0 memory=1Gi@0 cpu=5@1 memory=1Gi@1"},
		"container is the default": {
			twoZones(numa.SingleNUMANode, ""), nil, two(5000),
			"cpu=5@0 memory=1Gi@0 cpu=5@1 memory=1Gi@1"},
		"container: the second container finds what the first left": {
			twoZones(numa.SingleNUMANode, numa.Container), []amounts{{}, {"cpu": 4000}}, two(5000),
			"no zones have enough cpu under policy single-numa-node"},
		"pod: all containers have one zone": {
			twoZones(numa.SingleNUMANode, numa.Pod), []amounts{{"cpu": 1000}}, two(4000),
			"cpu=4@1 memory=1Gi@1 cpu=4@1 memory=1Gi@1"},
		"pod: what one zone cannot have is refused": {
			twoZones(numa.SingleNUMANode, numa.Pod), nil, two(5000),
			"no zones have enough cpu under policy single-numa-node"},
		"pod: an init container runs before the others": {
			twoZones(numa.SingleNUMANode, numa.Pod), nil,
			pinned(initial(amounts{"cpu": 7000, "memory": 2 * gi}), app(amounts{"cpu": 7000, "memory": gi})),
			"cpu=7@0 memory=2Gi@0 memory=0@0"},
		"pod: a sidecar runs beside the others": {
			twoZones(numa.SingleNUMANode, numa.Pod), nil,
			pinned(sidecar(amounts{"cpu": 1000, "memory": gi}), app(amounts{"cpu": 7000, "memory": gi})),
			"cpu=1@1 memory=1Gi@1 cpu=7@1 memory=1Gi@1"},
		"pod: a container that cannot have fewer zones than it could do with is refused": {
			// 2Gi are left beside the init container's, which the memory manager
			// counts only for a hint that is preferred: of one zone, for so little.
			twoZones(numa.Restricted, numa.Pod), nil,
			pinned(initial(amounts{"cpu": 500, "memory": 30 * gi}), app(amounts{"cpu": 500, "memory": 3 * gi})),
			"no zones have enough memory under policy restricted"},
		"pod: the zones of the whole pod bind the container that could do with fewer": {
			twoZones(numa.Restricted, numa.Pod), nil,
			pinned(app(amounts{"cpu": 14000, "memory": 18 * gi}), app(amounts{"cpu": 1000, "memory": gi})),
			"cpu=7@0 cpu=7@1 memory=18Gi@0+1 cpu=1@1 memory=1Gi@0+1 or elsewhere"},
	})
}

func TestTheClosestZonesArePreferredIfTheKubeletIsToldSo(t *testing.T) {
	topology := &numa.Topology{Policy: numa.Restricted, ExclusiveCPUs: true}
	for z, costs := range [][]int64{{10, 30, 20}, {30, 10, 12}, {20, 12, 10}} {
		cpus := resourceOf(amounts{"cpu": 4000})
		topology.Zones = append(topology.Zones, numa.Zone{ID: z, Capacity: cpus, Allocatable: cpus, Costs: costs})
	}
	closest := *topology
	closest.PreferClosest = true
	single := closest
	single.Policy = numa.SingleNUMANode
	single.Zones = slices.Clone(single.Zones)
	single.Zones[0].Costs = []int64{11, 30, 20}
	pod := pinned(app(amounts{"cpu": 8000}))
	tell(t, map[string]story{
		"the lowest":  {topology, nil, pod, "cpu=4@0 cpu=4@1"},
		"the closest": {&closest, nil, pod, "cpu=4@1 cpu=4@2"},
		"single-numa-node does not look at distances": {
			&single, nil, pinned(app(amounts{"cpu": 4000})), "cpu=4@0"},
	})
}

func TestZonesBeyondWhatIsEnumeratedAreDoubted(t *testing.T) {
	many := func(policy numa.Policy) *numa.Topology {
		topology := &numa.Topology{Policy: policy, ExclusiveCPUs: true}
		for z := range 60 {
			one := resourceOf(amounts{"cpu": 4000})
			topology.Zones = append(topology.Zones, numa.Zone{ID: z, Capacity: one, Allocatable: one})
		}
		return topology
	}
	pinnedMemory := many(numa.SingleNUMANode)
	pinnedMemory.PinnedMemory = true
	tell(t, map[string]story{
		"restricted looks at every set of zones": {
			many(numa.Restricted), nil, pinned(app(amounts{"cpu": 1000})), "whether the zones have enough cpu cannot be foretold under policy restricted"},
		"so does the memory manager": {
			pinnedMemory, nil, pinned(app(amounts{"memory": gi})), "whether the zones have enough memory cannot be foretold under policy single-numa-node"},
		"single-numa-node looks at single zones only": {
			many(numa.SingleNUMANode), nil, pinned(app(amounts{"cpu": 1000})), "cpu=1@0"},
	})
}
