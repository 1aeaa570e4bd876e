package source

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/k8stopologyawareschedwg/noderesourcetopology-api/pkg/apis/topology/v1alpha2"
	"github.com/k8stopologyawareschedwg/podfingerprint"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// Attributes of a NodeResourceTopology, as node-feature-discovery writes them. Of the
// last two it writes none: they say what would otherwise be guessed.
const (
	attributePolicy       = "topologyManagerPolicy"
	attributeScope        = "topologyManagerScope"
	attributeCPUManager   = "cpuManagerPolicy"
	attributeMemoryPolicy = "memoryManagerPolicy"
)

// nodeZones are the NodeResourceTopologies of the cluster's nodes.
var nodeZones = zoneAPI{
	customAPI: customAPI{resource: v1alpha2.SchemeGroupVersion.WithResource("noderesourcetopologies")},
	rank:      0,
	read: func(u *unstructured.Unstructured) (*zoned, error) {
		var nrt v1alpha2.NodeResourceTopology
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &nrt); err != nil {
			return nil, err
		}
		topology, report, err := zones(&nrt)
		return &zoned{topology, report}, err
	},
}

// zones is what a NodeResourceTopology tells of its node: how the kubelet aligns, and
// what the zones have left.
func zones(nrt *v1alpha2.NodeResourceTopology) (*numa.Topology, cluster.ZoneReport, error) {
	said := map[string]string{}
	for _, a := range nrt.Attributes {
		said[a.Name] = a.Value
	}
	policy, err := policyOf(said[attributePolicy])
	if err != nil {
		return nil, cluster.ZoneReport{}, err
	}
	t := &numa.Topology{Policy: policy, Scope: numa.Scope(said[attributeScope])}
	list, err := numbered(nrt.Zones)
	if err != nil {
		return nil, cluster.ZoneReport{}, err
	}
	report := cluster.ZoneReport{Pods: said[podfingerprint.Attribute]}
	for _, z := range list {
		zone, free := zoneOf(z, list)
		t.Zones, report.Free = append(t.Zones, zone), append(report.Free, free)
		// A kubelet whose CPU manager gives nobody CPUs of their own has none to give, and
		// one whose memory manager pins nothing no memory.
		t.ExclusiveCPUs = t.ExclusiveCPUs || zone.Allocatable.MilliCPU > 0
		t.PinnedMemory = t.PinnedMemory || zone.Allocatable.Memory > 0
	}
	if policy, says := said[attributeCPUManager]; says {
		t.ExclusiveCPUs = policy != "none"
	}
	if policy, says := said[attributeMemoryPolicy]; says {
		t.PinnedMemory = policy == "Static"
	}
	return t, report, nil
}

// policyOf is a topology manager's policy by its name.
func policyOf(name string) (numa.Policy, error) {
	switch policy := numa.Policy(name); policy {
	case "", numa.None, numa.BestEffort, numa.Restricted, numa.SingleNUMANode:
		return policy, nil
	}
	return "", fmt.Errorf("%.64q is none of the kubelet's topology manager policies", name)
}

// numberedZone is a zone with the number of its NUMA node.
type numberedZone struct {
	*v1alpha2.Zone
	id int
}

// numbered returns the zones that are NUMA nodes, by their number.
func numbered(all v1alpha2.ZoneList) ([]numberedZone, error) {
	var out []numberedZone
	for i := range all {
		z := &all[i]
		if z.Type != "Node" {
			continue
		}
		id, err := strconv.Atoi(z.Name[strings.LastIndexByte(z.Name, '-')+1:])
		if err != nil || id < 0 {
			return nil, fmt.Errorf("zone %.64q has no number at the end of its name, such as node-0", z.Name)
		}
		out = append(out, numberedZone{z, id})
	}
	slices.SortFunc(out, func(a, b numberedZone) int { return cmp.Compare(a.id, b.id) })
	return out, nil
}

// zoneOf converts a zone, and tells what is left of it.
func zoneOf(z numberedZone, all []numberedZone) (zone numa.Zone, free resource.Vector) {
	capacity, allocatable, available := v1.ResourceList{}, v1.ResourceList{}, v1.ResourceList{}
	for _, r := range z.Resources {
		name := v1.ResourceName(r.Name)
		capacity[name], allocatable[name], available[name] = r.Capacity, r.Allocatable, r.Available
	}
	zone = numa.Zone{ID: z.id, Capacity: vector(capacity), Allocatable: vector(allocatable)}
	for _, to := range all {
		i := slices.IndexFunc(z.Costs, func(c v1alpha2.CostInfo) bool { return c.Name == to.Name })
		if i < 0 {
			zone.Costs = nil
			break
		}
		zone.Costs = append(zone.Costs, z.Costs[i].Value)
	}
	return zone, vector(available)
}
