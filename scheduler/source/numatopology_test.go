package source

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/k8stopologyawareschedwg/noderesourcetopology-api/pkg/apis/topology/v1alpha2"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"volcano.sh/apis/pkg/apis/nodeinfo/v1alpha1"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// numatopo is of a node with two zones of four CPUs, as Volcano's exporter writes it.
func numatopo(shared, reserved string) *v1alpha1.Numatopology {
	n := &v1alpha1.Numatopology{
		ObjectMeta: metav1.ObjectMeta{Name: "n"},
		Spec: v1alpha1.NumatopoSpec{
			Policies: map[v1alpha1.PolicyName]string{
				v1alpha1.CPUManagerPolicy: "static", v1alpha1.TopologyManagerPolicy: "single-numa-node",
			},
			ResReserved: map[string]string{"cpu": reserved},
			NumaResMap:  map[string]v1alpha1.ResourceInfo{"cpu": {Allocatable: shared, Capacity: 8}},
			CPUDetail:   map[string]v1alpha1.CPUInfo{},
		},
	}
	for cpu := range 8 {
		n.Spec.CPUDetail[fmt.Sprint(cpu)] = v1alpha1.CPUInfo{NUMANodeID: cpu / 4, SocketID: cpu / 4, CoreID: cpu}
	}
	return n
}

// inZones are whole CPUs by zone.
func inZones(amounts ...int64) []resource.Vector {
	var out []resource.Vector
	for _, n := range amounts {
		out = append(out, resource.Vector{MilliCPU: n * 1000})
	}
	return out
}

func TestCPUsAreReadAsVolcanosExporterWritesThem(t *testing.T) {
	for name, c := range map[string]struct {
		shared, reserved  string
		allocatable, free []resource.Vector
	}{
		"all are free":                         {"0-7", "", inZones(4, 4), inZones(4, 4)},
		"some are reserved":                    {"0-7", "1", inZones(3, 4), inZones(3, 4)},
		"of a part of one, a whole":            {"0-7", "1500m", inZones(2, 4), inZones(2, 4)},
		"more are reserved than a zone has":    {"0-7", "5", inZones(0, 3), inZones(0, 3)},
		"containers have some":                 {"0,1,6-7", "1", inZones(3, 4), inZones(1, 2)},
		"containers have all but the reserved": {"0", "1", inZones(3, 4), inZones(0, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			z, err := cpuZones(&numatopo(c.shared, c.reserved).Spec)
			if err != nil {
				t.Fatal(err)
			}
			want := &zoned{
				topology: &numa.Topology{
					Policy: numa.SingleNUMANode, ExclusiveCPUs: true,
					Zones: []numa.Zone{
						{ID: 0, Capacity: inZones(4)[0], Allocatable: c.allocatable[0]},
						{ID: 1, Capacity: inZones(4)[0], Allocatable: c.allocatable[1]},
					},
				},
				report: cluster.ZoneReport{Free: c.free},
			}
			if !reflect.DeepEqual(z, want) {
				t.Errorf("told\n%+v %+v, want\n%+v %+v", z.topology, z.report, want.topology, want.report)
			}
		})
	}
}

func TestNumatopologiesThatCannotBeBelievedAreRefused(t *testing.T) {
	strict := numatopo("0-7", "1")
	strict.Spec.Policies[v1alpha1.TopologyManagerPolicy] = "strict"
	lettered := numatopo("0-7", "1")
	lettered.Spec.CPUDetail["a"] = v1alpha1.CPUInfo{}
	for want, n := range map[string]*v1alpha1.Numatopology{
		"none of the kubelet's":        strict,
		"cpuDetail":                    lettered,
		"numares.cpu.allocatable":      numatopo("all", "1"),
		"resReserved.cpu":              numatopo("0-7", "one"),
		"doesn't reserve the first 1 ": numatopo("4-7", "1"),
	} {
		if _, err := cpuZones(&n.Spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// zonesTold says of each event how many CPUs the first zone has by it.
func zonesTold(c *collector) []string {
	events, _ := c.take()
	var out []string
	for _, e := range events {
		switch e := e.(type) {
		case core.NodeSet:
			if e.Node.NUMA == nil {
				out = append(out, "no zones")
				continue
			}
			out = append(out, fmt.Sprint("zones of ", e.Node.NUMA.Zones[0].Capacity.MilliCPU/1000))
		case core.ZonesReported:
			out = append(out, fmt.Sprint("left ", e.Report.Free[0].MilliCPU/1000))
		}
	}
	return out
}

func TestNumatopologiesCountWhereNothingElseTells(t *testing.T) {
	c := newCollector(settings{schedulerName: testScheduler})
	volcano, kubernetes := numatopologies.custom(), nodeZones.custom()
	few := object(t, numatopo("0-3,6-7", "1"), v1alpha1.SchemeGroupVersion.WithKind("Numatopology"))
	fewer := object(t, numatopo("0-1,6-7", "1"), v1alpha1.SchemeGroupVersion.WithKind("Numatopology"))
	nrt := object(t, &v1alpha2.NodeResourceTopology{
		ObjectMeta: metav1.ObjectMeta{Name: "n"},
		Zones:      v1alpha2.ZoneList{nrtZone("node-0", "8", "8", "5", "4")},
	}, v1alpha2.SchemeGroupVersion.WithKind("NodeResourceTopology"))
	for _, step := range []struct {
		what string
		do   func()
		want []string
	}{
		{"one comes before its node", func() { volcano.set(c, few) }, []string{"left 3"}},
		{"the node comes", func() { c.setNode(&v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}}) }, []string{"zones of 4", "left 3"}},
		{"it changes", func() { volcano.set(c, fewer) }, []string{"left 1"}},
		{"another object tells more", func() { kubernetes.set(c, nrt) }, []string{"zones of 8", "left 5"}},
		{"it changes unheard", func() { volcano.set(c, few) }, nil},
		{"the other object goes", func() { kubernetes.gone(c, nrt) }, []string{"zones of 4", "left 3"}},
		{"no API serves it any more", func() { volcano.none(c) }, []string{"no zones"}},
	} {
		step.do()
		if got := zonesTold(c); !reflect.DeepEqual(got, step.want) {
			t.Errorf("%s: told %q, want %q", step.what, got, step.want)
		}
	}
}
