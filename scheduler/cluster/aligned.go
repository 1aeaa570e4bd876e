package cluster

import (
	"iter"
	"maps"
	"reflect"
	"slices"

	"github.com/k8stopologyawareschedwg/podfingerprint"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/numa"
)

// ReportZones takes in what a node says of its zones. It reports whether more is known
// of them now.
func (t *Table) ReportZones(node string, r ZoneReport) bool {
	if !t.HasZones(node) {
		return false
	}
	s := t.byName[node]
	s.zoning.report = &r
	return s.zoning.believe(s.pods)
}

// HasZones says whether a node's kubelet may refuse pods for which the node has room.
func (t *Table) HasZones(node string) bool {
	s, ok := t.byName[node]
	return ok && s.zoning != nil
}

// AlignedSingles returns the pods outside of gangs on a node that take anything of its
// zones, sorted.
func (t *Table) AlignedSingles(node string) []gang.PodID {
	var out []gang.PodID
	for id, p := range t.byName[node].pods {
		if p.Gang == "" && p.Aligned != nil {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// align begins a new book of the node's zones if it aligns pods otherwise than before.
// A kubelet that refuses no pod needs none.
func (s *state) align(t *numa.Topology) {
	if s.zoning != nil && t != nil && reflect.DeepEqual(s.zoning.topology, t) {
		return
	}
	if s.zoning = nil; t == nil || !t.Refuses() {
		return
	}
	s.zoning = newZoning(t)
	for _, id := range slices.Sorted(maps.Keys(s.pods)) {
		p := s.pods[id]
		s.zoning.set(&p)
	}
}

// demandsOf are what the kubelet takes from zones for pods.
func demandsOf(pods map[gang.PodID]Pod) []*numa.Demand {
	var out []*numa.Demand
	for _, p := range pods {
		if p.Aligned != nil {
			out = append(out, p.Aligned)
		}
	}
	return out
}

// Fingerprint stands for the names of pods, as exporters of zones work it out.
func Fingerprint(pods iter.Seq[Pod]) string {
	f := podfingerprint.NewFingerprint(0)
	for p := range pods {
		_ = f.Add(p.Namespace, p.Name) // it returns no error ever
	}
	return f.Sign()
}

// zonesWithout is the node's zones as if some pods had gone: those that stay come
// anew, in any order.
func (s *state) zonesWithout(gone func(Pod) bool) *Zones {
	if s.zoning == nil {
		return nil
	}
	z := &Zones{Topology: s.zoning.topology, State: s.zoning.topology.Empty()}
	for _, id := range slices.Sorted(maps.Keys(s.pods)) {
		if p := s.pods[id]; p.Aligned != nil && !gone(p) {
			z.Arriving = append(z.Arriving, p.Aligned)
		}
	}
	return z
}
