package core

import (
	"cmp"
	"slices"
)

// reserved lists the slots of the minimum, as a Reservation stores them: those
// of roles that are expected. Members of other roles speak for themselves.
func (m *Machine) reserved(g *group) []ReservedSlot {
	out := []ReservedSlot{}
	for _, s := range m.book.Holding(g.decl.ID).Slots {
		if r, _ := g.decl.Role(s.Role); r.Expected && !s.Elastic {
			out = append(out, ReservedSlot{Role: s.Role, Node: s.Node})
		}
	}
	slices.SortFunc(out, func(a, b ReservedSlot) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Node, b.Node))
	})
	return out
}

// noteReservation takes what is held now for what is stored, and reports
// whether that is another than before.
func (m *Machine) noteReservation(g *group) bool {
	now := m.reserved(g)
	same := g.stored != nil && slices.Equal(now, g.stored)
	g.stored, g.storedAt = now, m.book.Holding(g.decl.ID).Version
	return !same
}

// keepReservation brings a stored reservation up to date after slots were
// moved or given up, so that a restart finds what is true now.
func (m *Machine) keepReservation(g *group) {
	if g.phase != Started || g.stored == nil || g.storedAt == m.book.Holding(g.decl.ID).Version {
		return
	}
	if m.noteReservation(g) {
		m.decide(StoreReservation{Gang: g.decl.ID, Owner: g.decl.Owner, Slots: g.stored})
	}
}

func (m *Machine) dropReservation(g *group) {
	if g.stored != nil || g.found != nil {
		m.decide(DropReservation{Gang: g.decl.ID})
		g.stored, g.found = nil, nil
	}
}
