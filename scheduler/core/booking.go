package core

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster.sh/muster/scheduler/booking"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
)

// booked is what is known of the start to come of the first gang that waits for room.
// There is one booking at a time, and it is useless as soon as another gang is first.
type booked struct {
	group *group
	booking.Booking
	// known says that there is a booking. unknown is why there is none.
	known   bool
	unknown string
	// moved is why it comes later than it was told first.
	moved string
	// serial numbers bookings: what was found out about one holds for no other.
	serial uint64
	// made is the state of the book at the time when it was looked for.
	made   ledger.Changes
	madeAt time.Time
	// late are gangs that run for longer than they have declared, and that the booking
	// has relied on.
	late map[gang.ID]bool
	// useless nodes can take no member of the gang even when they are empty, worked out
	// when they are asked for.
	useless map[string]bool
}

// rebookAfter is how long it takes until it is looked anew whether a gang may start
// earlier than booked, because others have ended earlier than expected.
const rebookAfter = 5 * time.Second

// isBooked says whether a gang is the one of which it was looked when it may start.
func (m *Machine) isBooked(g *group) bool { return m.booked != nil && m.booked.group == g }

// bookFor finds out when the first gang that waits for room may start, where what was
// found before does not hold any more.
func (m *Machine) bookFor(g *group) {
	if !m.isBooked(g) {
		m.unbook()
		m.booked = &booked{group: g, late: map[gang.ID]bool{}}
		m.findStart(m.booked, "")
	} else if why := m.isStale(m.booked); why != "" {
		m.findStart(m.booked, why)
	}
}

// goneBefore is said of those whose turn it was earlier, or who had started and lacked
// members of their minimum.
const goneBefore = "gangs that go before it took room"

// isStale says why a booking has to be looked for anew; nothing if it still holds.
func (m *Machine) isStale(b *booked) string {
	switch now := m.book.Changes(); {
	case b.known && !b.At.After(m.now):
		return m.missed(b)
	case b.made.Nodes != now.Nodes:
		return "nodes have changed"
	case b.made.Taken != now.Taken:
		return "pods outside of any gang have taken room"
	case b.made.Freed != now.Freed && m.now.Sub(b.madeAt) >= rebookAfter:
		return goneBefore
	}
	return ""
}

// missed says why a gang did not start when it was booked to, and notes who is late.
func (m *Machine) missed(b *booked) string {
	var names []string
	n := 0
	for _, id := range b.After {
		g := m.groups[id]
		if g == nil || g.phase != Started || g.decl.ID == b.group.decl.ID {
			continue
		}
		if at, known := m.endOf(g); !known || at.After(m.now) {
			continue
		}
		n++
		if m.overruns(g) && !b.late[id] {
			b.late[id] = true
			if !m.movesFor(b.group) {
				m.clearLater(b.group, reclaiming, lookEvery)
			}
		}
		if g.decl.Owner.Namespace == b.group.decl.Owner.Namespace {
			names = append(names, tellObject(g.decl.Owner))
		}
	}
	switch {
	case n == 0:
		return goneBefore
	case len(names) == 0:
		return fmt.Sprintf("%d gangs run longer than was expected", n)
	default:
		return fmt.Sprintf("%d gangs run longer than was expected, among them %s", n, strings.Join(names, ", "))
	}
}

// lateFor are the gangs that hold up the booking of a gang. With one of them quota would
// go to those before it that wait for some, and they would go first.
func (m *Machine) lateFor(g *group) map[gang.ID]bool {
	if !m.isBooked(g) || m.quotaAwaited {
		return nil
	}
	return m.booked.late
}

