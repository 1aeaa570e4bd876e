package source

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	v1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/cpuset"
	"volcano.sh/apis/pkg/apis/nodeinfo/v1alpha1"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// numatopologies are what Volcano's resource exporter tells of nodes. They know of CPUs
// alone, and so count only where nothing else tells.
var numatopologies = zoneAPI{
	customAPI: customAPI{resource: v1alpha1.SchemeGroupVersion.WithResource("numatopologies")},
	rank:      1,
	read: func(u *unstructured.Unstructured) (*zoned, error) {
		var told v1alpha1.Numatopology
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &told); err != nil {
			return nil, err
		}
		return cpuZones(&told.Spec)
	},
}

// cpuZones is what a Numatopology tells of its node: how the kubelet aligns CPUs, and
// how many each zone has left. It doesn't say of which pods it tells.
func cpuZones(told *v1alpha1.NumatopoSpec) (*zoned, error) {
	policy, err := policyOf(told.Policies[v1alpha1.TopologyManagerPolicy])
	if err != nil {
		return nil, err
	}
	all, err := cpusByZone(told.CPUDetail)
	if err != nil {
		return nil, err
	}
	// It is called allocatable, and means those that no container has to itself, with
	// the reserved ones among them.
	shared, err := cpuset.Parse(told.NumaResMap[string(v1.ResourceCPU)].Allocatable)
	if err != nil {
		return nil, fmt.Errorf("numares.cpu.allocatable: %w", err)
	}
	reserved, err := reservedByZone(all, told.ResReserved[string(v1.ResourceCPU)])
	if err != nil {
		return nil, err
	}
	t := &numa.Topology{Policy: policy, ExclusiveCPUs: told.Policies[v1alpha1.CPUManagerPolicy] == "static"}
	var report cluster.ZoneReport
	for _, id := range slices.Sorted(maps.Keys(all)) {
		free := all[id].Intersection(shared).Size() - reserved[id]
		if free < 0 {
			return nil, fmt.Errorf("the kubelet doesn't reserve the first %d CPUs of zone %d: containers have some of them", reserved[id], id)
		}
		t.Zones = append(t.Zones, numa.Zone{
			ID: id, Capacity: cpus(all[id].Size()), Allocatable: cpus(all[id].Size() - reserved[id]),
		})
		report.Free = append(report.Free, cpus(free))
	}
	return &zoned{t, report}, nil
}

func cpus(n int) resource.Vector { return resource.Vector{MilliCPU: int64(n) * 1000} }

// cpusByZone are the numbers of a machine's CPUs, by NUMA node.
func cpusByZone(detail map[string]v1alpha1.CPUInfo) (map[int]cpuset.CPUSet, error) {
	all := map[int]cpuset.CPUSet{}
	for number, info := range detail {
		cpu, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("cpuDetail: %w", err)
		}
		all[info.NUMANodeID] = all[info.NUMANodeID].Union(cpuset.New(cpu))
	}
	return all, nil
}

// reservedByZone is how many CPUs a kubelet that is not told which ones reserves of each
// zone: the first of the smallest zone, and so on.
func reservedByZone(all map[int]cpuset.CPUSet, amount string) (map[int]int, error) {
	if amount == "" {
		return nil, nil
	}
	quantity, err := apiresource.ParseQuantity(amount)
	if err != nil {
		return nil, fmt.Errorf("resReserved.cpu: %w", err)
	}
	left := int(quantity.Value()) // of parts of CPUs whole ones are reserved
	reserved := map[int]int{}
	zones := slices.SortedFunc(maps.Keys(all), func(a, b int) int {
		return cmp.Or(cmp.Compare(all[a].Size(), all[b].Size()), cmp.Compare(a, b))
	})
	for _, id := range zones {
		reserved[id] = min(left, all[id].Size())
		left -= reserved[id]
	}
	return reserved, nil
}
