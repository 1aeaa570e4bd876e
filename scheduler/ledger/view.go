package ledger

import (
	"maps"
	"slices"
	"strings"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// rows caches the view. Stale nodes are worked out again when it is read.
type rows struct {
	list  []cluster.Row // sorted by node name
	stale map[string]bool
	// lent says that a View shares the list, so it must be copied before it
	// is changed.
	lent bool
}

func find(list []cluster.Row, name string) (int, bool) {
	return slices.BinarySearchFunc(list, name, func(r cluster.Row, n string) int { return strings.Compare(r.Node.Name, n) })
}

// View returns the free room of every node.
func (b *Book) View() cluster.View {
	b.refresh()
	b.rows.lent = true
	return cluster.View{Rows: b.rows.list}
}

// Read hands the free room of every node to read, which must not keep it. Unlike
// View it costs no copy at the next change.
func (b *Book) Read(read func(cluster.View)) {
	b.refresh()
	read(cluster.View{Rows: b.rows.list})
}

// refresh brings the cached rows up to date.
func (b *Book) refresh() {
	if len(b.rows.stale) == 0 {
		return
	}
	if b.rows.lent {
		b.rows.list, b.rows.lent = slices.Clone(b.rows.list), false
	}
	for name := range b.rows.stale {
		b.rows.set(name, b.row)
	}
	// One that was cleared would be walked at the size that it once had.
	b.rows.stale = map[string]bool{}
}

func (r *rows) set(name string, work func(string) (cluster.Row, bool)) {
	row, exists := work(name)
	switch i, known := find(r.list, name); {
	case exists && known:
		r.list[i] = row
	case exists:
		r.list = slices.Insert(r.list, i, row)
	case known:
		r.list = slices.Delete(r.list, i, i+1)
	}
}

// row works out the free room of one node.
func (b *Book) row(name string) (cluster.Row, bool) {
	row, ok := b.table.Row(name)
	if !ok {
		return row, false
	}
	for _, s := range b.byNode[name] {
		if b.Counts(s) {
			row = less(row, s)
		}
	}
	return row, true
}

// less takes a slot from a row. The row's ports are its own.
func less(row cluster.Row, s *Slot) cluster.Row {
	row.Free = row.Free.Sub(s.Shape.Request)
	row.Zones = row.Zones.With(s.Shape.Aligned)
	for _, p := range s.Shape.HostPorts {
		if row.Ports == nil {
			row.Ports = map[string]bool{}
		}
		row.Ports[p] = true
	}
	return row
}

// WithoutOthers returns the room that would be free if every gang but one had
// gone: on some nodes, or on all if these are nil.
func (b *Book) WithoutOthers(id gang.ID, on map[string]bool) cluster.View {
	v := b.table.WithoutOthers(id, on)
	for _, s := range b.Holding(id).Slots {
		if i, ok := find(v.Rows, s.Node); ok && b.Counts(s) {
			v.Rows[i] = less(v.Rows[i], s)
		}
	}
	return v
}

// Empty returns the room of the cluster without any pod.
func (b *Book) Empty() cluster.View {
	if b.emptyAt != b.changes.Nodes {
		b.empty, b.emptyAt = b.table.Empty(), b.changes.Nodes
	}
	return b.empty
}

// Free returns the room on a node that neither a pod nor a slot takes; it is
// negative where the node is overdrawn.
func (b *Book) Free(name string) (resource.Vector, bool) {
	b.refresh()
	i, ok := find(b.rows.list, name)
	if !ok {
		return resource.Vector{}, false
	}
	return b.rows.list[i].Free, true
}

// Aligned says whether the kubelet of a node will admit all that is to come to it,
// as far as that is known.
func (b *Book) Aligned(name string) bool {
	b.refresh()
	i, ok := find(b.rows.list, name)
	return !ok || b.rows.list[i].Zones.Admits()
}

// Zones returns what may be counted on of a node's NUMA zones, and the pods outside
// of gangs that it tells of.
func (b *Book) Zones(name string) (*cluster.Zones, []gang.PodID) {
	b.refresh()
	i, ok := find(b.rows.list, name)
	if !ok || b.rows.list[i].Zones == nil {
		return nil, nil
	}
	return b.rows.list[i].Zones, b.table.AlignedSingles(name)
}

// ZonesTouched returns the nodes whose zones may have changed since it was last
// called, sorted.
func (b *Book) ZonesTouched() []string {
	if len(b.zonesTouched) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(b.zonesTouched))
	b.zonesTouched = map[string]bool{}
	return names
}

func (b *Book) changed(node string) {
	b.rows.stale[node] = true
	if b.table.HasZones(node) || b.zoned[node] {
		b.zonesTouched[node] = true
		b.zoned[node] = b.table.HasZones(node)
	}
}