// findStart looks for the booking of a gang. One that was made before stays as long as
// nothing earlier is found and it can still come true.
func (m *Machine) findStart(b *booked, why string) {
	f, endless := m.future(b.group)
	r := m.request(b.group, m.need(b.group)).Request
	found, known := f.Earliest(r)
	later := b.known && (!known || found.At.After(b.At))
	switch {
	case later && b.At.After(m.now) && f.Keeps(&b.Booking, r, nil):
		found, known = b.Booking, true
	case later:
		b.moved = why
	}
	m.bookings++
	b.Booking, b.known, b.serial, b.unknown = found, known, m.bookings, ""
	b.made, b.madeAt, b.useless = m.book.Changes(), m.now, nil
	b.group.startsAt = b.At // zero where there is no booking
	if known {
		m.queues.Pin(b.group.decl.ID)
		m.alarmAt(b.group, b.At)
		return
	}
	b.unknown = whyUnknown(endless)
	if !m.movesFor(b.group) { // else its turn would be over because others leave for it
		m.queues.Pin("")
	}
}

// future is what is expected to become free for a gang, besides what the endless have.
func (m *Machine) future(g *group) (f *booking.Future, endless int) {
	f = &booking.Future{Book: m.book}
	f.Endings, endless = m.endings()
	if len(f.Endings) > 0 {
		f.Leaving = m.vacating()
	}
	if m.movesFor(g) {
		f.Kept = m.kept()
	}
	return f, endless
}

func whyUnknown(endless int) string {
	if endless > 0 {
		return fmt.Sprintf("nobody knows how long %d of the gangs still run that have room", endless)
	}
	return "pods have the room that belong to no gang any more"
}

// watchBooking drops the booking of a gang that does not wait for room any more.
func (m *Machine) watchBooking() {
	if m.booked == nil {
		return
	}
	if g := m.booked.group; m.groups[g.decl.ID] != g || g.phase != Waiting || g.quota != nil || !g.blocks {
		m.unbook()
	}
}

// unbook drops the booking, if there is one.
func (m *Machine) unbook() {
	if m.booked != nil {
		m.booked.group.startsAt = time.Time{}
		m.booked = nil
		m.queues.Pin("")
	}
}

// Start is what is known of the start of a gang that waits.
type Start struct {
	// At is when it is booked to start, at the latest, on so many Nodes. It is zero where
	// that is not known, and Unknown says why.
	At      time.Time `json:"at,omitzero"`
	Nodes   int       `json:"nodes,omitempty"`
	Unknown string    `json:"unknown,omitempty"`
	// Moved is why it comes later than was said before.
	Moved string `json:"moved,omitempty"`
}

// startOf is what is known of the start of a gang; nil if it does not wait.
func (m *Machine) startOf(g *group) *Start {
	switch b := m.booked; {
	case g.phase != Waiting:
		return nil
	case !m.isBooked(g):
		return &Start{Unknown: "only the first gang that waits for room is booked"}
	case !b.known:
		return &Start{Unknown: b.unknown, Moved: b.moved}
	default:
		return &Start{At: b.At, Nodes: len(b.On), Moved: b.moved}
	}
}

// Booked is the gang that is booked, with what is known of its start; false if none waits
// for room.
func (m *Machine) Booked() (gang.ID, Start, bool) {
	if m.booked == nil {
		return "", Start{}, false
	}
	return m.booked.group.decl.ID, *m.startOf(m.booked.group), true
}

// isUseless says that no member of the gang that is booked could use a node even if it
// was empty.
func (m *Machine) isUseless(node string, r *planner.Request) bool {
	return m.anyUseless(r) && m.booked.useless[node]
}

// anyUseless says whether there is such a node.
func (m *Machine) anyUseless(r *planner.Request) bool {
	b := m.booked
	if b.useless == nil {
		b.useless = map[string]bool{}
		for _, row := range m.book.Empty().Rows {
			if r.MinFree.IsZero() && !slices.ContainsFunc(r.Wants, func(w planner.Want) bool { return row.Times(&w.Shape, 1) > 0 }) {
				b.useless[row.Node.Name] = true
			}
		}
	}
	return len(b.useless) > 0
}
