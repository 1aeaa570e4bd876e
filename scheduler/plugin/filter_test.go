package plugin

import (
	"errors"
	"slices"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	fwk "k8s.io/kube-scheduler/framework"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	vector "muster.sh/muster/scheduler/resource"
)

func TestPromisedRoomIsTaken(t *testing.T) {
	single := podOn("", "single", "2", "2Gi")
	for name, tc := range map[string]struct {
		node *v1.Node
		on   []*v1.Pod
		held []core.Held
		pod  *v1.Pod
		want string // the lacking resource, empty if the pod passes
	}{
		"nothing is promised":                         {node: node("n", "1", "1Gi", "")},
		"all fits":                                    {node: node("n", "4", "8Gi", ""), held: []core.Held{slot("", 2000, 2)}},
		"a slot without claimant counts":              {node: node("n", "4", "8Gi", ""), held: []core.Held{slot("", 2001, 2)}, want: "cpu"},
		"memory counts too":                           {node: node("n", "9", "8Gi", ""), held: []core.Held{slot("", 1, 7)}, want: "memory"},
		"a slot counts while its claimant is away":    {node: node("n", "4", "8Gi", ""), held: []core.Held{slot("m", 3000, 2)}, want: "cpu"},
		"a slot does not count beside its claimant":   {node: node("n", "6", "9Gi", ""), on: []*v1.Pod{podOn("n", "m", "3", "2Gi")}, held: []core.Held{slot("m", 3000, 2)}},
		"its claimant counts as any pod":              {node: node("n", "5", "9Gi", ""), on: []*v1.Pod{podOn("n", "m", "3", "2Gi")}, held: []core.Held{slot("", 1, 1), slot("m", 3000, 2)}, want: "cpu"},
		"a claimant taken off by preemption counts":   {node: node("n", "4", "9Gi", ""), on: nil, held: []core.Held{slot("m", 3000, 2)}, want: "cpu"},
		"several slots add up":                        {node: node("n", "4", "9Gi", ""), held: []core.Held{slot("", 1000, 1), slot("a", 1000, 1), slot("b", 1000, 1)}, want: "cpu"},
		"the number of pods counts":                   {node: node("n", "99", "99Gi", ""), held: slices.Repeat([]core.Held{slot("", 1, 0)}, 10), want: "pods"},
		"an extended resource counts":                 {node: node("n", "9", "9Gi", "1"), held: []core.Held{gpuSlot()}, pod: withGPU(podOn("", "single", "1", "1Gi")), want: "nvidia.com/gpu"},
		"one that the pod does not ask for does not":  {node: node("n", "9", "9Gi", "1"), held: []core.Held{gpuSlot()}},
		"what is not promised is judged by others":    {node: node("n", "1", "9Gi", "1"), held: []core.Held{gpuSlot()}},
		"an overdrawn node is closed to who asks":     {node: node("n", "4", "9Gi", ""), on: []*v1.Pod{podOn("n", "x", "4", "1Gi")}, held: []core.Held{slot("", 2000, 1)}, want: "cpu"},
		"and open to who does not ask for the excess": {node: node("n", "4", "9Gi", ""), on: []*v1.Pod{podOn("n", "x", "4", "1Gi")}, held: []core.Held{slot("", 2000, 1)}, pod: podOn("", "single", "0", "1Gi")},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, []*v1.Node{tc.node})
			r.board.held["n"] = tc.held
			pod := tc.pod
			if pod == nil {
				pod = single
			}
			state, result, status := r.begin(t, pod)
			if !status.IsSuccess() || !result.AllNodes() {
				t.Fatalf("PreFilter: %v, %v", result, status)
			}
			status = r.Filter(t.Context(), state, pod, infoOf(tc.node, tc.on...))
			switch {
			case tc.want == "" && !status.IsSuccess():
				t.Errorf("refused: %v", status)
			case tc.want != "" && (status.Code() != fwk.Unschedulable || !strings.Contains(status.Message(), "too little "+tc.want+" ")):
				t.Errorf("got %v, want too little %s", status, tc.want)
			}
		})
	}
}

func gpuSlot() core.Held {
	return core.Held{Request: vector.Vector{Extra: []vector.Amount{{Name: "nvidia.com/gpu", Value: 1}}}}
}

func withGPU(p *v1.Pod) *v1.Pod {
	p.Spec.Containers[0].Resources.Requests["nvidia.com/gpu"] = node("", "1", "1", "1").Status.Capacity["nvidia.com/gpu"]
	return p
}

