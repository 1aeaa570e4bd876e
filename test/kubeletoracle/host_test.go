package kubeletoracle

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	cadvisor "github.com/google/cadvisor/lib/model"
	"github.com/k8stopologyawareschedwg/noderesourcetopology-api/pkg/apis/topology/v1alpha2"
	"github.com/k8stopologyawareschedwg/noderesourcetopology-api/pkg/generated/clientset/versioned"
	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/pkg/kubelet/cm/cpumanager/topology"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"
	"k8s.io/utils/cpuset"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// host is a node of a cluster whose kubelet is played: the kubelet's own code admits
// what is bound to it. What it admits runs for as long as it says, and ends.
type host struct {
	name     string
	client   kubernetes.Interface
	model    *numa.Topology
	exporter *exporter
	fail     func(error)
	tasks    sync.WaitGroup

	mu      sync.Mutex
	rand    *rand.Rand
	kubelet *kubelet
	// active are the pods of which the kubelet tells exporters.
	active map[types.UID]*corev1.Pod
	seen   map[types.UID]bool
}

// newHost plays one of some nodes. All have two zones, and policy single-numa-node;
// every other aligns pods as a whole.
func newHost(t *testing.T, client kubernetes.Interface, reports versioned.Interface, i int) *host {
	scope := topologymanager.ContainerTopologyScope
	if i%2 == 1 {
		scope = topologymanager.PodTopologyScope
	}
	m, fail := server(scope), func(err error) { t.Error(err) }
	h := &host{
		name: fmt.Sprint("played-", i), client: client, model: m.topology(), fail: fail,
		rand:   rand.New(rand.NewPCG(seed, uint64(i))),
		active: map[types.UID]*corev1.Pod{}, seen: map[types.UID]bool{},
	}
	h.kubelet = boot(t, m, func(list []device) []device {
		h.rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return list
	})
	h.exporter = &exporter{
		node: h.name, client: reports, fail: fail, rand: rand.New(rand.NewPCG(seed, uint64(hosts+i))),
		next: make(chan *v1alpha2.NodeResourceTopology, 1),
	}
	return h
}

// server is a machine of two zones of eight CPUs, four GPUs and 64 GiB. The first CPU
// and a little memory are the system's.
func server(scope string) *machine {
	m := &machine{
		policy: topologymanager.PolicySingleNumaNode, scope: scope,
		exclusiveCPUs: true, pinnedMemory: true,
		cpus: &topology.CPUTopology{
			NumCPUs: 16, NumCores: 16, NumSockets: 2, NumNUMANodes: 2, NumUncoreCache: 2,
			CPUDetails: topology.CPUDetails{},
		},
		reserved:       cpuset.New(0),
		memoryReserved: map[int]uint64{0: gib, 1: gib},
	}
	for zone := range 2 {
		m.nodes = append(m.nodes, cadvisor.Node{
			Id: zone, Memory: 64 * gib, HugePages: []cadvisor.HugePagesInfo{{PageSize: 2048}},
			Distances: []uint64{uint64(10 + 10*zone), uint64(20 - 10*zone)},
		})
		for i := range 8 {
			cpu := 8*zone + i
			m.cpus.CPUDetails[cpu] = topology.CPUInfo{NUMANodeID: zone, SocketID: zone, CoreID: cpu, UncoreCacheID: zone}
		}
		for range 4 {
			m.devices = append(m.devices, device{resource: gpu, id: len(m.devices), zone: zone, healthy: true})
		}
	}
	return m
}

// register makes the node known, as its kubelet and exporter would.
func (h *host) register(ctx context.Context) error {
	if err := h.exporter.create(ctx, h.report()); err != nil {
		return err
	}
	room := corev1.ResourceList{corev1.ResourcePods: apiresource.MustParse("110")}
	for _, z := range h.model.Zones {
		z.Allocatable.Each(func(name string, amount int64) {
			sum := room[corev1.ResourceName(name)]
			sum.Add(quantity(name, amount))
			room[corev1.ResourceName(name)] = sum
		})
	}
	_, err := h.client.CoreV1().Nodes().Create(ctx, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: h.name, Labels: map[string]string{corev1.LabelHostname: h.name}},
		Status: corev1.NodeStatus{
			Capacity: room, Allocatable: room,
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("register node %s: %w", h.name, err)
	}
	return nil
}

func quantity(name string, amount int64) apiresource.Quantity {
	if name == resource.CPU {
		return *apiresource.NewMilliQuantity(amount, apiresource.DecimalSI)
	}
	return *apiresource.NewQuantity(amount, apiresource.DecimalSI)
}

// run plays the kubelet until the context ends.
func (h *host) run(ctx context.Context) {
	here := informers.WithTweakListOptions(func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", h.name).String()
	})
	factory := informers.NewSharedInformerFactoryWithOptions(h.client, 0, here)
	see := func(o any) { h.see(ctx, o.(*corev1.Pod)) }
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    see,
		UpdateFunc: func(_, o any) { see(o) },
	})
	if err != nil {
		h.fail(err)
		return
	}
	factory.StartWithContext(ctx)
	h.tasks.Go(func() { h.exporter.run(ctx) })
	<-ctx.Done()
	factory.Shutdown()
	h.tasks.Wait()
}

// see takes in a pod that is bound to the node.
func (h *host) see(ctx context.Context, pod *corev1.Pod) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seen[pod.UID] {
		return
	}
	h.seen[pod.UID] = true
	h.active[pod.UID] = pod
	// A kubelet tells of a pod from before it admits it, and tells exporters to look
	// while it does.
	h.exporter.tell(h.report())
	result := h.kubelet.admit(pod)
	late := time.Duration(0)
	if h.rand.IntN(4) == 0 {
		late = time.Duration(h.rand.IntN(500)) * time.Millisecond
	}
	if !result.Admit {
		delete(h.active, pod.UID)
	}
	h.exporter.tell(h.report())
	h.tasks.Go(func() {
		if !after(ctx, late) {
			return
		}
		if !result.Admit {
			h.setStatus(ctx, pod, corev1.PodStatus{Phase: corev1.PodFailed, Reason: result.Reason, Message: "Pod was rejected: " + result.Message})
			return
		}
		h.play(ctx, pod)
	})
}

// play runs a pod that was admitted.
func (h *host) play(ctx context.Context, pod *corev1.Pod) {
	runs, err := time.ParseDuration(pod.Annotations[localcluster.DurationAnnotation])
	if err != nil {
		h.fail(err)
		return
	}
	now := metav1.Now()
	h.setStatus(ctx, pod, corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &now})
	if !after(ctx, runs) {
		return
	}
	h.mu.Lock()
	h.kubelet.end(pod)
	delete(h.active, pod.UID)
	h.exporter.tell(h.report())
	h.mu.Unlock()
	h.setStatus(ctx, pod, corev1.PodStatus{Phase: corev1.PodSucceeded})
}

// after waits. It reports false if the context ended before.
func after(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func (h *host) setStatus(ctx context.Context, pod *corev1.Pod, status corev1.PodStatus) {
	patch, err := json.Marshal(map[string]any{"status": status})
	if err == nil {
		_, err = h.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	}
	if err != nil && ctx.Err() == nil {
		h.fail(fmt.Errorf("tell of pod %s: %w", pod.Name, err))
	}
}
