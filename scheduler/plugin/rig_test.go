package plugin

import (
	"sync"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	fwk "k8s.io/kube-scheduler/framework"
	schedulercache "k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"
	"k8s.io/kubernetes/pkg/scheduler/metrics"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/numa"
	vector "muster.sh/muster/scheduler/resource"
)

func init() { metrics.Register() }

// board is a Board that tests write on.
type board struct {
	held   map[string][]core.Held
	places map[gang.PodID]core.Placement
	zones  map[string]*core.Zones
}

func newBoard() *board {
	return &board{held: map[string][]core.Held{}, places: map[gang.PodID]core.Placement{}, zones: map[string]*core.Zones{}}
}

func (b *board) Zones(node string) *core.Zones { return b.zones[node] }

func (b *board) Held(node string) []core.Held { return b.held[node] }

func (b *board) Placement(pod gang.PodID) (core.Placement, bool) {
	p, ok := b.places[pod]
	return p, ok
}

// inbox keeps what was posted.
type inbox struct {
	mu     sync.Mutex
	events []core.Event
}

func (i *inbox) post(e core.Event) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.events = append(i.events, e)
}

func (i *inbox) take() []core.Event {
	i.mu.Lock()
	defer i.mu.Unlock()
	out := i.events
	i.events = nil
	return out
}

type rig struct {
	*Plugin
	board *board
	inbox *inbox
	fake  *fake.Clientset
	// aligned is what pods take from zones, by their name.
	aligned map[string]*numa.Demand
}

func isMember(p *v1.Pod) bool { return p.Labels["gang"] != "" }

// newRig is a plugin on a snapshot with these nodes and pods.
func newRig(t *testing.T, nodes []*v1.Node, pods ...*v1.Pod) *rig {
	t.Helper()
	client := fake.NewClientset()
	for _, p := range pods {
		if err := client.Tracker().Add(p); err != nil {
			t.Fatal(err)
		}
	}
	handle, err := frameworkruntime.NewFramework(t.Context(), nil, nil,
		frameworkruntime.WithClientSet(client),
		frameworkruntime.WithInformerFactory(informers.NewSharedInformerFactory(client, 0)),
		frameworkruntime.WithSnapshotSharedLister(schedulercache.NewSnapshot(pods, nodes)))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{board: newBoard(), inbox: &inbox{}, fake: client, aligned: map[string]*numa.Demand{}}
	p, err := Factory(Options{
		Board: r.board, Member: isMember, Aligned: func(p *v1.Pod) *numa.Demand { return r.aligned[p.Name] }, Post: r.inbox.post,
		Latch: NewLatch(r.board.Placement, r.inbox.post), Contention: NewContention(r.board),
	})(t.Context(), nil, handle)
	if err != nil {
		t.Fatal(err)
	}
	r.Plugin = p.(*Plugin)
	return r
}

func node(name, cpu, memory, gpus string) *v1.Node {
	list := v1.ResourceList{
		v1.ResourceCPU: resource.MustParse(cpu), v1.ResourceMemory: resource.MustParse(memory), v1.ResourcePods: resource.MustParse("10"),
	}
	if gpus != "" {
		list["nvidia.com/gpu"] = resource.MustParse(gpus)
	}
	return &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: v1.NodeStatus{Allocatable: list, Capacity: list}}
}

// podOn is a pod named like its UID, on a node unless that is empty.
func podOn(node, name, cpu, memory string) *v1.Pod {
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, UID: types.UID(name)},
		Spec: v1.PodSpec{NodeName: node, Containers: []v1.Container{{Name: "c", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
			v1.ResourceCPU: resource.MustParse(cpu), v1.ResourceMemory: resource.MustParse(memory),
		}}}}},
	}
}

func member(p *v1.Pod) *v1.Pod {
	p.Labels = map[string]string{"gang": "g"}
	return p
}

// slot is room held for a claimant, which may be empty.
func slot(claimant gang.PodID, milliCPU, gib int64) core.Held {
	return core.Held{Gang: "g", Claimant: claimant, Request: vector.Vector{MilliCPU: milliCPU, Memory: gib << 30, Pods: 1}}
}

func infoOf(n *v1.Node, pods ...*v1.Pod) fwk.NodeInfo {
	info := framework.NewNodeInfo(pods...)
	info.SetNode(n)
	return info
}

// begin runs PreFilter and returns the state of the cycle.
func (r *rig) begin(t *testing.T, pod *v1.Pod) (fwk.CycleState, *fwk.PreFilterResult, *fwk.Status) {
	t.Helper()
	state := framework.NewCycleState()
	result, status := r.PreFilter(t.Context(), state, pod, nil)
	return state, result, status
}
