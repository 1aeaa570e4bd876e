package core

import (
	"fmt"
	"time"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
	"muster.sh/muster/scheduler/victims"
)

// Clearing bounds what is evicted to make room for a gang.
type Clearing struct {
	// MaxPods is how many pods are evicted for one gang at most. Zero evicts nobody.
	MaxPods int
	// MaxTries bounds the time of a search: see victims.Query.
	MaxTries int
	// After is how long a gang waits before anybody is evicted for it, and the time from
	// one search to the next. After searches in vain it grows.
	After time.Duration
	// MinRuntime is how long a pod runs at least before it is evicted.
	MinRuntime time.Duration
	// Cooldown is how long it takes until anybody is evicted again for a gang for which
	// this was in vain.
	Cooldown time.Duration
	// Timeout is how long the pods may take to go.
	Timeout time.Duration
}

// way is one of two ways to make room for a gang.
type way int

const (
	// reclaiming takes from others to what the gang has the better right.
	reclaiming way = iota
	// moving evicts only what has room elsewhere.
	moving
	ways
)

func (m *Machine) clearing(by way) *Clearing {
	return [ways]*Clearing{reclaiming: &m.opts.Reclaim, moving: &m.opts.Moves}[by]
}

// keeper is who holds room that is kept for the gang of a move. It is no gang.
const keeper gang.ID = "moves"

// move is work on its way out of the way of a gang that waits. There is one at a time.
// The room that it leaves is kept for that gang, together with what was free of the
// nodes on which it will fit, until it starts or the move is given up.
type move struct {
	group *group
	by    way
	// turn is the last in which it was the gang's, with nobody before it who blocks.
	turn  *queue.Turn
	units []victims.Unit
	// on are the nodes on which the gang will fit.
	on map[string]bool
	// leaving are the pods that are still to go; true for members that this move has
	// evicted by themselves.
	leaving map[gang.PodID]bool
	until   time.Time
	// late are gangs that hold up the booking of the one that waits.
	late map[gang.ID]bool
	// told says who is moved, hindrance why an eviction could not be carried out yet.
	told, hindrance string
}

// movesFor says whether room is being made for a gang.
func (m *Machine) movesFor(g *group) bool { return m.move != nil && m.move.group == g }

// makeRoom looks whether evicting others would let a gang start that waits for room, with
// nobody before it, and begins to evict them.
func (m *Machine) makeRoom(g *group) {
	switch {
	case m.movesFor(g):
		m.move.turn = m.turn
	case m.move == nil:
		if !m.clear(g, moving) { // from which nobody loses
			m.clear(g, reclaiming)
		}
	case m.move.turn != m.turn: // its gang comes later
		m.giveUp("an earlier gang waits for room")
	}
}

// makeQuota looks whether evicting others would give a gang the quota that it lacks.
func (m *Machine) makeQuota(g *group) {
	if m.movesFor(g) {
		m.move.turn = m.turn
	} else if m.move == nil && !g.quota.Never && !g.quota.Behind && !m.lacksPart(g) {
		m.clear(g, reclaiming)
	}
}

// lacksPart says that a gang could not start even if others gave back what they have of its
// quota: its queue limits a part of what it asks for.
func (m *Machine) lacksPart(g *group) bool {
	r := m.queues.Refuses(m.queueOf(g), m.demand(g, m.need(g)))
	return r != nil && r.OfPart()
}

// clear looks for whose going lets a gang start, when the time for that has come. It
// reports whether they are on their way.
func (m *Machine) clear(g *group, by way) bool {
	c := m.clearing(by)
	if c.MaxPods == 0 {
		return false
	}
	if g.clearsAt[by].IsZero() {
		g.clearsAt[by] = g.waitsSince.Add(c.After)
		// Not in the step in which it comes to be the first: that may not last.
		if soonest := m.now.Add(c.After / 10); g.clearsAt[by].Before(soonest) {
			g.clearsAt[by] = soonest
		}
	}
	if g.clearsAt[by].After(m.now) {
		m.alarmAt(g, g.clearsAt[by])
		return false
	}
	q := victims.Query{
		Request: m.request(g, m.need(g)).Request, Leaving: m.vacating(),
		Budgets: m.budgets, MaxPods: c.MaxPods, MaxTries: c.MaxTries,
	}
	if by == moving {
		q.Units = m.movable()
	} else {
		m.claimFor(g, &q)
	}
	if len(q.Units) > 0 {
		if found, ok := victims.Search(m.book, &q); ok && m.begin(g, by, &q, &found) {
			return true
		}
	}
	g.pauses[by] = max(c.After, min(2*g.pauses[by], maxPause))
	m.clearLater(g, by, g.pauses[by])
	return false
}

// maxPause is how long it takes at most from one search in vain to the next, where the
// first comes sooner.
const maxPause = time.Minute

func (m *Machine) clearLater(g *group, by way, after time.Duration) {
	g.clearsAt[by] = m.now.Add(after)
	m.alarmAt(g, g.clearsAt[by])
}

// begin keeps what is free where the gang will fit, and evicts who is in its way.
func (m *Machine) begin(g *group, by way, q *victims.Query, found *victims.Found) bool {
	v := &move{
		group: g, by: by, turn: m.turn, units: found.Units, on: map[string]bool{}, leaving: map[gang.PodID]bool{}, late: m.lateFor(g),
		until: m.now.Add(m.clearing(by).Timeout), told: m.tellMoved(g, by, found.Units),
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
	m.move, g.vain, g.clearsAt[by] = v, "", v.until
	if g.quota != nil {
		g.tried = false // what was found before it lacked quota tells nothing now
	}
	m.alarmAt(g, v.until)
	for i := range found.Units {
		m.evictUnit(v, &found.Units[i])
	}
	m.reviewed[g.decl.ID] = true
	return true
}

func (m *Machine) evictUnit(v *move, u *victims.Unit) {
	why, g := m.tellMover(v, u.Gang), m.groups[u.Gang]
	if u.Whole {
		for _, id := range u.Slots { // these are free already
			delete(g.deadlines, id)
		}
		m.leave(g, why)
		m.touch(g)
		return
	}
	for _, p := range u.Pods {
		m.members[p.ID].evicting = true
		m.decide(Evict{Gang: u.Gang, Pod: p.ID, Reason: why})
	}
}

// keepFree keeps what the gang needs of each node beyond what the leaving pods have, and
// gives back what was held for members of units to come.
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
	for _, u := range found.Units {
		txn.Release(u.Slots...)
	}
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
	case g.quota != nil && g.quotaAt == m.queues.Version() && len(v.leaving) == 0:
		m.giveUp("others took the quota")
	case !v.until.After(m.now):
		m.giveUp(m.tellLate(v))
	}
}

// giveUp ends a move without a start. Who has not gone yet stays.
func (m *Machine) giveUp(why string) {
	g, by := m.move.group, m.move.by
	m.endMove()
	g.vain = "others were to go to make room, but " + why
	if m.groups[g.decl.ID] == g {
		for w := range ways {
			m.clearLater(g, w, m.clearing(by).Cooldown)
		}
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
