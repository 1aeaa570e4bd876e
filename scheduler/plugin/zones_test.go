package plugin

import (
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/numa"
	vector "muster.sh/muster/scheduler/resource"
)

// exclusive is a pod of one container with CPUs of its own.
func exclusive(cpus int64) *numa.Demand {
	return &numa.Demand{Pinned: true, Containers: []numa.Claim{{Asks: vector.Vector{MilliCPU: cpus * 1000}}}}
}

// halves has two zones of four CPUs.
func halves() *core.Zones {
	zone := vector.Vector{MilliCPU: 4000}
	t := &numa.Topology{Policy: numa.SingleNUMANode, ExclusiveCPUs: true, Zones: []numa.Zone{{Capacity: zone, Allocatable: zone}, {ID: 1, Capacity: zone, Allocatable: zone}}}
	return &core.Zones{Zones: &cluster.Zones{Topology: t, State: t.Empty()}}
}

// refusal says why Filter refuses a pod of so many CPUs; empty if it does not.
func (r *rig) refusal(t *testing.T, pod *v1.Pod, on *v1.Node) string {
	t.Helper()
	state, _, status := r.begin(t, pod)
	if !status.IsSuccess() {
		t.Fatal(status)
	}
	return r.Filter(t.Context(), state, pod, infoOf(on)).Message()
}

func TestAPodThatNoZoneTakesIsKeptOff(t *testing.T) {
	n := node("n", "8", "16Gi", "")
	r := newRig(t, []*v1.Node{n})
	pod := podOn("", "pod", "3", "1Gi")
	r.aligned["pod"] = exclusive(3)
	if why := r.refusal(t, pod, n); why != "" {
		t.Errorf("a node without zones refuses it: %s", why)
	}
	z := halves()
	r.board.zones["n"] = z
	if why := r.refusal(t, pod, n); why != "" {
		t.Errorf("an empty zone refuses it: %s", why)
	}
	z.Zones = z.With(exclusive(2)).With(exclusive(4))
	if why := r.refusal(t, pod, n); !strings.Contains(why, "NUMA zone") {
		t.Errorf("beside pods of two and four CPUs: %q", why)
	}
	z.State = nil
	if why := r.refusal(t, pod, n); !strings.Contains(why, "not reported") {
		t.Errorf("zones that are not known: %q", why)
	}
	if why := r.refusal(t, podOn("", "other", "3", "1Gi"), n); why != "" {
		t.Errorf("a pod that is not aligned is refused: %s", why)
	}
	r.board.places["m"] = core.Placement{Gang: "g", Node: "n", Epoch: 1}
	m := member(podOn("", "m", "3", "1Gi"))
	r.aligned["m"] = exclusive(3)
	if why := r.refusal(t, m, n); why != "" {
		t.Errorf("a member, whose plan has looked at zones, is refused: %s", why)
	}
}

func TestPodsOfTheLastMomentsCountForZones(t *testing.T) {
	n := node("n", "8", "16Gi", "")
	r := newRig(t, []*v1.Node{n}, podOn("n", "a", "3", "1Gi"), podOn("n", "b", "3", "1Gi"))
	r.board.zones["n"] = halves()
	for _, name := range []string{"a", "b", "c"} {
		r.aligned[name] = exclusive(3)
	}
	reserve := func(name string) {
		pod := podOn("", name, "3", "1Gi")
		state, _, _ := r.begin(t, pod)
		if status := r.Reserve(t.Context(), state, pod, "n"); !status.IsSuccess() {
			t.Fatal(status)
		}
	}
	c := podOn("", "c", "3", "1Gi")
	reserve("a")
	if why := r.refusal(t, c, n); why != "" {
		t.Errorf("beside one the second zone refuses it: %s", why)
	}
	reserve("b")
	if why := r.refusal(t, c, n); why == "" {
		t.Error("two pods that the loop has not taken in yet are forgotten")
	}
	b := podOn("", "b", "3", "1Gi")
	state, _, _ := r.begin(t, b)
	r.Unreserve(t.Context(), state, b, "n")
	if why := r.refusal(t, c, n); why != "" {
		t.Errorf("a pod that was not bound after all counts: %s", why)
	}
	// Once the loop has taken it in it counts there alone.
	z := halves()
	z.Zones, z.Pods = z.With(exclusive(3)), []gang.PodID{"a"}
	r.board.zones["n"] = z
	if why := r.refusal(t, c, n); why != "" {
		t.Errorf("a pod is counted twice: %s", why)
	}
}

func TestAPodThatCameAndWentUnseenIsForgotten(t *testing.T) {
	n := node("n", "8", "16Gi", "")
	r := newRig(t, []*v1.Node{n})
	r.board.zones["n"] = halves()
	for _, name := range []string{"a", "b", "c"} {
		r.aligned[name] = exclusive(3)
	}
	for _, name := range []string{"a", "b"} {
		pod := podOn("", name, "3", "1Gi")
		state, _, _ := r.begin(t, pod)
		if status := r.Reserve(t.Context(), state, pod, "n"); !status.IsSuccess() {
			t.Fatal(status)
		}
	}
	if why := r.refusal(t, podOn("", "c", "3", "1Gi"), n); why != "" {
		t.Errorf("pods that are gone keep it off: %s", why)
	}
	if len(r.arrivals.onNode["n"]) > 0 {
		t.Errorf("pods that are gone are kept: %v", r.arrivals.onNode)
	}
}

func TestPodsOfANodeWithoutZonesAreNotKept(t *testing.T) {
	n := node("n", "8", "16Gi", "")
	r := newRig(t, []*v1.Node{n})
	r.aligned["a"] = exclusive(3)
	pod := podOn("", "a", "3", "1Gi")
	state, _, _ := r.begin(t, pod)
	if status := r.Reserve(t.Context(), state, pod, "n"); !status.IsSuccess() {
		t.Fatal(status)
	}
	if len(r.arrivals.onNode) > 0 {
		t.Errorf("nobody ever asks for %v", r.arrivals.onNode)
	}
}
