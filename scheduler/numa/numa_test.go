package numa_test

import (
	"strconv"
	"strings"
	"testing"

	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

const (
	gpu = "nvidia.com/gpu"
	nic = "openshift.io/vf"
	// license has devices that belong to no zone.
	license = "example.com/license"
	pages   = "hugepages-2Mi"

	gi = 1 << 30
)

type amounts = map[string]int64

// twoZones has 8 CPUs, 2 GPUs and 16Gi of memory for pods in each of two zones.
// One CPU of zone 0 is reserved; NICs are in zone 1 only.
func twoZones(policy numa.Policy, scope numa.Scope) *numa.Topology {
	t := &numa.Topology{Policy: policy, Scope: scope, ExclusiveCPUs: true, PinnedMemory: true}
	for id := range 2 {
		all := resource.Of(amounts{"cpu": 8000, "memory": 20 * gi, pages: 2 * gi, gpu: 2, nic: int64(2 * id)})
		t.Zones = append(t.Zones, numa.Zone{
			ID: id, Capacity: all,
			Allocatable: all.With("memory", 16*gi).With("cpu", 7000+1000*int64(id)),
			Costs:       []int64{10 + 11*int64(id), 21 - 11*int64(id)},
		})
	}
	return t
}

// pinned is a Guaranteed pod of these containers.
func pinned(claims ...numa.Claim) *numa.Demand {
	return &numa.Demand{Pinned: true, Containers: claims}
}

func app(asks amounts) numa.Claim { return numa.Claim{Asks: resource.Of(asks)} }

func initial(asks amounts) numa.Claim { return numa.Claim{Role: numa.Init, Asks: resource.Of(asks)} }

func sidecar(asks amounts) numa.Claim { return numa.Claim{Role: numa.Sidecar, Asks: resource.Of(asks)} }

// taken is a state in which some of each zone is used.
func taken(t *numa.Topology, byZone ...amounts) numa.State {
	s := t.Empty()
	for z, used := range byZone {
		s[z].Left = s[z].Left.Sub(resource.Of(used))
		if used["memory"] > 0 {
			s[z].Blocks++
		}
	}
	return s
}

// text is what became of a pod: "cpu=2@0 memory=1Gi@0+1".
func text(a numa.Allocation, refusal *numa.Refusal) string {
	if refusal != nil {
		return refusal.String()
	}
	var parts []string
	for _, b := range a.Blocks {
		var zones []string
		for z := range 64 {
			if b.Zones>>z&1 == 1 {
				zones = append(zones, strconv.Itoa(z))
			}
		}
		parts = append(parts, b.Resource+"="+resource.Format(b.Resource, b.Amount)+"@"+strings.Join(zones, "+"))
	}
	if a.Uncertain {
		parts = append(parts, "or elsewhere")
	}
	return strings.Join(parts, " ")
}

// story is one pod on one machine, and what becomes of it.
type story struct {
	topology *numa.Topology
	used     []amounts
	pod      *numa.Demand
	want     string
}

func tell(t *testing.T, stories map[string]story) {
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			if got := text(s.topology.Admit(taken(s.topology, s.used...), s.pod)); got != s.want {
				t.Errorf("the pod gets %q, want %q", got, s.want)
			}
		})
	}
}
