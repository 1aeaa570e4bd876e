package kubeletoracle

import (
	"slices"

	cadvisor "github.com/google/cadvisor/lib/model"
	"k8s.io/kubernetes/pkg/kubelet/cm/cpumanager"
	"k8s.io/kubernetes/pkg/kubelet/cm/cpumanager/topology"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"
	"k8s.io/utils/cpuset"
	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

const (
	gpu = "nvidia.com/gpu"
	nic = "openshift.io/vf"
	// license stands for devices that belong to no zone.
	license = "example.com/license"
	pages   = "hugepages-2Mi"

	gib = 1 << 30
)

// machine is some hardware, and how its kubelet is told to align on it.
type machine struct {
	policy     string
	scope      string
	tmOptions  map[string]string
	cpuOptions map[string]string

	exclusiveCPUs, pinnedMemory bool

	cpus     *topology.CPUTopology
	reserved cpuset.CPUSet
	nodes    []cadvisor.Node
	// memoryReserved is by ID of the zone, in bytes.
	memoryReserved map[int]uint64
	devices        []device
}

// device is one of a resource; a zone below zero is none.
type device struct {
	resource string
	id       int
	zone     int
	healthy  bool
}

func machines() *rapid.Generator[*machine] {
	return rapid.Custom(func(t *rapid.T) *machine {
		m := &machine{
			policy: rapid.SampledFrom([]string{
				topologymanager.PolicySingleNumaNode, topologymanager.PolicySingleNumaNode,
				topologymanager.PolicyRestricted, topologymanager.PolicyBestEffort, topologymanager.PolicyNone,
			}).Draw(t, "policy"),
			scope:         rapid.SampledFrom([]string{topologymanager.ContainerTopologyScope, topologymanager.PodTopologyScope}).Draw(t, "scope"),
			exclusiveCPUs: chance(4, 5).Draw(t, "exclusive CPUs"),
			pinnedMemory:  chance(2, 3).Draw(t, "pinned memory"),
		}
		zones := rapid.IntRange(1, 4).Draw(t, "zones")
		m.zonesOf(t, zones)
		m.coresOf(t)
		m.devicesOf(t)
		return m
	})
}

func chance(n, of int) *rapid.Generator[bool] {
	return rapid.Map(rapid.IntRange(1, of), func(i int) bool { return i <= n })
}

func (m *machine) zonesOf(t *rapid.T, zones int) {
	closest := chance(1, 3).Draw(t, "prefer closest")
	if closest {
		m.tmOptions = map[string]string{topologymanager.PreferClosestNUMANodes: "true"}
	}
	// Distances are looked up by ID: IDs with gaps have none.
	gap := 1
	if !closest {
		gap = rapid.IntRange(1, 2).Draw(t, "gap between IDs")
	}
	numPages := rapid.SampledFrom([]uint64{0, 512, 1024}).Draw(t, "pages")
	m.memoryReserved = map[int]uint64{}
	for z := range zones {
		node := cadvisor.Node{
			Id:        z * gap,
			Memory:    uint64(rapid.IntRange(6, 12).Draw(t, "memory")) * gib,
			HugePages: []cadvisor.HugePagesInfo{{PageSize: 2048, NumPages: numPages}},
			Distances: make([]uint64, zones),
		}
		m.memoryReserved[node.Id] = uint64(rapid.IntRange(1, 2).Draw(t, "reserved memory")) * gib
		m.nodes = append(m.nodes, node)
	}
	for i := range zones {
		m.nodes[i].Distances[i] = 10
		for j := range i {
			d := uint64(rapid.IntRange(11, 13).Draw(t, "distance"))
			m.nodes[i].Distances[j], m.nodes[j].Distances[i] = d, d
		}
	}
}

// coresOf gives each zone its CPUs, but for one zone that may have only memory.
// All sockets are alike, as are all caches: on others the kubelet takes what it
// has reserved, because it knows sockets by how many CPUs they have on average.
func (m *machine) coresOf(t *rapid.T) {
	threads := rapid.IntRange(1, 2).Draw(t, "threads a core")
	cores := rapid.IntRange(2, 8).Draw(t, "cores a zone")
	cache := rapid.SampledFrom(divisors(cores)).Draw(t, "cores a cache")
	zonesPerSocket := rapid.SampledFrom(divisors(len(m.nodes))).Draw(t, "zones a socket")
	bare := -1
	if len(m.nodes) > 1 && chance(1, 5).Draw(t, "a zone without CPUs") {
		bare = rapid.IntRange(0, len(m.nodes)-1).Draw(t, "the zone without CPUs")
		zonesPerSocket = 1
	}
	m.cpus = &topology.CPUTopology{CPUDetails: topology.CPUDetails{}}
	var all []int
	core := 0
	sockets := map[int]bool{}
	for z, node := range m.nodes {
		if z == bare {
			continue
		}
		m.cpus.NumNUMANodes++
		sockets[z/zonesPerSocket] = true
		for range cores {
			for thread := range threads {
				// Siblings are numbered as on most machines: far from each other.
				cpu := thread*len(m.nodes)*cores + core
				all = append(all, cpu)
				m.cpus.CPUDetails[cpu] = topology.CPUInfo{NUMANodeID: node.Id, SocketID: z / zonesPerSocket, CoreID: core, UncoreCacheID: core / cache}
			}
			core++
		}
	}
	m.cpus.NumCores, m.cpus.NumCPUs, m.cpus.NumSockets = core, len(all), len(sockets)
	m.cpus.NumUncoreCache = m.cpus.CPUDetails.UncoreCaches().Size()
	m.cpuOptionsOf(t)
	m.reserved = cpuset.New(rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 3, rapid.ID[int]).Draw(t, "reserved")...)
	if m.fullCores() > 1 {
		m.reserved = m.cpus.CPUDetails.CPUsInCores(m.cpus.CPUDetails.KeepOnly(m.reserved).Cores().List()...)
	}
}

