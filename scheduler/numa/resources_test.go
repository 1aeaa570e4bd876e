package numa_test

import (
	"testing"

	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

func resourceOf(a amounts) resource.Vector { return resource.Of(a) }

func TestWhatIsAligned(t *testing.T) {
	single := twoZones(numa.SingleNUMANode, numa.Container)
	plain := *single
	plain.ExclusiveCPUs, plain.PinnedMemory = false, false
	asks := app(amounts{"cpu": 2000, "memory": gi, gpu: 1, pages: gi})
	tell(t, map[string]story{
		"of a Guaranteed pod CPUs, memory, huge pages and devices": {
			single, nil, pinned(asks), "cpu=2@0 nvidia.com/gpu=1@0 memory=1Gi@0 hugepages-2Mi=1Gi@0"},
		"of any other pod devices": {
			single, nil, &numa.Demand{Containers: []numa.Claim{asks}}, "nvidia.com/gpu=1@0"},
		"fractions of CPUs are shared": {
			single, nil, pinned(app(amounts{"cpu": 1500, "memory": gi})), "memory=1Gi@0"},
		"without the static policies only devices": {
			&plain, nil, pinned(asks), "nvidia.com/gpu=1@0"},
		"devices of no zone do not matter": {
			single, nil, pinned(app(amounts{"memory": gi, license: 1})), "memory=1Gi@0"},
		"neither do local storage and the number of pods": {
			single, nil, pinned(app(amounts{"memory": gi, "ephemeral-storage": gi, "pods": 1})), "memory=1Gi@0"},
		"huge pages are a resource of their own": {
			single, []amounts{{pages: 2 * gi}}, pinned(app(amounts{"memory": gi, pages: gi})), "memory=1Gi@1 hugepages-2Mi=1Gi@1"},
	})
}

func TestWholeCores(t *testing.T) {
	cores := twoZones(numa.SingleNUMANode, numa.Container)
	cores.FullCores = 2
	cores.Zones[0].Allocatable = cores.Zones[0].Allocatable.With("cpu", 6000)
	preferring := *cores
	preferring.Policy = numa.BestEffort
	odd, even := pinned(app(amounts{"cpu": 3000, "memory": gi})), pinned(app(amounts{"cpu": 4000, "memory": gi}))
	tell(t, map[string]story{
		"half a core is refused":               {cores, nil, odd, "no zones have enough cpu under policy single-numa-node"},
		"by any policy":                        {&preferring, nil, odd, "no zones have enough cpu under policy best-effort"},
		"whole cores are given":                {cores, nil, even, "cpu=4@0 memory=1Gi@0"},
		"what an init container leaves counts": {cores, nil, pinned(initial(amounts{"cpu": 4000, "memory": gi}), app(amounts{"cpu": 4000, "memory": gi})), "cpu=4@0 memory=1Gi@0 memory=0@0"},
		"where it is not known what it leaves, neither is what is left": {
			cores, nil, pinned(initial(amounts{"cpu": 4000, "memory": gi}), app(amounts{"cpu": 2000, "memory": gi}), app(amounts{"cpu": 2000, "memory": gi})),
			"whether the zones have enough cpu cannot be foretold under policy single-numa-node"},
		"whatever the policy": {
			&preferring, nil, pinned(initial(amounts{"cpu": 4000, "memory": gi}), app(amounts{"cpu": 2000, "memory": gi}), app(amounts{"cpu": 2000, "memory": gi})),
			"whether the zones have enough cpu cannot be foretold under policy best-effort"},
		"but not where all other CPUs are gone": {
			cores, []amounts{{"cpu": 2000}, {"cpu": 8000}}, pinned(initial(amounts{"cpu": 4000, "memory": gi}), app(amounts{"cpu": 4000, "memory": gi})),
			"no zones have enough cpu under policy single-numa-node"},
	})
}

func TestInitContainersLeaveWhatTheyHad(t *testing.T) {
	single := twoZones(numa.SingleNUMANode, numa.Container)
	cpu := func(n int64) amounts { return amounts{"cpu": n * 1000} }
	gpus := func(n int64) amounts { return amounts{gpu: n} }
	memory := func(n int64) amounts { return amounts{"memory": n * gi} }
	tell(t, map[string]story{
		"as many CPUs are the same CPUs": {
			single, nil, pinned(initial(cpu(4)), initial(cpu(4)), app(cpu(4)), app(cpu(3))), "cpu=4@0 cpu=3@0"},
		"all CPUs of a zone are the same CPUs": {
			single, nil, pinned(initial(cpu(2)), app(cpu(7))), "cpu=2@0 cpu=5@0"},
		"of fewer CPUs it is not known which": {
			single, nil, pinned(initial(cpu(4)), app(cpu(2))), "cpu=4@0 cpu=2@0 or elsewhere"},
		"nor then where the next container goes": {
			single, nil, pinned(initial(cpu(4)), app(cpu(2)), app(cpu(1))),
			"whether the zones have enough cpu cannot be foretold under policy single-numa-node"},
		"what is left binds the next container to its zone": {
			single, []amounts{{"cpu": 3000}}, pinned(initial(cpu(4)), app(cpu(5))), "no zones have enough cpu under policy single-numa-node"},
		"a sidecar keeps what it has": {
			single, nil, pinned(sidecar(cpu(4)), app(cpu(4))), "cpu=4@0 cpu=4@1"},
		"a sidecar uses what init containers leave": {
			single, nil, pinned(initial(cpu(4)), sidecar(cpu(4)), app(cpu(3))), "cpu=4@0 cpu=3@0"},
		"devices are used again": {
			single, nil, pinned(initial(gpus(1)), app(gpus(2))), "nvidia.com/gpu=1@0 nvidia.com/gpu=1@0"},
		"devices are used again one by one": {
			single, nil, pinned(initial(gpus(2)), app(gpus(1)), app(gpus(1)), app(gpus(1))), "nvidia.com/gpu=2@0 nvidia.com/gpu=1@1"},
		"memory is used again, in a block of its own": {
			single, nil, pinned(initial(memory(4)), app(memory(6)), app(memory(1))), "memory=4Gi@0 memory=2Gi@0 memory=1Gi@0"},
	})
}

// TestZonesAloneAndInGroups is the memory manager's rule for blocks of several
// zones.
func TestZonesAloneAndInGroups(t *testing.T) {
	topology := twoZones(numa.Restricted, numa.Container)
	wide, narrow := pinned(app(amounts{"memory": 18 * gi})), pinned(app(amounts{"memory": gi}))
	tell(t, map[string]story{
		"a zone that is used alone joins no group": {
			topology, []amounts{{"memory": gi}}, wide, "no zones have enough memory under policy restricted"},
	})

	first, refusal := topology.Admit(topology.Empty(), wide)
	if refusal != nil {
		t.Fatal(refusal)
	}
	s := topology.Empty().Take(first)
	for name, c := range map[string]struct {
		pod  *numa.Demand
		want string
	}{
		"a zone in a group is not used alone": {narrow, "no zones have enough memory under policy restricted"},
		"a group has only what is left":       {wide, "no zones have enough memory under policy restricted"},
	} {
		if got := text(topology.Admit(s, c.pod)); got != c.want {
			t.Errorf("%s: the pod gets %q, want %q", name, got, c.want)
		}
	}
	if got := text(topology.Admit(topology.Give(s, first), narrow)); got != "memory=1Gi@0" {
		t.Errorf("a group that has ended is none, but the next pod gets %q", got)
	}
}

// TestAHintThatIsNarrowerThanAGroupIsDoubted has CPUs in one zone of a group only.
func TestAHintThatIsNarrowerThanAGroupIsDoubted(t *testing.T) {
	topology := twoZones(numa.BestEffort, numa.Container)
	bare := &topology.Zones[0]
	bare.Capacity, bare.Allocatable = bare.Capacity.With("cpu", 0), bare.Allocatable.With("cpu", 0)
	s := topology.Empty().Take(numa.Allocation{Blocks: []numa.Block{{Zones: 3, Resource: "memory", Amount: 17 * gi}}})
	want := "whether the zones have enough memory cannot be foretold under policy best-effort"
	if got := text(topology.Admit(s, pinned(app(amounts{"cpu": 1000, "memory": gi})))); got != want {
		t.Errorf("the pod gets %q, want %q", got, want)
	}
}

// TestAHintIntoATornGroupIsDoubted has a group one zone of which is used alone.
func TestAHintIntoATornGroupIsDoubted(t *testing.T) {
	topology := twoZones(numa.SingleNUMANode, numa.Container)
	s := topology.Empty()
	s[0].Blocks, s[1].Blocks, s[1].Group = 1, 1, 3
	s[0].Left, s[1].Left = s[0].Left.With("cpu", 0), s[1].Left.With("memory", 2*gi)
	want := "whether the zones have enough memory cannot be foretold under policy single-numa-node"
	s[0].Left = s[0].Left.With("memory", 0)
	if got := text(topology.Admit(s, pinned(app(amounts{"cpu": 1000, "memory": gi})))); got != want {
		t.Errorf("the pod gets %q, want %q", got, want)
	}
}

// TestAGroupRefillsFromItsLowestZone shows why only the sum of a group counts.
func TestAGroupRefillsFromItsLowestZone(t *testing.T) {
	topology := twoZones(numa.Restricted, numa.Container)
	group := func(bytes int64) numa.Allocation {
		return numa.Allocation{Blocks: []numa.Block{{Zones: 3, Resource: "memory", Amount: bytes}}}
	}
	s := topology.Empty().Take(group(18 * gi)).Take(group(4 * gi)) // 16 and 6 used
	s = topology.Give(s, group(4*gi))                              // of the second, but from the first zone
	for z, want := range []numa.Free{{Left: resourceOf(amounts{"memory": 4 * gi})}, {Left: resourceOf(amounts{"memory": 10 * gi})}} {
		if s[z].Left.Memory != want.Left.Memory || s[z].Blocks != 1 || s[z].Group != 3 {
			t.Errorf("zone %d has %+v, want %s of memory, in one block of the group", z, s[z], want.Left)
		}
	}
}