func TestAMemberRunsOnItsNodeOnlyAndOnItsOwnRoom(t *testing.T) {
	here, there := node("here", "2", "4Gi", ""), node("there", "64", "64Gi", "")
	r := newRig(t, []*v1.Node{here, there})
	m := member(podOn("", "m", "2", "2Gi"))
	r.board.places["m"] = core.Placement{Gang: "g", Node: "here", Epoch: 1}
	r.board.held["here"] = []core.Held{slot("m", 2000, 2)}

	state, result, status := r.begin(t, m)
	if !status.IsSuccess() || !result.NodeNames.Equal(sets.New("here")) {
		t.Fatalf("PreFilter: %v, %v", result, status)
	}
	if status := r.Filter(t.Context(), state, m, infoOf(here)); !status.IsSuccess() {
		t.Errorf("refused on its own room: %v", status)
	}
	if status := r.Filter(t.Context(), state, m, infoOf(there)); status.Code() != fwk.UnschedulableAndUnresolvable {
		t.Errorf("a node that it was nominated to earlier must not take it: %v", status)
	}
	r.board.held["here"] = append(r.board.held["here"], slot("other", 1000, 1))
	if status := r.Filter(t.Context(), state, m, infoOf(here)); status.Code() != fwk.Unschedulable {
		t.Errorf("it took another's room: %v", status)
	}
}

func TestAMemberThatRoamsRunsWhereThereIsRoomBesideThePromisesToOthers(t *testing.T) {
	nodes := []*v1.Node{node("planned", "2", "4Gi", ""), node("free", "4", "4Gi", ""), node("taken", "2", "4Gi", ""),
		node("brother", "2", "4Gi", ""), node("settled", "2", "4Gi", ""), node("excluded", "64", "64Gi", "")}
	r := newRig(t, nodes)
	m := member(podOn("", "m", "2", "2Gi"))
	r.board.places["m"] = core.Placement{Gang: "g", Node: "planned", Epoch: 1, Roams: true, Except: []string{"excluded"}}
	r.board.places["brother"] = core.Placement{Gang: "g", Node: "brother", Epoch: 1, Roams: true}
	r.board.places["settled"] = core.Placement{Gang: "g", Node: "settled", Epoch: 1}
	r.board.held["planned"] = []core.Held{slot("m", 2000, 2)}
	r.board.held["free"] = []core.Held{slot("", 2000, 2)}
	r.board.held["taken"] = []core.Held{{Gang: "other", Claimant: "other", Request: slot("", 1000, 1).Request}}
	r.board.held["brother"] = []core.Held{slot("brother", 2000, 2)}
	r.board.held["settled"] = []core.Held{slot("settled", 2000, 2)}

	state, result, status := r.begin(t, m)
	if !status.IsSuccess() || result != nil {
		t.Fatalf("PreFilter: %v, %v", result, status)
	}
	for i, want := range []fwk.Code{fwk.Success, fwk.Success, fwk.Unschedulable, fwk.Success, fwk.Unschedulable, fwk.UnschedulableAndUnresolvable} {
		if status := r.Filter(t.Context(), state, m, infoOf(nodes[i])); status.Code() != want {
			t.Errorf("%s: %v, want %v", nodes[i].Name, status, want)
		}
	}
}

func TestAMemberWithoutAPlacementRunsNowhere(t *testing.T) {
	r := newRig(t, []*v1.Node{node("n", "9", "9Gi", "")})
	m := member(podOn("", "m", "1", "1Gi"))
	if status := r.PreEnqueue(t.Context(), m); status.Code() != fwk.UnschedulableAndUnresolvable {
		t.Errorf("PreEnqueue: %v", status)
	}
	if status := r.PreEnqueue(t.Context(), podOn("", "single", "1", "1Gi")); !status.IsSuccess() {
		t.Errorf("PreEnqueue of a single pod: %v", status)
	}
	_, _, status := r.begin(t, m)
	var refusal *Refusal
	if !errors.As(status.AsError(), &refusal) || !refusal.Stale {
		t.Fatalf("PreFilter: %v", status)
	}
	r.board.places["m"] = core.Placement{Node: "n"}
	if status := r.PreEnqueue(t.Context(), m); !status.IsSuccess() {
		t.Errorf("PreEnqueue with a placement: %v", status)
	}
}