func divisors(n int) []int {
	var out []int
	for d := 1; d <= n; d++ {
		if n%d == 0 {
			out = append(out, d)
		}
	}
	return out
}

func (m *machine) cpuOptionsOf(t *rapid.T) {
	m.cpuOptions = map[string]string{}
	for _, option := range []string{cpumanager.FullPCPUsOnlyOption, cpumanager.StrictCPUReservationOption} {
		if chance(1, 4).Draw(t, option) {
			m.cpuOptions[option] = "true"
		}
	}
	option := rapid.SampledFrom([]string{"", cpumanager.DistributeCPUsAcrossNUMAOption, cpumanager.PreferAlignByUnCoreCacheOption}).Draw(t, "order of CPUs")
	if option != "" {
		m.cpuOptions[option] = "true"
	}
}

func (m *machine) fullCores() int {
	if m.exclusiveCPUs && m.cpuOptions[cpumanager.FullPCPUsOnlyOption] != "" {
		return m.cpus.CPUsPerCore()
	}
	return 0
}

func (m *machine) devicesOf(t *rapid.T) {
	for _, name := range []string{gpu, nic} {
		for _, node := range m.nodes {
			for range rapid.IntRange(0, 4).Draw(t, name) {
				m.devices = append(m.devices, device{
					resource: name, id: len(m.devices), zone: node.Id,
					healthy: chance(9, 10).Draw(t, "healthy"),
				})
			}
		}
	}
	// As many as any stream asks for: the node as a whole is not judged here.
	for range 60 {
		m.devices = append(m.devices, device{resource: license, id: len(m.devices), zone: -1, healthy: true})
	}
}

// topology is what a report of this machine would say.
func (m *machine) topology() *numa.Topology {
	out := &numa.Topology{
		Policy: numa.Policy(m.policy), Scope: numa.Scope(m.scope),
		PreferClosest: len(m.tmOptions) > 0,
		ExclusiveCPUs: m.exclusiveCPUs, PinnedMemory: m.pinnedMemory,
		FullCores: int64(m.fullCores()),
	}
	for _, node := range m.nodes {
		zone := numa.Zone{ID: node.Id}
		for _, d := range node.Distances {
			zone.Costs = append(zone.Costs, int64(d))
		}
		cpus := m.cpus.CPUDetails.CPUsInNUMANodes(node.Id)
		huge := int64(node.HugePages[0].NumPages) << 21
		reserved := int64(m.memoryReserved[node.Id])
		zone.Capacity = resource.Of(map[string]int64{
			resource.CPU: int64(cpus.Size()) * 1000, resource.Memory: int64(node.Memory), pages: huge,
			gpu: m.count(gpu, node.Id, false), nic: m.count(nic, node.Id, false),
		})
		zone.Allocatable = resource.Of(map[string]int64{
			resource.CPU:    int64(cpus.Difference(m.reserved).Size()) * 1000,
			resource.Memory: int64(node.Memory) - huge - reserved, pages: huge,
			gpu: m.count(gpu, node.Id, true), nic: m.count(nic, node.Id, true),
		})
		out.Zones = append(out.Zones, zone)
	}
	return out
}

func (m *machine) count(name string, zone int, healthy bool) int64 {
	var n int64
	for _, d := range m.devices {
		if d.resource == name && d.zone == zone && (d.healthy || !healthy) {
			n++
		}
	}
	return n
}

func (m *machine) zoneIndex(id int) int {
	return slices.IndexFunc(m.nodes, func(n cadvisor.Node) bool { return n.Id == id })
}
