package source

import (
	"reflect"
	"strings"
	"testing"

	"github.com/k8stopologyawareschedwg/noderesourcetopology-api/pkg/apis/topology/v1alpha2"
	apiresource "k8s.io/apimachinery/pkg/api/resource"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// nrtZone is a zone with CPUs, of which some are reserved, and GPUs.
func nrtZone(name, cpus, allocatable, free, gpus string) v1alpha2.Zone {
	q := apiresource.MustParse
	return v1alpha2.Zone{
		Name: name, Type: "Node",
		Costs: v1alpha2.CostList{{Name: "node-1", Value: 20}, {Name: "node-0", Value: 10}},
		Resources: v1alpha2.ResourceInfoList{
			{Name: "cpu", Capacity: q(cpus), Allocatable: q(allocatable), Available: q(free)},
			{Name: "example.com/gpu", Capacity: q("4"), Allocatable: q("4"), Available: q(gpus)},
		},
	}
}

func TestZonesAreReadAsNodeFeatureDiscoveryWritesThem(t *testing.T) {
	nrt := &v1alpha2.NodeResourceTopology{
		Attributes: v1alpha2.AttributeList{
			{Name: "topologyManagerPolicy", Value: "single-numa-node"}, {Name: "topologyManagerScope", Value: "pod"},
			{Name: "nodeTopologyPodsFingerprint", Value: "pfp0v0011234"},
		},
		Zones: v1alpha2.ZoneList{
			nrtZone("node-1", "8", "8", "2", "4"), nrtZone("node-0", "8", "6", "6", "1"), {Name: "socket-0", Type: "Socket"},
		},
	}
	topology, report, err := zones(nrt)
	if err != nil {
		t.Fatal(err)
	}
	has := func(cpus, gpus int64) resource.Vector {
		return resource.Vector{MilliCPU: cpus * 1000}.With("example.com/gpu", gpus)
	}
	want := &numa.Topology{
		Policy: numa.SingleNUMANode, Scope: numa.Pod, ExclusiveCPUs: true,
		Zones: []numa.Zone{
			{ID: 0, Capacity: has(8, 4), Allocatable: has(6, 4), Costs: []int64{10, 20}},
			{ID: 1, Capacity: has(8, 4), Allocatable: has(8, 4), Costs: []int64{10, 20}},
		},
	}
	if !reflect.DeepEqual(topology, want) {
		t.Errorf("topology\n%+v, want\n%+v", topology, want)
	}
	if r := (cluster.ZoneReport{Free: []resource.Vector{has(6, 1), has(2, 4)}, Pods: "pfp0v0011234"}); !reflect.DeepEqual(report, r) {
		t.Errorf("report\n%+v, want\n%+v", report, r)
	}
}

func TestWhatIsSaidOfManagersCounts(t *testing.T) {
	said := func(attributes ...string) *numa.Topology {
		nrt := &v1alpha2.NodeResourceTopology{Zones: v1alpha2.ZoneList{nrtZone("node-0", "8", "8", "8", "4")}}
		for i := 0; i < len(attributes); i += 2 {
			nrt.Attributes = append(nrt.Attributes, v1alpha2.AttributeInfo{Name: attributes[i], Value: attributes[i+1]})
		}
		topology, _, err := zones(nrt)
		if err != nil {
			t.Fatal(err)
		}
		return topology
	}
	if got := said("cpuManagerPolicy", "none", "memoryManagerPolicy", "Static"); got.ExclusiveCPUs || !got.PinnedMemory {
		t.Errorf("%+v", got)
	}
	if got := said(); !got.ExclusiveCPUs || got.PinnedMemory {
		t.Errorf("%+v", got)
	}
}

// A kubelet with CPU manager policy none tells of no CPUs that it could give.
func TestWhereNoCPUsAreExclusiveNoneAreCounted(t *testing.T) {
	for name, zone := range map[string]v1alpha2.Zone{
		"no CPUs are told of": {Name: "node-0", Type: "Node", Resources: nrtZone("", "8", "8", "8", "4").Resources[1:]},
		"all are reserved":    nrtZone("node-0", "8", "0", "0", "4"),
	} {
		topology, _, err := zones(&v1alpha2.NodeResourceTopology{Zones: v1alpha2.ZoneList{zone}})
		if err != nil {
			t.Fatal(err)
		}
		if topology.ExclusiveCPUs {
			t.Errorf("%s: %+v", name, topology)
		}
	}
}

func TestZonesThatCannotBeReadAreRefused(t *testing.T) {
	for want, nrt := range map[string]*v1alpha2.NodeResourceTopology{
		`zone "left" has no number`: {Zones: v1alpha2.ZoneList{{Name: "left", Type: "Node"}}},
		"none of the kubelet's":     {Attributes: v1alpha2.AttributeList{{Name: "topologyManagerPolicy", Value: "strict"}}},
	} {
		if _, _, err := zones(nrt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
