package core_test

import (
	"fmt"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
)

// writeCount compares the orders that lead to writes for a gang, binds apart,
// with what has happened to it. Members that appear, stand at the latch or are
// bound are no reason to write.
type writeCount struct {
	writes  map[gang.ID]int
	trouble map[gang.ID]int
	// everywhere is trouble that may concern any gang.
	everywhere int
	members    map[gang.PodID]gang.ID
}

func newWriteCount() *writeCount {
	return &writeCount{writes: map[gang.ID]int{}, trouble: map[gang.ID]int{}, members: map[gang.PodID]gang.ID{}}
}

func (c *writeCount) count(w *coretest.World, e core.Event, out []core.Decision) {
	switch e := e.(type) {
	case core.NodeSet, core.NodeGone, core.Assumed, core.Forgotten, core.Tick:
		c.everywhere++
	case core.PodSet:
		if e.Member == nil || e.Terminating {
			c.everywhere++
			break
		}
		c.members[e.Pod.ID] = e.Member.Gang
	case core.PodGone:
		c.everywhere++
	case core.GangSet:
		c.trouble[e.Gang.ID]++
	case core.GangRefused:
		c.trouble[e.ID]++
	case core.GangGone:
		c.trouble[e.ID]++
	case core.Parked:
		c.trouble[c.members[e.ID]]++
	case core.ReservationStored:
		c.trouble[e.Gang]++
	}
	for _, d := range out {
		switch d := d.(type) {
		case core.Explain:
			c.writes[d.Gang]++
		case core.Status:
			c.writes[d.Gang]++
		case core.StoreReservation:
			c.writes[d.Gang]++
		}
	}
}

// check allows what a life without trouble needs, and three writes for each
// trouble: a reservation, a reason and a status.
func (c *writeCount) check() error {
	for id, n := range c.writes {
		if limit := 9 + 3*(c.trouble[id]+c.everywhere); n > limit {
			return fmt.Errorf("%d for %s, at most %d are due", n, id, limit)
		}
	}
	return nil
}
