package cluster

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// Table holds every node and every pod that takes room on one. It has one
// writer and no lock.
type Table struct {
	// states are sorted by node name, so that plans do not depend on the order
	// in which nodes were seen.
	states []*state
	byName map[string]*state
	pods   map[gang.PodID]Pod
}

// state is a node with what runs on it. A pod may be seen before its node:
// then spec is nil.
type state struct {
	name string
	spec *Node
	pods map[gang.PodID]Pod
	// used is the sum of all pods; inGangs has the part of each gang.
	used    resource.Vector
	inGangs map[gang.ID]resource.Vector
	// ported counts the pods with host ports.
	ported int
	// zoning is nil where the node has not told how it aligns pods, or refuses none.
	zoning *zoning
}

// NewTable returns an empty table.
func NewTable() *Table {
	return &Table{byName: map[string]*state{}, pods: map[gang.PodID]Pod{}}
}

// SetNode adds or replaces a node.
func (t *Table) SetNode(n Node) {
	s := t.state(n.Name)
	s.spec = &n
	s.align(n.NUMA)
}

// RemoveNode removes a node. Pods that are still recorded on it are kept until
// they are removed themselves.
func (t *Table) RemoveNode(name string) {
	if s, ok := t.byName[name]; ok {
		s.spec, s.zoning = nil, nil
		t.dropEmpty(s)
	}
}

// SetPod records that a pod takes room on pod.Node. A pod is on one node only. It
// reports whether more is known of the node's zones now.
func (t *Table) SetPod(pod Pod) bool {
	if old, known := t.pods[pod.ID]; known && old.Node == pod.Node {
		t.byName[pod.Node].remove(old)
	} else if known {
		t.RemovePod(pod.ID)
	}
	s := t.state(pod.Node)
	s.add(pod)
	t.pods[pod.ID] = pod
	if s.zoning == nil {
		return false
	}
	s.zoning.set(&pod)
	return s.zoning.believe(s.pods)
}

// RemovePod forgets a pod and returns what was recorded of it.
func (t *Table) RemovePod(id gang.PodID) (Pod, bool) {
	pod, ok := t.pods[id]
	if !ok {
		return Pod{}, false
	}
	s := t.byName[pod.Node]
	s.remove(pod)
	delete(t.pods, id)
	if s.zoning != nil {
		s.zoning.remove(id)
		s.zoning.believe(s.pods)
	}
	t.dropEmpty(s)
	return pod, true
}

func (s *state) add(p Pod) {
	s.pods[p.ID] = p
	s.used = s.used.Add(p.Request)
	if p.Gang != "" {
		s.inGangs[p.Gang] = s.inGangs[p.Gang].Add(p.Request)
	}
	if len(p.HostPorts) > 0 {
		s.ported++
	}
}

func (s *state) remove(p Pod) {
	delete(s.pods, p.ID)
	s.used = s.used.Sub(p.Request)
	if rest := s.inGangs[p.Gang].Sub(p.Request); rest.IsZero() {
		delete(s.inGangs, p.Gang)
	} else if p.Gang != "" {
		s.inGangs[p.Gang] = rest
	}
	if len(p.HostPorts) > 0 {
		s.ported--
	}
}

// Pod returns what is recorded of a pod that takes room.
func (t *Table) Pod(id gang.PodID) (Pod, bool) {
	pod, ok := t.pods[id]
	return pod, ok
}

// Pods returns what is recorded of all pods, in no order.
func (t *Table) Pods() iter.Seq[Pod] { return maps.Values(t.pods) }

// Node returns a node, or nil if there is none of that name.
func (t *Table) Node(name string) *Node {
	if s, ok := t.byName[name]; ok {
		return s.spec
	}
	return nil
}

// Names returns the names of all nodes, sorted.
func (t *Table) Names() []string {
	names := make([]string, 0, len(t.states))
	for _, s := range t.states {
		if s.spec != nil {
			names = append(names, s.name)
		}
	}
	return names
}

// Row returns what pods leave free on a node. It reports false where there is
// no such node.
func (t *Table) Row(name string) (Row, bool) {
	s, ok := t.byName[name]
	if !ok || s.spec == nil {
		return Row{}, false
	}
	return Row{Node: s.spec, Free: s.spec.Allocatable.Sub(s.used), Ports: s.ports(nil), Zones: s.zoning.zones()}, true
}

// RowWithout is Row as if some of the node's pods had gone.
func (t *Table) RowWithout(name string, gone map[gang.PodID]bool) (Row, bool) {
	s, ok := t.byName[name]
	if !ok || s.spec == nil {
		return Row{}, false
	}
	free := s.spec.Allocatable.Sub(s.used)
	for id := range gone {
		free = free.Add(s.pods[id].Request)
	}
	isGone := func(p Pod) bool { return gone[p.ID] }
	return Row{Node: s.spec, Free: free, Ports: s.ports(isGone), Zones: s.zonesWithout(isGone)}, true
}

// WithoutOthers returns what would be free if the pods of all gangs but one had
// gone: on some nodes, or on all if these are nil.
func (t *Table) WithoutOthers(id gang.ID, on map[string]bool) View {
	return t.view(on, func(s *state) Row {
		free := s.spec.Allocatable.Sub(s.used)
		for other, part := range s.inGangs {
			if other != id {
				free = free.Add(part)
			}
		}
		others := func(p Pod) bool { return p.Gang != "" && p.Gang != id }
		return Row{Node: s.spec, Free: free, Ports: s.ports(others), Zones: s.zonesWithout(others)}
	})
}

// Empty returns every node as it would be without any pod.
func (t *Table) Empty() View {
	everybody := func(Pod) bool { return true }
	return t.view(nil, func(s *state) Row {
		return Row{Node: s.spec, Free: s.spec.Allocatable, Zones: s.zonesWithout(everybody)}
	})
}

func (t *Table) view(on map[string]bool, row func(*state) Row) View {
	n := len(t.states)
	if on != nil {
		n = len(on)
	}
	v := View{Rows: make([]Row, 0, n)}
	for _, s := range t.states {
		if s.spec != nil && (on == nil || on[s.name]) {
			v.Rows = append(v.Rows, row(s))
		}
	}
	return v
}

// ports are the host ports of pods that skip, which may be nil, does not name.
func (s *state) ports(skip func(Pod) bool) map[string]bool {
	if s.ported == 0 {
		return nil
	}
	var ports map[string]bool
	for _, p := range s.pods {
		if skip == nil || !skip(p) {
			ports = withPorts(ports, p.HostPorts)
		}
	}
	return ports
}

func withPorts(ports map[string]bool, more []string) map[string]bool {
	for _, p := range more {
		if ports == nil {
			ports = map[string]bool{}
		}
		ports[p] = true
	}
	return ports
}

func (t *Table) state(name string) *state {
	if s, ok := t.byName[name]; ok {
		return s
	}
	s := &state{name: name, pods: map[gang.PodID]Pod{}, inGangs: map[gang.ID]resource.Vector{}}
	t.byName[name] = s
	i, _ := t.find(name)
	t.states = slices.Insert(t.states, i, s)
	return s
}

func (t *Table) dropEmpty(s *state) {
	if s.spec != nil || len(s.pods) > 0 {
		return
	}
	delete(t.byName, s.name)
	if i, ok := t.find(s.name); ok {
		t.states = slices.Delete(t.states, i, i+1)
	}
}

func (t *Table) find(name string) (int, bool) {
	return slices.BinarySearchFunc(t.states, name, func(s *state, n string) int { return strings.Compare(s.name, n) })
}
