package core

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/queue"
)

// Seen is one step as the invariants look at it.
type Seen struct {
	Machine *Machine
	Board   *Board
	Event   Event
	Out     []Decision
	Before  Snapshot
	// Stored is what the apiserver has of a gang's Reservation.
	Stored func(gang.ID) []ReservedSlot
	// Leaving says whether the apiserver has it that a gang goes.
	Leaving func(gang.ID) bool
}

// Snapshot is what is kept of the state before a step.
type Snapshot struct {
	now    time.Time
	synced bool
	gangs  map[gang.ID]gangBefore
	slots  map[ledger.SlotID]*ledger.Slot
	move   *move
	// evicting are the members whose eviction is under way.
	evicting map[gang.PodID]bool
	booked   bookedBefore
}

type gangBefore struct {
	phase    Phase
	epoch    Epoch
	done     int
	deadline time.Time // of the first slot
	clearsAt [ways]time.Time
	wholeBy  time.Time
	grant    grant
	quota    *queue.Refusal
}

// Snap takes a Snapshot.
func (m *Machine) Snap() Snapshot {
	s := Snapshot{now: m.now, move: m.move, booked: m.snapBooking(), synced: m.synced, gangs: map[gang.ID]gangBefore{}, slots: map[ledger.SlotID]*ledger.Slot{}, evicting: map[gang.PodID]bool{}}
	for id, g := range m.groups {
		s.gangs[id] = gangBefore{g.phase, g.epoch, g.doneInAll(), g.firstDeadline(), g.clearsAt, g.wholeBy, g.grant, g.quota}
		for _, slot := range m.book.OfGang(id) {
			s.slots[slot.ID] = slot
		}
		for _, mem := range g.order {
			if mem.evicting {
				s.evicting[mem.ID] = true
			}
		}
	}
	return s
}

func (g *group) doneInAll() int { return sum(g.ended) + sum(g.lost) }

func (g *group) firstDeadline() time.Time {
	var first time.Time
	for _, t := range g.deadlines {
		if first.IsZero() || t.Before(first) {
			first = t
		}
	}
	return first
}

// Invariant is what must hold after each step.
type Invariant struct {
	Name  string
	Holds func(Seen) error
}

// Invariants are all of them. Those that look at what kube-scheduler and the
// apiserver have done are with the world that simulates these.
var Invariants = []Invariant{
	{"every index of the ledger is right", func(s Seen) error { return s.Machine.book.Assert() }},
	{"room is held only where there is room", roomIsThere},
	{"a slot belongs to a member of its gang", slotsAreClaimedByTheirOwn},
	{"members are counted rightly", rostersAreRight},
	{"a gang that has not been planned holds nothing", phasesAreTrue},
	{"the board shows what a fresh one would", boardIsFresh},
	{"nothing is decided before the sources have synced", silentBeforeSync},
	{"the latch opens for a whole minimum only", latchOpensForTheWhole},
	{"the board shows the zones as they are known", boardShowsZones},
	{"members that must be near to each other start in one domain", startsTogether},
	{"a gang that expects members is stored before one is released", storedBeforeRelease},
	{"members are released once, with the epoch of their plan", releasesAreInOrder},
	{"no gang starts while an earlier one waits for room", firstComeFirstServed},
	{"nobody who passes the first gang that waits for room makes it start later", nobodyHoldsUpTheFirst},
	{"a booking can come true, and moves for a reason only", bookingsHold},
	{"no elastic member gets room while a gang waits for room", elasticComesLast},
	{"nobody waits for whom there is room", nobodyWaitsInVain},
	{"a started gang holds its minimum or is known to be short", minimumIsKept},
	{"no gang keeps its own member out by what it holds for others", nobodyIsInTheirOwnWay},
	{"no room is given above a maximum", maximumIsKept},
	{"the minimum shrinks for a reason only", minimumShrinksForAReason},
	{"evictions are in order", evictionsAreInOrder},
	{"a gang that goes holds nothing, and goes on or says why not", departuresGoOn},
	{"a gang goes for a reason only, and in time", minimumIsMinded},
	{"no deadline is missed", deadlinesAreAhead},
	{"autoscalers are asked for what is lacking, and for nothing else", asksAreTrue},
	{"nobody is evicted who may not be moved", evictsTheMovable},
	{"who is moved has room elsewhere, and without it the gang would not fit", movesAreNeeded},
	{"from others only that is taken to which the gang has the better right", takesByRight},
	{"a move leads to a start, or to a reason", movesEndForAReason},
	{"room is kept only for a gang that waits, and not for long", roomIsKeptForOneWhoWaits},
	{"queues are charged for what their gangs have", queuesAreChargedRightly},
	{"no queue gets more than it may have", quotasAreKept},
	{"nobody passes who waits for quota", queuesAreInOrder},
	{"no queue holds more for members to come than it may", expectedRoomIsLimited},
	{"no more is non-preemptible than queues grant", grantsAreLimited},
	{"nobody is evicted who is not preemptible", nonPreemptibleIsSpared},
	{"a step decides no more than there is to decide", stepsAreBounded},
}