func TestAPromiseIsProvenBeforeItIsReliedOn(t *testing.T) {
	nodes := []*v1.Node{node("n", "9", "9Gi", ""), node("a", "4", "4Gi", ""), node("b", "4", "4Gi", "")}
	thief := podOn("b", "thief", "1", "1Gi")
	executor := podOn("a", "executor", "4", "4Gi")
	for name, tc := range map[string]struct {
		check []string
		held  map[string][]core.Held
		want  string // the node that is refused
	}{
		"all is there":               {check: []string{"a", "b"}, held: map[string][]core.Held{"a": {slot("executor", 4000, 4)}, "b": {slot("", 3000, 3)}}},
		"nothing to prove":           {held: map[string][]core.Held{"b": {slot("", 4000, 4)}}},
		"a pod took it before":       {check: []string{"a", "b"}, held: map[string][]core.Held{"b": {slot("", 4000, 1)}}, want: "b"},
		"a node of it is gone":       {check: []string{"c"}, want: "c"},
		"more is promised than is":   {check: []string{"b"}, held: map[string][]core.Held{"b": {slot("", 2000, 1), slot("x", 2000, 1)}}, want: "b"},
		"a claimant has come partly": {check: []string{"a"}, held: map[string][]core.Held{"a": {slot("executor", 4000, 4), slot("", 1, 0)}}, want: "a"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nodes, thief, executor)
			r.board.held = tc.held
			r.board.places["m"] = core.Placement{Gang: "g", Node: "n", Check: tc.check}
			_, _, status := r.begin(t, member(podOn("", "m", "1", "1Gi")))
			var refusal *Refusal
			switch {
			case tc.want == "":
				if !status.IsSuccess() {
					t.Errorf("refused: %v", status)
				}
			case !errors.As(status.AsError(), &refusal) || refusal.Node != tc.want || refusal.Stale || !status.IsRejected():
				t.Errorf("got %v, want a refusal of %s", status, tc.want)
			}
		})
	}
}

func TestAMemberWhoseNodeIsGoneIsRefused(t *testing.T) {
	r := newRig(t, []*v1.Node{node("n", "9", "9Gi", "")})
	r.board.places["m"] = core.Placement{Node: "gone"}
	_, _, status := r.begin(t, member(podOn("", "m", "1", "1Gi")))
	var refusal *Refusal
	if !errors.As(status.AsError(), &refusal) || refusal.Node != "gone" {
		t.Errorf("got %v", status)
	}
}

func TestTheLoopHearsOfSinglePodsThatTakeRoom(t *testing.T) {
	r := newRig(t, []*v1.Node{node("n", "9", "9Gi", "")})
	single := podOn("", "single", "1500m", "1Gi")
	single.Spec.Containers[0].Ports = []v1.ContainerPort{{HostPort: 80, ContainerPort: 80}, {ContainerPort: 81}}
	state, _, _ := r.begin(t, single)
	r.Reserve(t.Context(), state, single, "n")
	r.Unreserve(t.Context(), state, single, "n")
	events := r.inbox.take()
	if len(events) != 2 {
		t.Fatalf("posted %v", events)
	}
	got := events[0].(core.Assumed).Pod
	if want := (vector.Vector{MilliCPU: 1500, Memory: 1 << 30, Pods: 1}); got.ID != "single" || got.Node != "n" || !got.Request.Equal(want) || !slices.Equal(got.HostPorts, []string{"TCP/0.0.0.0/80"}) {
		t.Errorf("assumed %+v", got)
	}
	if events[1] != (core.Forgotten{ID: "single"}) {
		t.Errorf("then %v", events[1])
	}

	r.board.places["m"] = core.Placement{Node: "n"}
	m := member(podOn("", "m", "1", "1Gi"))
	state, _, _ = r.begin(t, m)
	r.Reserve(t.Context(), state, m, "n")
	r.Unreserve(t.Context(), state, m, "n")
	if events := r.inbox.take(); len(events) != 0 {
		t.Errorf("of a member it heard %v: its room is in the book", events)
	}
}

func TestOnlySinglePodsAreSigned(t *testing.T) {
	r := newRig(t, nil)
	if _, status := r.SignPod(t.Context(), member(podOn("", "m", "1", "1Gi"))); status.IsSuccess() {
		t.Error("a member was signed")
	}
	if _, status := r.SignPod(t.Context(), podOn("", "single", "1", "1Gi")); !status.IsSuccess() {
		t.Errorf("a single pod: %v", status)
	}
}

func BenchmarkFilterBesideManyPromises(b *testing.B) {
	n := node("n", "64", "256Gi", "")
	held := make([]core.Held, 0, 50)
	pods := make([]*v1.Pod, 0, 50)
	for i := range 50 {
		name := string(rune('A' + i))
		held = append(held, slot(gang.PodID(name), 1000, 4))
		pods = append(pods, podOn("n", name, "1", "4Gi"))
	}
	info := infoOf(n, pods...)
	ask := ask{request: vector.Vector{MilliCPU: 1000, Memory: 1 << 30, Pods: 1}}
	for b.Loop() {
		if got := ask.lacks(info, held); got != "" {
			b.Fatal(got)
		}
	}
}
