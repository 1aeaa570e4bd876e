package core

import (
	"fmt"
	"time"

	"muster.sh/muster/scheduler/gang"
)

// departure is how far a gang that goes has come. That it goes is stored before
// the first of its members is evicted: what is left of it looks like a gang whose
// start was cut short, which the next leader would complete.
type departure struct {
	why           string
	asked, stored bool
	// failed says why it could not be stored.
	failed string
}

// wholeWithin gives a gang the time in which it must be whole, if its policy says so.
func (m *Machine) wholeWithin(g *group, d time.Duration) {
	g.wholeBy = m.now.Add(d)
	if g.decl.BelowMinimum.Policy != gang.Continue {
		m.alarmAt(g, g.wholeBy)
	}
}

// minimumChanged gives members that the minimum of a started gang has more than
// before as long to come as those of a start. What is due by its policy, if that is
// another now, is due at once.
func (m *Machine) minimumChanged(g *group) {
	if g.wholeBy.IsZero() {
		m.wholeWithin(g, m.opts.ExpectedTimeout)
	}
	m.alarmAt(g, m.now)
}

// mindMinimum notes when a gang that was whole has fallen below its minimum, and
// lets it go when its policy says so and its time is up.
func (m *Machine) mindMinimum(g *group) {
	below := g.decl.BelowMinimum
	switch { // a time of zero is over too
	case g.wholeBy.After(m.now), g.isWhole():
	case g.wholeBy.IsZero() && below.Policy != gang.Go:
		m.wholeWithin(g, below.Timeout)
	case below.Policy != gang.Continue:
		m.backOff(g)
		m.leave(g, fmt.Sprintf("the gang fell below its minimum, and its policy is %s", below.Policy))
	}
}

// noteWhole notes that a gang is whole: what it loses from now on counts anew.
func (g *group) noteWhole() {
	if !g.wholeBy.IsZero() && g.isWhole() {
		g.wholeBy = time.Time{}
	}
}

// leave begins to end a gang: nothing new of it is placed, and what it holds for
// members to come is free for others.
func (m *Machine) leave(g *group, why string) {
	m.decide(ShutLatch{Gang: g.decl.ID, Epoch: g.epoch, Reason: "the gang goes"})
	for _, mem := range g.order {
		m.unplace(mem)
	}
	for _, s := range m.book.OfGang(g.decl.ID) {
		if mem := m.members[s.Claimant]; mem == nil || mem.state != bound {
			m.release(g, s.ID)
		}
	}
	m.short.Remove(g.decl.ID)
	m.elastic.Remove(g.decl.ID)
	g.phase = Leaving
	g.departure = departure{why: why}
	m.moot = false
}

// seeOff takes the next step with a gang that goes. When nothing of it is bound any
// more, it waits for its next start as a whole.
func (m *Machine) seeOff(g *group) {
	m.adopt(g)
	switch {
	case g.all[bound] == 0:
		g.retryAt = time.Time{}
		m.startOver(g)
	case !g.retryAt.IsZero():
		// A write has failed, and waits.
	case g.departure.stored:
		m.evictAll(g)
	case !g.departure.asked:
		m.storeDeparture(g)
	}
}

// storeDeparture makes it outlive this process that a gang goes.
func (m *Machine) storeDeparture(g *group) {
	g.epoch, g.departure.asked = m.nextEpoch(), true
	g.stored = []ReservedSlot{} // and nothing is held for anybody to come
	m.decide(StoreReservation{Gang: g.decl.ID, Owner: g.decl.Owner, Epoch: g.epoch, Leaving: true})
}

func (m *Machine) departureStored(g *group, err string) {
	g.departure.asked, g.departure.stored, g.departure.failed = err == "", err == "", err
	if err != "" {
		m.retryLater(g, m.opts.RetryAfter)
	}
	m.touch(g)
}

// resumeDeparture takes up a gang that an earlier leader has let go. It reports
// false if nothing of it is left.
func (m *Machine) resumeDeparture(g *group) bool {
	if g.all[bound] == 0 {
		m.dropReservation(g)
		return false
	}
	m.queues.Remove(g.decl.ID)
	g.phase, g.departure = Leaving, departure{why: "an earlier leader has let it go", asked: true, stored: true}
	g.stored, g.found = []ReservedSlot{}, nil
	m.touch(g)
	return true
}

// evictAll has every member evicted that runs. If the gang's owner is one of them,
// as a Spark driver is, it goes first: it would replace the others.
func (m *Machine) evictAll(g *group) {
	owner := g.members[gang.PodID(g.decl.Owner.UID)]
	alone := owner != nil && owner.runs()
	for _, mem := range g.order {
		if mem.runs() && !mem.evicting && (mem == owner || !alone) {
			mem.evicting = true
			m.decide(Evict{Gang: g.decl.ID, Pod: mem.ID, Reason: g.departure.why})
		}
	}
}

// evicted takes in how an eviction went. One that has failed for good is ordered
// anew after a while.
func (m *Machine) evicted(e Evicted) {
	mem := m.members[e.ID]
	if mem == nil || !mem.evicting {
		return // it is gone, or was spared
	}
	if m.move != nil && m.move.leaving[e.ID] {
		m.moveAnswered(mem, e)
		return
	}
	g := m.groups[mem.Gang]
	mem.kept = e.Err
	if e.Err != "" && !e.Again {
		mem.evicting = false
		m.retryLater(g, m.opts.VetoTimeout)
	}
	m.touch(g)
}

// spareAll takes back what evictions are under way.
func (m *Machine) spareAll(g *group) {
	for _, mem := range g.order {
		if mem.evicting && !mem.terminating {
			m.decide(Spare{Gang: g.decl.ID, Pod: mem.ID})
		}
		mem.evicting, mem.kept = false, ""
	}
}

// leaving is the verdict of a gang that goes.
func (g *group) leaving() gang.Verdict {
	v := gang.Verdict{Code: gang.Leaving, Detail: fmt.Sprintf("%s; %d members are still bound", g.departure.why, g.all[bound])}
	if kept := g.kept(); kept != "" {
		v.Code, v.Detail = gang.Kept, v.Detail+"; "+kept
	}
	return v
}

// kept says why a gang that goes can't, if that is so.
func (g *group) kept() string {
	if g.departure.failed != "" {
		return "that it goes can't be stored: " + g.departure.failed
	}
	for _, mem := range g.order {
		if mem.kept != "" && mem.runs() {
			return fmt.Sprintf("pod %s can't be evicted: %s", mem.Name, mem.kept)
		}
	}
	return ""
}
