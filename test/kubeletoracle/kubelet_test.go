package kubeletoracle

import (
	"context"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/kubelet/cm/cpumanager"
	cpustate "k8s.io/kubernetes/pkg/kubelet/cm/cpumanager/state"
	"k8s.io/kubernetes/pkg/kubelet/cm/memorymanager"
	memorystate "k8s.io/kubernetes/pkg/kubelet/cm/memorymanager/state"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
	"pgregory.net/rapid"

	cadvisor "github.com/google/cadvisor/lib/model"

	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/resource"
)

// kubelet is the part of a kubelet that aligns: its own topology manager, and
// the policies of its own CPU and memory managers on states in memory.
type kubelet struct {
	machine  *machine
	topology topologymanager.Manager
	cpu      *cpuManager
	memory   *memoryManager
	devices  *devices
}

// silent is a logger that says nothing.
var silent = klog.Logger{}

// boot starts one that chooses among devices in the order of shuffle.
func boot(t rapid.TB, m *machine, shuffle func([]device) []device) *kubelet {
	manager, err := topologymanager.NewManager(silent, m.nodes, m.policy, m.scope, m.tmOptions)
	must(t, err)
	k := &kubelet{machine: m, topology: manager}
	k.devices = &devices{all: m.devices, shuffle: shuffle, store: manager, held: map[string]map[string][]device{}}
	manager.AddHintProvider(silent, k.devices)
	if m.exclusiveCPUs {
		policy, err := cpumanager.NewStaticPolicy(silent, m.cpus, m.reserved.Size(), m.reserved, manager, m.cpuOptions)
		must(t, err)
		k.cpu = &cpuManager{policy: policy, state: cpustate.NewMemoryState(silent)}
		must(t, policy.Start(silent, k.cpu.state))
		manager.AddHintProvider(silent, k.cpu)
	}
	if m.pinnedMemory {
		reserved := map[int]map[corev1.ResourceName]uint64{}
		for id, amount := range m.memoryReserved {
			reserved[id] = map[corev1.ResourceName]uint64{corev1.ResourceMemory: amount}
		}
		policy, err := memorymanager.NewPolicyStatic(silent, &cadvisor.MachineInfo{Topology: m.nodes}, reserved, manager)
		must(t, err)
		k.memory = &memoryManager{policy: policy, state: memorystate.NewMemoryState(silent)}
		must(t, policy.Start(silent, k.memory.state))
		manager.AddHintProvider(silent, k.memory)
	}
	return k
}

func must(t rapid.TB, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// admit lets the kubelet decide, and forgets a pod that it refuses.
func (k *kubelet) admit(pod *corev1.Pod) lifecycle.PodAdmitResult {
	ctx := klog.NewContext(context.Background(), silent)
	result := k.topology.Admit(ctx, &lifecycle.PodAdmitAttributes{Pod: pod, Operation: lifecycle.AddOperation})
	if !result.Admit {
		k.end(pod)
	}
	return result
}

// end frees what the pod has.
func (k *kubelet) end(pod *corev1.Pod) {
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if k.cpu != nil {
			_ = k.cpu.policy.RemoveContainer(silent, k.cpu.state, string(pod.UID), c.Name)
		}
		if k.memory != nil {
			k.memory.policy.RemoveContainer(silent, k.memory.state, string(pod.UID), c.Name)
		}
	}
	delete(k.devices.held, string(pod.UID))
}

// run is what happens when the pod's last init container has ended: the memory
// manager, and it alone, frees what they had.
func (k *kubelet) run(pod *corev1.Pod) {
	for _, c := range pod.Spec.InitContainers {
		if k.memory != nil && ordinaryInit(pod, c.Name) {
			k.memory.policy.RemoveContainer(silent, k.memory.state, string(pod.UID), c.Name)
		}
	}
}

// state is what the zones have left, as a report would say.
func (k *kubelet) state(t *numa.Topology) numa.State {
	out := t.Empty()
	for z, node := range k.machine.nodes {
		left := &out[z].Left
		if k.cpu != nil {
			cpus := k.cpu.policy.GetAllocatableCPUs(k.cpu.state).Intersection(k.cpu.state.GetDefaultCPUSet())
			n := k.machine.cpus.CPUDetails.CPUsInNUMANodes(node.Id).Intersection(cpus).Size()
			*left = left.With(resource.CPU, int64(n)*1000)
		}
		if k.memory != nil {
			memory := k.memory.state.GetMachineState()[node.Id]
			for name, table := range memory.MemoryMap {
				*left = left.With(string(name), int64(table.Free))
			}
			out[z].Blocks = memory.NumberOfAssignments
			out[z].Group = k.group(memory.Cells)
		}
		for _, name := range []string{gpu, nic} {
			here := func(d device) bool { return d.zone == node.Id }
			*left = left.With(name, int64(count(k.devices.available(name), here)))
		}
	}
	return out
}

func (k *kubelet) group(ids []int) numa.Mask {
	if len(ids) == 1 {
		return 0
	}
	var m numa.Mask
	for _, id := range ids {
		m |= 1 << k.machine.zoneIndex(id)
	}
	return m
}

// cpuManager hands the calls of the topology manager to the policy, as the
// kubelet's own manager does.
type cpuManager struct {
	policy cpumanager.Policy
	state  cpustate.State
}

func (m *cpuManager) GetTopologyHints(l klog.Logger, pod *corev1.Pod, c *corev1.Container, op lifecycle.Operation) map[string][]topologymanager.TopologyHint {
	return m.policy.GetTopologyHints(l, m.state, pod, c, op)
}

func (m *cpuManager) GetPodTopologyHints(l klog.Logger, pod *corev1.Pod, op lifecycle.Operation) map[string][]topologymanager.TopologyHint {
	return m.policy.GetPodTopologyHints(l, m.state, pod, op)
}

func (m *cpuManager) Allocate(_ context.Context, pod *corev1.Pod, c *corev1.Container, op lifecycle.Operation) error {
	return m.policy.Allocate(silent, m.state, pod, c, op)
}

func (m *cpuManager) AllocatePod(klog.Logger, *corev1.Pod, lifecycle.Operation) error {
	return errors.New("not by default")
}

// memoryManager does the same for memory.
type memoryManager struct {
	policy memorymanager.Policy
	state  memorystate.State
}

func (m *memoryManager) GetTopologyHints(l klog.Logger, pod *corev1.Pod, c *corev1.Container, op lifecycle.Operation) map[string][]topologymanager.TopologyHint {
	return m.policy.GetTopologyHints(l, m.state, pod, c, op)
}

func (m *memoryManager) GetPodTopologyHints(l klog.Logger, pod *corev1.Pod, op lifecycle.Operation) map[string][]topologymanager.TopologyHint {
	return m.policy.GetPodTopologyHints(l, m.state, pod, op)
}

func (m *memoryManager) Allocate(ctx context.Context, pod *corev1.Pod, c *corev1.Container, op lifecycle.Operation) error {
	return m.policy.Allocate(ctx, m.state, pod, c, op)
}

func (m *memoryManager) AllocatePod(klog.Logger, *corev1.Pod, lifecycle.Operation) error {
	return errors.New("not by default")
}
