package ledger

import (
	"slices"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// Book is the node table with the slots on it. It has one writer and no lock.
type Book struct {
	table  *cluster.Table
	slots  map[SlotID]*Slot
	byNode map[string][]*Slot // in the order of their IDs
	byGang map[gang.ID][]*Slot
	claims map[gang.PodID]*Slot
	lastID SlotID

	// rows caches the view; stale nodes are computed again when it is read.
	rows  map[string]cluster.Row
	order []string
	stale map[string]bool
	// touched nodes have slots that changed since Touched was last called.
	touched map[string]bool

	changes Changes
}

// Changes counts changes of the room that there is. A plan that failed ends
// the same way as long as no more room was freed.
type Changes struct {
	// Freed changes whenever room may have become free, or a node has changed.
	Freed uint64
	// Taken changes whenever a pod of no gang takes room: it may never give it
	// back.
	Taken uint64
}

// New returns an empty book.
func New() *Book {
	return &Book{
		table: cluster.NewTable(), slots: map[SlotID]*Slot{},
		byNode: map[string][]*Slot{}, byGang: map[gang.ID][]*Slot{}, claims: map[gang.PodID]*Slot{},
		rows: map[string]cluster.Row{}, stale: map[string]bool{}, touched: map[string]bool{},
	}
}

// SetNode adds or changes a node.
func (b *Book) SetNode(n cluster.Node) {
	if b.table.Node(n.Name) == nil {
		b.order = nil
	}
	b.table.SetNode(n)
	b.changed(n.Name)
	b.changes.Freed++
}

// RemoveNode removes a node. Slots on it stay, for their owner to move.
func (b *Book) RemoveNode(name string) {
	b.table.RemoveNode(name)
	b.order = nil
	b.changed(name)
	b.changes.Freed++ // who hoped for its room hopes no more
}

// SetPod records that a pod takes room.
func (b *Book) SetPod(p cluster.Pod) {
	if old, ok := b.table.Pod(p.ID); ok {
		b.changed(old.Node)
		if old.Node != p.Node || !old.Request.Fits(p.Request) {
			b.changes.Freed++
		}
	}
	if s := b.claims[p.ID]; s != nil && b.Counts(s) && !s.Shape.Request.Fits(p.Request) {
		b.changes.Freed++ // it takes less than was held for it
	}
	if p.Gang == "" {
		b.changes.Taken++
	}
	b.table.SetPod(p)
	b.changed(p.Node)
}

// RemovePod records that a pod takes no room any more. A slot that it claimed
// stays, and counts again.
func (b *Book) RemovePod(id gang.PodID) bool {
	p, ok := b.table.RemovePod(id)
	if ok {
		b.changed(p.Node)
		b.changes.Freed++
	}
	return ok
}

// Node returns a node, or nil.
func (b *Book) Node(name string) *cluster.Node { return b.table.Node(name) }

// Pod returns what is recorded of a pod that takes room.
func (b *Book) Pod(id gang.PodID) (cluster.Pod, bool) { return b.table.Pod(id) }

// Changes returns the counts of this moment.
func (b *Book) Changes() Changes { return b.changes }

// Slot returns a slot by its ID, or nil. It must not be changed.
func (b *Book) Slot(id SlotID) *Slot { return b.slots[id] }

// OfGang returns the slots of a gang in the order of their IDs. They must not
// be changed.
func (b *Book) OfGang(id gang.ID) []*Slot { return slices.Clone(b.byGang[id]) }

// OnNode returns the slots on a node in the order of their IDs. They must not
// be changed.
func (b *Book) OnNode(name string) []*Slot { return slices.Clone(b.byNode[name]) }

// ClaimedBy returns the slot that a pod has claimed, or nil.
func (b *Book) ClaimedBy(id gang.PodID) *Slot { return b.claims[id] }

// Counts says whether a slot takes room now, beside the pods.
func (b *Book) Counts(s *Slot) bool {
	if s.Claimant == "" {
		return true
	}
	p, ok := b.table.Pod(s.Claimant)
	return !ok || p.Node != s.Node
}

// Claim gives an unclaimed slot to a pod.
func (b *Book) Claim(id SlotID, pod gang.PodID) {
	s := b.slots[id]
	if s == nil || s.Claimant != "" || b.claims[pod] != nil {
		panic("ledger: claim of a slot that is not free, or by a pod that has one")
	}
	s.Claimant = pod
	b.claims[pod] = s
	b.slotChanged(s)
}

// Unclaim makes a slot wait for another pod.
func (b *Book) Unclaim(id SlotID) {
	s := b.slots[id]
	delete(b.claims, s.Claimant)
	s.Claimant = ""
	b.slotChanged(s)
}

// SetElastic moves a slot between the minimum and the elastic part of its gang.
func (b *Book) SetElastic(id SlotID, elastic bool) { b.slots[id].Elastic = elastic }

// Adopt enters a slot for a pod that is bound already, wherever it is: what
// has happened can't be refused. A slot that the pod had claimed elsewhere is
// moved there.
func (b *Book) Adopt(s Slot) *Slot {
	if own := b.claims[s.Claimant]; own != nil {
		b.remove(own.ID)
	}
	return b.insert(s)
}

// Release frees slots.
func (b *Book) Release(ids ...SlotID) {
	for _, id := range ids {
		b.remove(id)
	}
}

// View returns the free room of every node.
func (b *Book) View() cluster.View {
	if b.order == nil {
		b.order = b.table.Names()
	}
	for name := range b.stale {
		b.refresh(name)
	}
	clear(b.stale)
	rows := make([]cluster.Row, len(b.order))
	for i, name := range b.order {
		rows[i] = b.rows[name]
	}
	return cluster.View{Rows: rows}
}

// WithoutOthers returns the room that would be free if every gang but one had
// gone: on some nodes, or on all if these are nil.
func (b *Book) WithoutOthers(id gang.ID, on map[string]bool) cluster.View {
	v := b.bare(func(p cluster.Pod) bool { return p.Gang != "" && p.Gang != id }, on)
	for i := range v.Rows {
		row := &v.Rows[i]
		for _, s := range b.byNode[row.Node.Name] {
			if s.Gang == id && b.Counts(s) {
				row.Free = row.Free.Sub(s.Shape.Request)
				row.Ports = addPorts(row.Ports, s.Shape.HostPorts)
			}
		}
	}
	return v
}

// Empty returns the room of the cluster without any pod.
func (b *Book) Empty() cluster.View {
	return b.bare(func(cluster.Pod) bool { return true }, nil)
}

func (b *Book) bare(skip func(cluster.Pod) bool, on map[string]bool) cluster.View {
	var v cluster.View
	for _, name := range b.table.Names() {
		if on == nil || on[name] {
			row, _ := b.table.Row(name, skip)
			v.Rows = append(v.Rows, row)
		}
	}
	return v
}

// Free returns the room on a node that neither a pod nor a slot takes; it is
// negative where the node is overdrawn.
func (b *Book) Free(name string) (resource.Vector, bool) {
	row, ok := b.row(name)
	return row.Free, ok
}

// Touched returns the nodes whose slots have changed since it was last called,
// sorted.
func (b *Book) Touched() []string {
	if len(b.touched) == 0 {
		return nil
	}
	names := make([]string, 0, len(b.touched))
	for name := range b.touched {
		names = append(names, name)
	}
	clear(b.touched)
	slices.Sort(names)
	return names
}

func (b *Book) refresh(name string) {
	if row, ok := b.row(name); ok {
		b.rows[name] = row
		return
	}
	delete(b.rows, name)
}

func (b *Book) row(name string) (cluster.Row, bool) {
	row, ok := b.table.Row(name, nil)
	if !ok {
		return row, false
	}
	for _, s := range b.byNode[name] {
		if b.Counts(s) {
			row.Free = row.Free.Sub(s.Shape.Request)
			row.Ports = addPorts(row.Ports, s.Shape.HostPorts)
		}
	}
	return row, true
}

func addPorts(ports map[string]bool, more []string) map[string]bool {
	if len(more) > 0 && ports == nil {
		ports = map[string]bool{}
	}
	for _, p := range more {
		ports[p] = true
	}
	return ports
}

func (b *Book) insert(s Slot) *Slot {
	b.lastID++
	s.ID = b.lastID
	p := &s
	b.slots[s.ID] = p
	b.byNode[s.Node] = append(b.byNode[s.Node], p)
	b.byGang[s.Gang] = append(b.byGang[s.Gang], p)
	if s.Claimant != "" {
		b.claims[s.Claimant] = p
	}
	b.slotChanged(p)
	return p
}

func (b *Book) remove(id SlotID) {
	s := b.slots[id]
	if s == nil {
		return
	}
	delete(b.slots, id)
	if s.Claimant != "" {
		delete(b.claims, s.Claimant)
	}
	drop(b.byNode, s.Node, s)
	drop(b.byGang, s.Gang, s)
	b.slotChanged(s)
	b.changes.Freed++
}

func drop[K comparable](m map[K][]*Slot, key K, s *Slot) {
	rest := slices.DeleteFunc(m[key], func(o *Slot) bool { return o == s })
	if len(rest) == 0 {
		delete(m, key)
		return
	}
	m[key] = rest
}

func (b *Book) slotChanged(s *Slot) {
	b.touched[s.Node] = true
	b.changed(s.Node)
}

func (b *Book) changed(node string) { b.stale[node] = true }
