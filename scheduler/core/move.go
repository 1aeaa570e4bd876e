package core

import (
	"fmt"
	"time"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/resource"
	"muster.sh/muster/scheduler/victims"
)

// Moves bounds what is evicted to let gangs start for which there is room in sum, but
// scattered. Only what fits elsewhere is.
type Moves struct {
	// MaxPods is how many pods are moved for one gang at most. Zero moves nobody.
	MaxPods int
	// MaxTries bounds the time of a search: see victims.Query.
	MaxTries int
	// After is how long a gang waits for room before anybody is moved for it, and the
	// time from one search to the next.
	After time.Duration
	// Cooldown is how long a pod runs at least before it is moved, and how long it takes
	// until anybody is moved again for a gang for which this was in vain.
	Cooldown time.Duration
	// Timeout is how long the pods may take to go.
	Timeout time.Duration
}

// keeper is who holds room that is kept for the gang of a move. It is no gang.
const keeper gang.ID = "moves"

// move is work on its way out of the way of a gang that waits. There is one at a time.
// The room that it leaves is kept for that gang, together with what was free of the
// nodes on which it will fit, until it starts or the move is given up.
type move struct {
	group *group
	units []victims.Unit
	// on are the nodes on which the gang will fit.
	on map[string]bool
	// leaving are the pods that are still to go; true for members that this move has
	// evicted by themselves.
	leaving map[gang.PodID]bool
	until   time.Time
	// told says who is moved, hindrance why an eviction could not be carried out yet.
	told, hindrance string
}

// movesFor says whether room is being made for a gang.
func (m *Machine) movesFor(g *group) bool { return m.move != nil && m.move.group == g }

// makeRoom looks whether moving others would let a gang start that waits for room, with
// nobody before it, and begins to move them.
func (m *Machine) makeRoom(g *group) {
	o := &m.opts.Moves
	switch {
	case m.move != nil && !m.movesFor(g):
		m.giveUp("an earlier gang waits for room")
	case m.move != nil || o.MaxPods == 0:
	case g.movesAt.IsZero():
		m.searchAgain(g, o.After)
	case !g.movesAt.After(m.now):
		m.search(g)
	}
}

func (m *Machine) searchAgain(g *group, after time.Duration) {
	g.movesAt = m.now.Add(after)
	m.alarmAt(g, g.movesAt)
}

// search looks for whose going lets a gang start.
func (m *Machine) search(g *group) {
	o := &m.opts.Moves
	q := victims.Query{
		Request: m.request(g, m.need(g)).Request, Units: m.movable(), Leaving: m.vacating(),
		Budgets: m.budgets, MaxPods: o.MaxPods, MaxTries: o.MaxTries,
	}
	found, ok := victims.Search(m.book, &q)
	if !ok || !m.begin(g, &q, &found) {
		m.searchAgain(g, o.After)
	}
}

// begin keeps what is free where the gang will fit, and evicts who is in its way.
func (m *Machine) begin(g *group, q *victims.Query, found *victims.Found) bool {
	v := &move{
		group: g, units: found.Units, on: map[string]bool{}, leaving: map[gang.PodID]bool{},
		until: m.now.Add(m.opts.Moves.Timeout), told: m.tellMoved(g, found.Units),
	}
	for _, share := range found.Shares {
		v.on[share.Node] = true
	}
	for _, id := range q.Leaving {
		if p, _ := m.book.Pod(id); v.on[p.Node] {
			v.leaving[id] = false
		}
	}
	for _, u := range found.Units {
		for _, p := range u.Pods {
			v.leaving[p.ID] = !u.Whole
		}
	}
	if !m.keepFree(v, q, found) {
		return false
	}
	m.move, g.vain, g.movesAt = v, "", v.until
	m.alarmAt(g, v.until)
	for i := range found.Units {
		m.evictUnit(g, &found.Units[i])
	}
	m.reviewed[g.decl.ID] = true
	return true
}

func (m *Machine) evictUnit(g *group, u *victims.Unit) {
	why := m.tellMover(g, u.Gang)
	if u.Whole {
		m.leave(m.groups[u.Gang], why)
		m.touch(m.groups[u.Gang])
		return
	}
	for _, p := range u.Pods {
		m.members[p.ID].evicting = true
		m.decide(Evict{Gang: u.Gang, Pod: p.ID, Reason: why})
	}
}