func (m *Machine) allSlots() []*ledger.Slot {
	var out []*ledger.Slot
	for _, id := range sortedKeys(m.groups) {
		out = append(out, m.book.OfGang(id)...)
	}
	return append(out, m.book.OfGang(keeper)...)
}

// An outside event may overdraw a node; then what is held there is given up in
// the same step, so nothing that counts is ever held on an overdrawn node.
func roomIsThere(s Seen) error {
	for _, slot := range s.Machine.allSlots() {
		if !s.Machine.book.Counts(slot) {
			continue
		}
		node := s.Machine.book.Node(slot.Node)
		if node == nil {
			return fmt.Errorf("a %s of %s is held on %s, which is gone", slot.Role, slot.Gang, slot.Node)
		}
		if why := cluster.Suits(node, &slot.Shape); len(why) > 0 {
			return fmt.Errorf("a %s of %s is held on %s: %v", slot.Role, slot.Gang, slot.Node, why)
		}
		free, _ := s.Machine.book.Free(slot.Node)
		if !slot.Shape.Request.Fits(free.Add(slot.Shape.Request)) {
			return fmt.Errorf("a %s of %s is held on %s, of which %s is free", slot.Role, slot.Gang, slot.Node, free)
		}
	}
	return nil
}

func slotsAreClaimedByTheirOwn(s Seen) error {
	for _, slot := range s.Machine.allSlots() {
		if slot.Gang == keeper {
			continue
		}
		if slot.Claimant == "" {
			if r, ok := s.Machine.groups[slot.Gang].decl.Role(slot.Role); slot.Elastic {
				return fmt.Errorf("an elastic slot of %s waits for a member (%v, %v)", slot.Gang, r, ok)
			}
			continue
		}
		mem := s.Machine.members[slot.Claimant]
		if mem == nil || mem.Gang != slot.Gang || mem.Role != slot.Role {
			return fmt.Errorf("slot %d for a %s of %s is claimed by %+v", slot.ID, slot.Role, slot.Gang, mem)
		}
		if mem.state == bound && mem.node != slot.Node {
			return fmt.Errorf("%s is bound to %s, its slot is on %s", mem.ID, mem.node, slot.Node)
		}
	}
	return nil
}

func rostersAreRight(s Seen) error {
	for id, g := range s.Machine.groups {
		fresh := newRoster()
		for _, mem := range g.order {
			fresh.join(mem)
		}
		if !slices.Equal(fresh.order, g.order) || !maps.Equal(fresh.members, g.members) ||
			fresh.all != g.all || fresh.live != g.live || !maps.Equal(fresh.waiting, g.waiting) || !maps.Equal(fresh.running, g.running) {
			return fmt.Errorf("%s has %+v, counted are %+v", id, g.roster, fresh)
		}
		if n := s.Machine.need(g); (g.phase == Collecting || g.phase == Waiting) && n.absent != g.missing() {
			return fmt.Errorf("%s lacks %d, %d are thought to be missing", id, n.absent, g.missing())
		}
	}
	return nil
}

