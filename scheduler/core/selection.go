package core

import (
	"cmp"
	"slices"

	"muster.sh/muster/scheduler/gang"
)

// Selection chooses gangs. Of a field that is empty any will do.
type Selection struct {
	Queue, Namespace string
	// Code is the kind of the verdict.
	Code gang.Code
}

func (m *Machine) selects(s Selection, g *group) bool {
	_, namespace, _ := g.decl.ID.Split()
	return (s.Namespace == "" || namespace == s.Namespace) &&
		(s.Queue == "" || m.queueOf(g) == s.Queue) &&
		(s.Code == "" || m.code(g) == s.Code)
}

// Census counts gangs by their namespace and the kind of their verdict.
type Census map[string]map[gang.Code]int

// Census counts those gangs that are selected.
func (m *Machine) Census(s Selection) Census {
	out := Census{}
	for id, g := range m.groups {
		if !m.selects(s, g) {
			continue
		}
		_, namespace, _ := id.Split()
		if out[namespace] == nil {
			out[namespace] = map[gang.Code]int{}
		}
		out[namespace][m.code(g)]++
	}
	return out
}

// Page returns the records of the first gangs behind one, by ID, that are selected and in
// a namespace for which in says so, at most limit. They are without their slots.
func (m *Machine) Page(s Selection, in func(namespace string) bool, after gang.ID, limit int) []Record {
	var ids []gang.ID
	for id, g := range m.groups {
		if _, namespace, _ := id.Split(); id > after && in(namespace) && m.selects(s, g) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	ids = ids[:min(len(ids), limit)]
	out := make([]Record, len(ids))
	for i, id := range ids {
		out[i] = m.brief(m.groups[id])
	}
	return out
}

// Named returns the records of the gangs of a namespace that have a name, or whose owner
// has it, by ID.
func (m *Machine) Named(namespace, name string) []Record {
	var out []Record
	for id, g := range m.groups {
		if _, in, own := id.Split(); in == namespace && (own == name || g.decl.Owner.Name == name) {
			out = append(out, m.record(g))
		}
	}
	slices.SortFunc(out, func(a, b Record) int { return cmp.Compare(a.Gang, b.Gang) })
	return out
}
