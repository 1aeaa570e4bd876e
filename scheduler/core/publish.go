package core

import "muster.sh/muster/scheduler/gang"

// Publish brings a board up to date with the machine. The loop calls it after
// each step, before it hands out the decisions that rely on it. Room is put on
// the board before the placements that use it.
func (m *Machine) Publish(b *Board) {
	for _, node := range m.book.Touched() {
		slots := m.book.OnNode(node)
		held := make([]Held, len(slots))
		for i, s := range slots {
			held[i] = Held{Gang: s.Gang, Role: s.Role, Claimant: s.Claimant, Request: s.Shape.Request}
		}
		b.setHeld(node, held)
	}
	for _, node := range m.book.ZonesTouched() {
		z, pods := m.book.Zones(node)
		b.setZones(node, &Zones{z, pods})
	}
	for _, id := range sortedKeys(m.placed) {
		if p := m.placed[id]; p != nil {
			b.setPlacement(id, *p)
		} else {
			b.dropPlacement(id)
		}
	}
	if len(m.placed) > 0 {
		m.placed = map[gang.PodID]*Placement{}
	}
}