func phasesAreTrue(s Seen) error {
	if !s.Machine.synced {
		return nil
	}
	m, members := s.Machine, 0
	for id, g := range m.groups {
		members += len(g.members)
		for pod, mem := range g.members {
			if m.members[pod] != mem || mem.Gang != id {
				return fmt.Errorf("member %s of %s is filed wrongly", pod, id)
			}
		}
		waits, slots := m.queues.Position(id) > 0, len(m.book.OfGang(id))
		switch {
		case waits != (g.phase == Waiting):
			return fmt.Errorf("%s is %s, in the queue: %t", id, g.phase, waits)
		case (g.phase == Collecting || g.phase == Waiting) && slots > 0:
			return fmt.Errorf("%s is %s and has %d slots", id, g.phase, slots)
		case g.phase != Collecting && !g.declared:
			return fmt.Errorf("%s is %s, but not declared", id, g.phase)
		case g.phase == Started && m.over(g):
			return fmt.Errorf("%s is started, though nothing is left of it", id)
		}
	}
	if members != len(m.members) {
		return fmt.Errorf("%d members, of which %d are in gangs", len(m.members), members)
	}
	return nil
}

func boardIsFresh(s Seen) error {
	held, places := map[string][]Held{}, map[gang.PodID]Placement{}
	for _, slot := range s.Machine.slotsByID() {
		held[slot.Node] = append(held[slot.Node], Held{Gang: slot.Gang, Role: slot.Role, Claimant: slot.Claimant, Request: slot.Shape.Request})
		mem := s.Machine.members[slot.Claimant]
		if mem == nil || (mem.state != released && mem.state != latched) {
			continue
		}
		p := Placement{Gang: slot.Gang, Role: slot.Role, Node: slot.Node, Epoch: mem.epoch, Roams: mem.roams}
		if g := s.Machine.groups[slot.Gang]; g.phase == Starting {
			p.Check = s.Machine.nodesToCheck(g)
		}
		places[mem.ID] = p
	}
	shownHeld, shownPlaces := map[string][]Held{}, map[gang.PodID]Placement{}
	s.Board.nodes.Range(func(k, v any) bool { shownHeld[k.(string)] = v.([]Held); return true })
	s.Board.places.Range(func(k, v any) bool { shownPlaces[k.(gang.PodID)] = v.(Placement); return true })
	if !reflect.DeepEqual(held, shownHeld) {
		return fmt.Errorf("held in truth: %v, on the board: %v", held, shownHeld)
	}
	for id, p := range shownPlaces {
		p.Except = nil // as it was when the member was sent out
		shownPlaces[id] = p
		// What has to be checked is not followed up once the latch is open.
		if q, ok := places[id]; ok && q.Check == nil {
			p.Check = nil
			shownPlaces[id] = p
		}
	}
	if !reflect.DeepEqual(places, shownPlaces) {
		return fmt.Errorf("places in truth: %v, on the board: %v", places, shownPlaces)
	}
	return nil
}

func (m *Machine) slotsByID() []*ledger.Slot {
	out := m.allSlots()
	slices.SortFunc(out, func(a, b *ledger.Slot) int { return int(a.ID) - int(b.ID) })
	return out
}

func silentBeforeSync(s Seen) error {
	for _, d := range s.Out {
		switch d.(type) {
		case ShutLatch, DropReservation, AskNoMore: // of a gang that has gone meanwhile
		default:
			if !s.Machine.synced {
				return fmt.Errorf("%T%+v", d, d)
			}
		}
	}
	return nil
}

func minimumIsKept(s Seen) error {
	for id, g := range s.Machine.groups {
		if g.phase != Started {
			continue
		}
		n, have := s.Machine.need(g), 0
		for _, slot := range s.Machine.book.OfGang(id) {
			if !slot.Elastic {
				have++
			} else if s.Machine.lack(g, slot.Role) > 0 {
				return fmt.Errorf("%s lacks a %s, and has one above its minimum", id, slot.Role)
			}
		}
		lack := len(n.members) + n.absent
		for _, e := range n.expected {
			lack += e.count
		}
		if have+lack != g.size() {
			return fmt.Errorf("%s has %d slots and lacks %d members, of a minimum of %d", id, have, lack, g.size())
		}
		if known := s.Machine.short.Position(id) > 0; known == n.empty() {
			return fmt.Errorf("%s lacks %d, known to be short: %t", id, lack, known)
		}
	}
	return nil
}

