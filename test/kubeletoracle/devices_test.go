package kubeletoracle

import (
	"context"
	"errors"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	resourcehelper "k8s.io/component-helpers/resource"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager/bitmask"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
)

// devices stands for the kubelet's device manager, which cannot be started
// outside /var/lib/kubelet. It is written after generateDeviceTopologyHints,
// GetTopologyHints, GetPodTopologyHints, Allocate and devicesToAllocate of
// pkg/kubelet/cm/devicemanager. Where those leave the choice to a plugin or to
// the order of a map, the test does.
type devices struct {
	all []device
	// shuffle puts devices into the order in which they are chosen.
	shuffle func([]device) []device
	store   topologymanager.Store
	// held is by pod and container, and reusable by resource, for one pod.
	held     map[string]map[string][]device
	reusable map[string][]device
	reuser   string
}

var _ topologymanager.HintProvider = (*devices)(nil)

func (m *devices) GetTopologyHints(_ klog.Logger, pod *corev1.Pod, container *corev1.Container, _ lifecycle.Operation) map[string][]topologymanager.TopologyHint {
	hints := map[string][]topologymanager.TopologyHint{}
	for name, quantity := range container.Resources.Limits {
		if m.known(string(name)) {
			hints[string(name)] = m.hints(string(name), int(quantity.Value()), m.reusables(pod, string(name)))
		}
	}
	return hints
}

func (m *devices) GetPodTopologyHints(_ klog.Logger, pod *corev1.Pod, _ lifecycle.Operation) map[string][]topologymanager.TopologyHint {
	hints := map[string][]topologymanager.TopologyHint{}
	for name, quantity := range resourcehelper.PodLimits(pod, resourcehelper.PodResourcesOptions{ExcludeOverhead: true}) {
		if m.known(string(name)) {
			hints[string(name)] = m.hints(string(name), int(quantity.Value()), nil)
		}
	}
	return hints
}

func (m *devices) hints(name string, request int, reusable []device) []topologymanager.TopologyHint {
	if !slices.ContainsFunc(m.all, func(d device) bool { return d.resource == name && d.zone >= 0 }) {
		return nil
	}
	available := m.available(name)
	if len(available)+len(reusable) < request {
		return []topologymanager.TopologyHint{}
	}
	bearing := sets.New[int]()
	for _, d := range m.all {
		if d.resource == name && d.zone >= 0 {
			bearing.Insert(d.zone)
		}
	}
	least := bearing.Len()
	hints := []topologymanager.TopologyHint{}
	bitmask.IterateBitMasks(sets.List(bearing), func(mask bitmask.BitMask) {
		within := func(d device) bool { return d.resource == name && mask.IsSet(d.zone) }
		if count(m.all, within) >= request && mask.Count() < least {
			least = mask.Count()
		}
		matching := count(reusable, within)
		if matching < len(reusable) {
			return
		}
		if matching+count(available, within) >= request {
			hints = append(hints, topologymanager.TopologyHint{NUMANodeAffinity: mask})
		}
	})
	for i := range hints {
		hints[i].Preferred = hints[i].NUMANodeAffinity.Count() == least
	}
	return hints
}

func count(list []device, f func(device) bool) int {
	n := 0
	for _, d := range list {
		if f(d) {
			n++
		}
	}
	return n
}

func (m *devices) Allocate(_ context.Context, pod *corev1.Pod, container *corev1.Container, _ lifecycle.Operation) error {
	uid := string(pod.UID)
	if m.reuser != uid {
		m.reuser, m.reusable = uid, map[string][]device{}
	}
	for _, name := range slices.Sorted(maps.Keys(container.Resources.Limits)) {
		if !m.known(string(name)) {
			continue
		}
		quantity := container.Resources.Limits[name]
		taken, err := m.choose(uid, container.Name, string(name), int(quantity.Value()))
		if err != nil {
			return err
		}
		if m.held[uid] == nil {
			m.held[uid] = map[string][]device{}
		}
		m.held[uid][container.Name] = append(m.held[uid][container.Name], taken...)
		m.reusable[string(name)] = slices.DeleteFunc(m.reusable[string(name)], func(d device) bool { return slices.Contains(taken, d) })
		if ordinaryInit(pod, container.Name) {
			m.reusable[string(name)] = append(m.reusable[string(name)], taken...)
		}
	}
	return nil
}

// AllocatePod is only called where PodLevelResourceManagers is on.
func (m *devices) AllocatePod(klog.Logger, *corev1.Pod, lifecycle.Operation) error {
	return errors.New("not by default")
}

// choose takes from what can be reused, from the zones of the hint, and from the
// rest, in that order.
func (m *devices) choose(uid, container, name string, want int) ([]device, error) {
	hint := m.store.GetAffinity(klog.Logger{}, uid, container).NUMANodeAffinity
	available := m.available(name)
	var aligned, other []device
	for _, d := range available {
		if hint != nil && d.zone >= 0 && hint.IsSet(d.zone) {
			aligned = append(aligned, d)
		} else {
			other = append(other, d)
		}
	}
	var taken []device
	for _, list := range [][]device{slices.Clone(m.reusable[name]), aligned, other} {
		if name != license && want > len(taken) && len(list) > want-len(taken) {
			list = m.shuffle(list)
		}
		taken = append(taken, list[:min(len(list), want-len(taken))]...)
	}
	if len(taken) < want {
		return nil, errors.New("requested number of devices unavailable")
	}
	return taken, nil
}

func (m *devices) known(name string) bool {
	return slices.ContainsFunc(m.all, func(d device) bool { return d.resource == name })
}

func (m *devices) reusables(pod *corev1.Pod, name string) []device {
	if m.reuser != string(pod.UID) {
		return nil
	}
	return m.reusable[name]
}

func (m *devices) available(name string) []device {
	var out []device
	for _, d := range m.all {
		if d.resource == name && d.healthy && !m.taken(d) {
			out = append(out, d)
		}
	}
	return out
}

func (m *devices) taken(d device) bool {
	for _, containers := range m.held {
		for _, held := range containers {
			if slices.Contains(held, d) {
				return true
			}
		}
	}
	return false
}
