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
	"muster.sh/muster/scheduler/planner"
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
}

// Snapshot is what is kept of the state before a step.
type Snapshot struct {
	now    time.Time
	synced bool
	gangs  map[gang.ID]gangBefore
	slots  map[ledger.SlotID]bool
}

type gangBefore struct {
	phase    Phase
	epoch    Epoch
	done     int
	deadline time.Time // of the first slot
}

// Snap takes a Snapshot.
func (m *Machine) Snap() Snapshot {
	s := Snapshot{now: m.now, synced: m.synced, gangs: map[gang.ID]gangBefore{}, slots: map[ledger.SlotID]bool{}}
	for id, g := range m.groups {
		s.gangs[id] = gangBefore{g.phase, g.epoch, g.doneInAll(), g.firstDeadline()}
		for _, slot := range m.book.OfGang(id) {
			s.slots[slot.ID] = true
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
	{"a gang that expects members is stored before one is released", storedBeforeRelease},
	{"members are released once, with the epoch of their plan", releasesAreInOrder},
	{"no gang starts while an earlier one waits for room", firstComeFirstServed},
	{"no elastic member gets room while a gang waits for room", elasticComesLast},
	{"nobody waits for whom there is room", nobodyWaitsInVain},
	{"a started gang holds its minimum or is known to be short", minimumIsKept},
	{"the minimum shrinks for a reason only", minimumShrinksForAReason},
	{"no deadline is missed", deadlinesAreAhead},
	{"a step decides no more than there is to decide", stepsAreBounded},
}

func (m *Machine) allSlots() []*ledger.Slot {
	var out []*ledger.Slot
	for _, id := range sortedKeys(m.groups) {
		out = append(out, m.book.OfGang(id)...)
	}
	return out
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
			fresh.all != g.all || fresh.live != g.live || !maps.Equal(fresh.waiting, g.waiting) {
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
		waits, slots := m.queue.Position(id) > 0, len(m.book.OfGang(id))
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
		p := Placement{Gang: slot.Gang, Role: slot.Role, Node: slot.Node, Epoch: mem.epoch}
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
		case ShutLatch, DropReservation: // of a gang that has gone meanwhile
		default:
			if !s.Machine.synced {
				return fmt.Errorf("%T%+v", d, d)
			}
		}
	}
	return nil
}

func latchOpensForTheWhole(s Seen) error {
	for i, d := range s.Out {
		open, ok := d.(OpenLatch)
		if !ok {
			continue
		}
		g := s.Machine.groups[open.Gang]
		if g == nil || g.epoch != open.Epoch {
			return fmt.Errorf("the latch of %s opens for epoch %d", open.Gang, open.Epoch)
		}
		before := s.Before.gangs[open.Gang]
		planned := (before.phase == Storing || before.phase == Starting) && before.epoch == open.Epoch
		if !planned && g.all[bound] > 0 {
			continue // bound in part already: it is completed
		}
		if err := s.whole(g, s.Out[i:]); err != nil {
			return fmt.Errorf("the latch of %s opens: %w", open.Gang, err)
		}
	}
	return nil
}

// whole says that every member of the minimum has a slot, and stands at the
// latch or is expected and stored. A member that was released after the latch
// had opened, in the same step, was expected before.
func (s Seen) whole(g *group, after []Decision) error {
	perRole, sum, expected := map[string]int{}, 0, false
	for _, slot := range s.Machine.book.OfGang(g.decl.ID) {
		if slot.Elastic {
			continue
		}
		perRole[slot.Role]++
		sum++
		late := slices.ContainsFunc(after, func(d Decision) bool { r, ok := d.(Release); return ok && r.Pod == slot.Claimant })
		if slot.Claimant == "" {
			expected = true
		} else if mem := s.Machine.members[slot.Claimant]; mem.state < latched && !late {
			return fmt.Errorf("%s has not come to it", mem.ID)
		}
	}
	for _, r := range g.decl.Roles {
		if perRole[r.Name] < g.minimum(r) {
			return fmt.Errorf("%d of %d %s are held", perRole[r.Name], g.minimum(r), r.Name)
		}
	}
	if sum < g.size() {
		return fmt.Errorf("%d of %d members are held", sum, g.size())
	}
	if expected {
		return s.stored(g)
	}
	return nil
}

// stored says that the room for members to come is in the Reservation. Members
// that are there speak for themselves.
func (s Seen) stored(g *group) error {
	left := slices.Clone(s.Stored(g.decl.ID))
	for _, slot := range s.Machine.book.OfGang(g.decl.ID) {
		if slot.Claimant != "" {
			continue
		}
		i := slices.Index(left, ReservedSlot{Role: slot.Role, Node: slot.Node})
		if i < 0 {
			return fmt.Errorf("a %s is held on %s, stored is %v", slot.Role, slot.Node, s.Stored(g.decl.ID))
		}
		left = slices.Delete(left, i, i+1)
	}
	return nil
}

func storedBeforeRelease(s Seen) error {
	for _, d := range s.Out {
		r, ok := d.(Release)
		if !ok {
			continue
		}
		g := s.Machine.groups[r.Gang]
		if g != nil && g.phase == Starting && s.Machine.book.Holding(g.decl.ID).Unclaimed() > 0 {
			if err := s.stored(g); err != nil {
				return fmt.Errorf("%s is released: %w", r.Pod, err)
			}
		}
	}
	return nil
}

func releasesAreInOrder(s Seen) error {
	out := map[gang.PodID]Epoch{}
	for _, d := range s.Out {
		r, ok := d.(Release)
		if !ok {
			continue
		}
		if _, twice := out[r.Pod]; twice {
			return fmt.Errorf("%s is released twice in one step", r.Pod)
		}
		out[r.Pod] = r.Epoch
		if g := s.Machine.groups[r.Gang]; g == nil || g.members[r.Pod] == nil || g.members[r.Pod].epoch != r.Epoch {
			return fmt.Errorf("%s is released with epoch %d", r.Pod, r.Epoch)
		}
	}
	return nil
}

// started are the gangs that this step has planned and given room to.
func (s Seen) started() []*group {
	var out []*group
	for _, id := range sortedKeys(s.Machine.groups) {
		g, before := s.Machine.groups[id], s.Before.gangs[id]
		now := g.phase == Storing || g.phase == Starting || g.phase == Started
		if now && g.epoch != before.epoch && g.all[bound] == 0 {
			out = append(out, g)
		}
	}
	return out
}

// waitsForRoom says, without regard to what is remembered of earlier plans,
// whether a waiting gang will fit once other gangs have gone. One that was
// vetoed too often has stepped back, and one whose Reservation could not be
// stored keeps its turn.
func (m *Machine) waitsForRoom(g *group) bool {
	if g.phase != Waiting || m.steppedBack(g) {
		return false
	}
	_, v := planner.Plan(m.book.WithoutOthers("", nil), m.request(g, m.need(g)).Request)
	return v.Code == ""
}

func (m *Machine) steppedBack(g *group) bool {
	return !g.retryAt.IsZero() && g.attempts >= m.opts.MaxAttempts
}

func (m *Machine) shortOfRoom() *group {
	for e := range m.short.All() {
		g := m.groups[e.Gang]
		if _, v := planner.Plan(m.book.WithoutOthers(e.Gang, nil), m.request(g, m.need(g)).Request); v.Code == "" {
			return g
		}
	}
	return nil
}

func firstComeFirstServed(s Seen) error {
	for _, late := range s.started() {
		for e := range s.Machine.queue.All() {
			early := s.Machine.groups[e.Gang]
			if byTurn(early, late) < 0 && s.Machine.waitsForRoom(early) {
				return fmt.Errorf("%s starts, and %s waits for room", late.decl.ID, early.decl.ID)
			}
		}
	}
	return nil
}

func byTurn(a, b *group) int {
	if c := a.decl.Created.Compare(b.decl.Created); c != 0 {
		return c
	}
	if a.decl.ID < b.decl.ID {
		return -1
	}
	return 1
}

func elasticComesLast(s Seen) error {
	for _, slot := range s.Machine.allSlots() {
		mem := s.Machine.members[slot.Claimant]
		if !slot.Elastic || s.Before.slots[slot.ID] || mem == nil || mem.state == bound {
			continue
		}
		for e := range s.Machine.queue.All() {
			if g := s.Machine.groups[e.Gang]; s.Machine.waitsForRoom(g) {
				return fmt.Errorf("%s gets a slot above its minimum, and %s waits", mem.ID, g.decl.ID)
			}
		}
	}
	return nil
}

// nobodyWaitsInVain offers the room once more, without regard to what is
// remembered of earlier plans: nobody may get any.
func nobodyWaitsInVain(s Seen) error {
	m := s.Machine
	if !m.synced {
		return nil
	}
	for e := range m.short.All() {
		if g := m.groups[e.Gang]; m.fitsOne(g, m.need(g).expected, false) {
			return fmt.Errorf("%s is short, and there is room for one of its members", e.Gang)
		}
	}
	if m.shortOfRoom() != nil {
		return nil
	}
	for e := range m.queue.All() {
		g := m.groups[e.Gang]
		if g.busy() {
			return nil
		}
		if m.steppedBack(g) {
			continue
		}
		if !g.retryAt.IsZero() {
			return nil
		}
		if _, v := planner.Plan(m.book.View(), m.request(g, m.need(g)).Request); v.Code == "" {
			return fmt.Errorf("%s waits, and there is room for it", e.Gang)
		}
		if m.waitsForRoom(g) {
			return nil
		}
	}
	for id, g := range m.groups {
		if g.phase == Started && m.fitsOne(g, nil, true) {
			return fmt.Errorf("a member of %s waits, and there is room for it", id)
		}
	}
	return nil
}

func (m *Machine) fitsOne(g *group, expected []expectation, elastic bool) bool {
	r := m.request(g, need{members: m.unslotted(g), expected: expected})
	for _, w := range r.Wants {
		if m.allowed(g, w.Role, elastic) > 0 && len(planner.Fill(m.book.View(), w, r.Excluded)) > 0 {
			return true
		}
	}
	return false
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