func nobodyIsInTheirOwnWay(s Seen) error {
	for id, g := range s.Machine.groups {
		if g.phase != Started || g.all[bound] > 0 || g.inFlight() {
			continue
		}
		for _, mem := range g.order {
			if !mem.terminating && s.Machine.book.ClaimedBy(mem.ID) == nil && s.Machine.lack(g, mem.Role) > 0 {
				return fmt.Errorf("%s of %s waits, nothing of it runs, and it holds %d slots", mem.ID, id, len(s.Machine.book.Holding(id).Slots))
			}
		}
	}
	return nil
}

func maximumIsKept(s Seen) error {
	for id, g := range s.Machine.groups {
		for _, r := range g.decl.Roles {
			slots, ours := 0, false
			for _, slot := range s.Machine.book.Holding(id).Slots {
				if slot.Role == r.Name {
					slots++
					ours = ours || (slot.Elastic && s.Before.slots[slot.ID] == nil && s.Machine.book.Counts(slot) && !onlyMoved(s, slot))
				}
			}
			if ours && r.Max >= 0 && slots > r.Max {
				return fmt.Errorf("%s gets room for %d %s, at most %d may run", id, slots, r.Name, r.Max)
			}
		}
	}
	return nil
}

// onlyMoved says whether a new slot is an old one that has followed its member, or has
// given way to such a one.
func onlyMoved(s Seen, slot *ledger.Slot) bool {
	mem := s.Machine.members[slot.Claimant]
	_, chosen := s.Event.(AtLatch)
	return chosen && mem != nil && mem.roams
}

func minimumShrinksForAReason(s Seen) error {
	for id, before := range s.Before.gangs {
		g := s.Machine.groups[id]
		if g == nil || g.doneInAll() <= before.done || g.epoch != before.epoch {
			continue
		}
		if gone, ok := s.Event.(PodGone); ok && gone.End != Failed {
			continue
		}
		if set, ok := s.Event.(PodSet); ok && set.Terminating && set.Pod.Node == "" {
			continue
		}
		if overdue := !before.deadline.IsZero() && !before.deadline.After(s.Machine.now); !overdue {
			return fmt.Errorf("%s: %d members are done, %d were before %T", id, g.doneInAll(), before.done, s.Event)
		}
	}
	return nil
}

func deadlinesAreAhead(s Seen) error {
	if !s.Machine.synced {
		return nil
	}
	next, due := s.Machine.NextDeadline()
	if due && !next.After(s.Machine.now) {
		return fmt.Errorf("%s is past", next)
	}
	for id, g := range s.Machine.groups {
		if t := g.nextDeadline(s.Machine.now); !t.IsZero() && (!due || t.Before(next)) {
			return fmt.Errorf("something is due for %s at %s, the next deadline is %s", id, t, next)
		}
		if t := g.firstDeadline(); g.phase == Started && g.decl.BelowMinimum.Policy == gang.Continue && !t.IsZero() && !t.After(s.Machine.now) {
			return fmt.Errorf("%s still holds room for a member that should have come by %s", id, t)
		}
	}
	return nil
}

func stepsAreBounded(s Seen) error {
	limit := 10
	for _, g := range s.Machine.groups {
		limit += 6 + 2*len(g.members)
	}
	for range maps.Keys(s.Before.gangs) {
		limit += 6
	}
	if len(s.Out) > limit {
		return fmt.Errorf("%d decisions for %T, with %d gangs and %d members", len(s.Out), s.Event, len(s.Machine.groups), len(s.Machine.members))
	}
	return nil
}

func boardShowsZones(s Seen) error {
	for _, row := range s.Machine.book.View().Rows {
		shown := s.Board.Zones(row.Node.Name)
		if (shown == nil) != (row.Zones == nil) {
			return fmt.Errorf("zones of node %s are shown: %t, known: %t", row.Node.Name, shown != nil, row.Zones != nil)
		}
		if shown != nil && !reflect.DeepEqual(shown.Zones, row.Zones) {
			return fmt.Errorf("zones of node %s are shown as %+v, known as %+v", row.Node.Name, shown.Zones, row.Zones)
		}
	}
	return nil
}