// keepFree keeps what the gang needs of each node beyond what the leaving pods have.
func (m *Machine) keepFree(v *move, q *victims.Query, found *victims.Found) bool {
	needs, slots := map[string]resource.Vector{}, map[string]ledger.Slot{}
	for _, share := range found.Shares {
		want := &q.Request.Wants[share.Want]
		needs[share.Node] = needs[share.Node].Add(want.Shape.Request.Scale(int64(share.Count)))
		slots[share.Node] = ledger.Slot{Gang: keeper, Role: want.Role, Node: share.Node, Shape: gang.Shape{
			Affinity: want.Shape.Affinity, Tolerations: want.Shape.Tolerations,
		}}
	}
	theirs := map[string]resource.Vector{}
	for id := range v.leaving {
		p, _ := m.book.Pod(id)
		theirs[p.Node] = theirs[p.Node].Add(p.Request)
	}
	txn := m.book.Begin()
	for _, node := range sortedKeys(needs) {
		s := slots[node]
		if s.Shape.Request = needs[node].Short(theirs[node]); !s.Shape.Request.IsZero() {
			txn.Hold(s)
		}
	}
	_, err := txn.Commit()
	return err == nil
}

// keepRoom keeps the room of a member that has gone for the gang for which it went, if
// there is one, where that will fit. It does not if somebody waits for the slot that the
// member had: it may have made up for a lost one of its gang's minimum meanwhile.
func (m *Machine) keepRoom(mem *member, had *ledger.Slot) {
	if m.move == nil {
		return
	}
	_, leaves := m.move.leaving[mem.ID]
	delete(m.move.leaving, mem.ID)
	if !leaves || !m.move.on[mem.node] || (had != nil && m.book.Slot(had.ID) != nil) {
		return
	}
	txn := m.book.Begin()
	txn.Hold(ledger.Slot{Gang: keeper, Role: mem.Role, Node: mem.node, Shape: mem.Shape})
	if held, err := txn.Commit(); err == nil {
		m.checkSlots(held[0].Node)
	}
}

func (m *Machine) kept() []ledger.SlotID {
	var ids []ledger.SlotID
	for _, s := range m.book.Holding(keeper).Slots {
		ids = append(ids, s.ID)
	}
	return ids
}

// watchMove gives a move up that does not lead to a start any more.
func (m *Machine) watchMove() {
	v := m.move
	if v == nil {
		return
	}
	g := v.group
	switch {
	case m.groups[g.decl.ID] != g, g.phase != Waiting:
		m.giveUp("the gang does not wait any more")
	case g.tried && !g.blocks:
		m.giveUp("that would not help any more")
	case g.tried && g.triedAt.Freed == m.book.Changes().Freed && len(v.leaving) == 0:
		m.giveUp("others took the room")
	case !v.until.After(m.now):
		m.giveUp(m.tellLate(v))
	}
}

// giveUp ends a move without a start. Who has not gone yet stays.
func (m *Machine) giveUp(why string) {
	g := m.move.group
	m.endMove()
	g.vain = "others were to be moved to make room, but " + why
	if m.groups[g.decl.ID] == g {
		m.searchAgain(g, m.opts.Moves.Cooldown)
		m.touch(g)
	}
}

// endMove gives back what is kept, and spares members that have not gone yet.
func (m *Machine) endMove() {
	for _, id := range sortedKeys(m.move.leaving) {
		mem := m.members[id]
		if !m.move.leaving[id] || mem == nil || !mem.evicting {
			continue
		}
		if mem.evicting = false; mem.runs() {
			m.decide(Spare{Gang: mem.Gang, Pod: id})
		}
	}
	m.move = nil
	m.book.Release(m.kept()...)
}

// moveAnswered takes in what became of the eviction of a member.
func (m *Machine) moveAnswered(mem *member, e Evicted) {
	if e.Err == "" {
		return
	}
	m.move.hindrance = "a pod can't be evicted"
	if mem.Namespace == m.move.group.decl.Owner.Namespace {
		m.move.hindrance = fmt.Sprintf("pod %s can't be evicted: %s", mem.Name, e.Err)
	}
	if !e.Again {
		mem.evicting = false
		m.giveUp(m.move.hindrance)
	}
}
