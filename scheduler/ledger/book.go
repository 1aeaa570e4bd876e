package ledger

import (
	"slices"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
)

// Book is the node table with the slots on it. It has one writer and no lock.
type Book struct {
	table  *cluster.Table
	slots  map[SlotID]*Slot
	byNode map[string][]*Slot // in the order of their IDs
	byGang map[gang.ID]*Holding
	claims map[gang.PodID]*Slot
	// lastID and lastVersion are the last that were given out.
	lastID      SlotID
	lastVersion uint64

	rows    rows
	charges charges
	// empty is the view without any pod, and emptyAt how often nodes had
	// changed then.
	empty   cluster.View
	emptyAt uint64
	// touched nodes have slots that changed since Touched was last called.
	touched map[string]bool
	// zonesTouched nodes may have changed in their zones since ZonesTouched was last
	// called, and zoned ones had any then.
	zonesTouched, zoned map[string]bool
	changes             Changes
}

// Changes counts changes of the room that there is. A plan that failed ends
// the same way as long as no more room was freed.
type Changes struct {
	// Freed changes whenever room may have become free, or a node has changed.
	Freed uint64
	// Nodes changes whenever a node does.
	Nodes uint64
	// Taken changes whenever a pod of no gang takes room: it may never give it
	// back.
	Taken uint64
}

// New returns an empty book.
func New() *Book {
	return &Book{
		table: cluster.NewTable(), slots: map[SlotID]*Slot{},
		byNode: map[string][]*Slot{}, byGang: map[gang.ID]*Holding{}, claims: map[gang.PodID]*Slot{},
		rows: rows{stale: map[string]bool{}}, touched: map[string]bool{},
		zonesTouched: map[string]bool{}, zoned: map[string]bool{},
		charges: newCharges(),
	}
}

// SetNode adds or changes a node.
func (b *Book) SetNode(n cluster.Node) {
	b.recountNode(n.Name, func() { b.table.SetNode(n) })
	b.changed(n.Name)
	b.changes.Nodes++
	b.changes.Freed++
}

// RemoveNode removes a node. Slots on it stay, for their owner to move.
func (b *Book) RemoveNode(name string) {
	b.recountNode(name, func() { b.table.RemoveNode(name) })
	b.changed(name)
	b.changes.Nodes++
	b.changes.Freed++ // who hoped for its room hopes no more
}

// SetPod records that a pod takes room.
func (b *Book) SetPod(p cluster.Pod) {
	old, known := b.table.Pod(p.ID)
	known = known && old.Node == p.Node
	if s := b.claims[p.ID]; s != nil && b.Counts(s) && !s.Shape.Covers(&gang.Shape{Request: p.Request, HostPorts: p.HostPorts}) {
		b.changes.Freed++ // it takes less than was held for it
	}
	if old.Node != "" {
		b.changed(old.Node)
		if !known || !old.Request.Fits(p.Request) {
			b.changes.Freed++
		}
	}
	if p.Gang == "" && (!known || !p.Request.Fits(old.Request)) {
		b.changes.Taken++
	}
	if p.Aligned != nil && p.Started && (!known || !old.Started) {
		b.changes.Freed++ // its zones are no longer to be guessed
	}
	b.recount(p.ID, func() {
		if b.table.SetPod(p) {
			b.changes.Freed++ // a report was waiting for it
		}
	})
	b.changed(p.Node)
}

// RemovePod records that a pod takes no room any more. A slot that it claimed
// stays, and counts again.
func (b *Book) RemovePod(id gang.PodID) bool {
	p, ok := b.table.Pod(id)
	if ok {
		b.recount(id, func() { b.table.RemovePod(id) })
		b.changed(p.Node)
		b.changes.Freed++
	}
	return ok
}

// ReportZones takes in what a node says of its zones.
func (b *Book) ReportZones(node string, r cluster.ZoneReport) {
	if b.table.ReportZones(node, r) {
		b.changed(node)
		b.changes.Freed++
	}
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
// be changed. Unlike those of its Holding, the list stays as it is.
func (b *Book) OfGang(id gang.ID) []*Slot { return slices.Clone(b.Holding(id).Slots) }

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
	b.countSlot(s, -1)
	s.Claimant = pod
	b.claims[pod] = s
	b.countSlot(s, 1)
	b.byGang[s.Gang].Claimed++
	b.slotChanged(s)
}

// Unclaim makes a slot wait for another pod.
func (b *Book) Unclaim(id SlotID) {
	s := b.slots[id]
	b.countSlot(s, -1)
	delete(b.claims, s.Claimant)
	s.Claimant = ""
	b.countSlot(s, 1)
	b.byGang[s.Gang].Claimed--
	b.slotChanged(s)
}

// SetElastic moves a slot between the minimum and the elastic part of its gang.
func (b *Book) SetElastic(id SlotID, elastic bool) {
	s := b.slots[id]
	h := b.byGang[s.Gang]
	b.tally(h, s, -1)
	s.Elastic = elastic
	b.tally(h, s, 1)
}

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
	b.touched = map[string]bool{} // as with stale rows
	slices.Sort(names)
	return names
}

func (b *Book) insert(s Slot) *Slot {
	b.lastID++
	s.ID = b.lastID
	p := &s
	b.file(p)
	b.countSlot(p, 1)
	b.slotChanged(p)
	return p
}

func (b *Book) remove(id SlotID) {
	s := b.slots[id]
	if s == nil {
		return
	}
	b.countSlot(s, -1)
	b.unfile(s)
	b.slotChanged(s)
	b.changes.Freed++
}

func (b *Book) slotChanged(s *Slot) {
	b.touched[s.Node] = true
	b.changed(s.Node)
}
