package core_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/queue"
)

var reclaims = core.Clearing{MaxPods: 100, MaxTries: 1000, After: time.Second, Cooldown: time.Minute, Timeout: 5 * time.Minute}

// shared is a world of three nodes with four cores, and of two queues of which each
// deserves six.
type shared struct {
	*coretest.World
	evicted []gang.PodID
	reasons []string
}

func newShared(o core.Clearing) *shared {
	options := core.DefaultOptions()
	options.Reclaim = o
	s := &shared{World: coretest.NewWith(options)}
	s.Observe = func(_ core.Stamped, out []core.Decision) {
		for _, d := range out {
			if e, ok := d.(core.Evict); ok {
				s.evicted, s.reasons = append(s.evicted, e.Pod), append(s.reasons, e.Reason)
			}
		}
	}
	for i := range 3 {
		s.Node(fmt.Sprintf("n%d", i), 4, 64)
	}
	s.Send(core.Synced{})
	for _, name := range []string{"ours", "theirs"} {
		s.SetQueue(queue.Spec{Name: name, Weight: 1, Deserved: coresOf(6)})
	}
	return s
}

// prior gives the pods of a gang a priority.
func (s *shared) prior(id gang.ID, priority int64, meek bool) {
	for _, pod := range slices.Sorted(maps.Keys(s.Members)) {
		if s.Members[pod].Gang == id {
			s.Members[pod].Priority, s.Members[pod].Meek = priority, meek
			s.TellPod(pod)
		}
	}
}

// goAll lets those go that are being deleted.
func (s *shared) goAll() {
	for _, id := range slices.Sorted(maps.Keys(s.Dying)) {
		s.End(string(id), core.Failed)
	}
}

func TestAQueueGetsBackWhatItHasLent(t *testing.T) {
	s := newShared(reclaims)
	for i := range 4 {
		inQueue(s.World, fmt.Sprintf("lent%d", i), "theirs", 3, 3)
	}
	g := inQueue(s.World, "g", "ours", 6, 6)
	if got := code(s.World, g); got != gang.NoRoom || len(s.evicted) > 0 {
		t.Fatalf("at once it is %s, and %v are evicted", got, s.evicted)
	}
	s.Pass(reclaims.After)
	if len(s.evicted) != 6 || code(s.World, g) != gang.MakingRoom {
		t.Fatalf("%v are evicted for it, it is %s", s.evicted, code(s.World, g))
	}
	r, _ := s.Machine.Record(g)
	if want := "room is made for it: pods give way that have less right to it: 3 of podgroup lent"; !strings.HasPrefix(r.Verdict.String(), want) {
		t.Errorf("it is told %q", r.Verdict)
	}
	if want := "queue theirs gives back what it has borrowed from queue ours, for podgroup g"; s.reasons[0] != want {
		t.Errorf("who goes is told %q", s.reasons[0])
	}
	again := inQueue(s.World, "again", "theirs", 3, 3)
	s.goAll()
	if n := s.BoundOf(g); n != 6 {
		t.Errorf("%d of 6 run", n)
	}
	s.Pass(time.Hour)
	if len(s.evicted) != 6 || s.BoundOf(again) != 0 {
		t.Errorf("afterwards %v are evicted, %d of what waits run", s.evicted[6:], s.BoundOf(again))
	}
}

func TestMembersAboveTheMinimumGoFirst(t *testing.T) {
	s := newShared(reclaims)
	whole, elastic := inQueue(s.World, "whole", "theirs", 6, 6), inQueue(s.World, "elastic", "theirs", 2, 6)
	s.Pass(time.Hour)
	g := inQueue(s.World, "g", "ours", 2, 2)
	s.Pass(reclaims.After)
	s.goAll()
	if s.BoundOf(g) != 2 || s.BoundOf(whole) != 6 || s.BoundOf(elastic) != 4 {
		t.Errorf("%d, %d and %d run", s.BoundOf(g), s.BoundOf(whole), s.BoundOf(elastic))
	}
}

func TestRoomForMembersThatHaveNotComeIsTakenWithTheirGang(t *testing.T) {
	s := newShared(reclaims)
	s.App("spark", 9, gangtest.Shape(1, 1)) // in the default queue, which deserves nothing
	g := inQueue(s.World, "g", "ours", 6, 6)
	s.Pass(reclaims.After)
	if n := s.BoundOf(g); n != 6 || len(s.evicted) != 1 {
		t.Errorf("%d of 6 run, %v are evicted", n, s.evicted)
	}
}

func TestAQueueTakesBackQuotaThatItsSisterHasBorrowed(t *testing.T) {
	s := newShared(reclaims)
	s.SetQueue(queue.Spec{Name: "ours", Weight: 1, Capability: coresOf(4)})
	for _, name := range []string{"a", "b"} {
		s.SetQueue(queue.Spec{Name: name, Parent: "ours", Weight: 1, Deserved: coresOf(2)})
	}
	inQueue(s.World, "first", "b", 2, 2)
	inQueue(s.World, "second", "b", 2, 2)
	g := inQueue(s.World, "g", "a", 2, 2)
	s.Pass(reclaims.After)
	if len(s.evicted) != 2 {
		t.Fatalf("%v are evicted", s.evicted)
	}
	s.goAll()
	if n := s.BoundOf(g); n != 2 {
		t.Errorf("%d of 2 run", n)
	}
}

func TestWithinAQueueALowerPriorityGivesWay(t *testing.T) {
	for name, c := range map[string]struct {
		low, high int64
		meek      bool
		want      int
	}{
		"a lower one":               {low: 1, high: 2, want: 4},
		"an equal one":              {low: 2, high: 2},
		"a lower one, to the meek":  {low: 1, high: 2, meek: true},
		"one below zero, to others": {low: -1, high: 0, want: 4},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShared(reclaims)
			for i := range 3 {
				s.prior(inQueue(s.World, fmt.Sprintf("low%d", i), "ours", 4, 4), c.low, false)
			}
			g := inQueue(s.World, "g", "ours", 2, 2)
			s.prior(g, c.high, c.meek)
			s.Pass(reclaims.After)
			if len(s.evicted) != c.want {
				t.Errorf("%v are evicted, want %d", s.evicted, c.want)
			}
		})
	}
}

func TestNobodyGivesWayWhoNeedNot(t *testing.T) {
	for name, c := range map[string]struct {
		limits func(*core.Clearing)
		before func(*shared)
		asks   int
	}{
		"it is turned off":                     {limits: func(o *core.Clearing) { *o = core.Clearing{} }},
		"it would be too many":                 {limits: func(o *core.Clearing) { o.MaxPods = 2 }},
		"they have not run for long":           {limits: func(o *core.Clearing) { o.MinRuntime = 2 * time.Hour }},
		"their queue may keep it":              {before: func(s *shared) { s.SetQueue(queue.Spec{Name: "theirs", Weight: 1, Deserved: coresOf(6), Keeps: true}) }},
		"their queue deserves it":              {before: func(s *shared) { s.SetQueue(queue.Spec{Name: "theirs", Weight: 1, Deserved: coresOf(12)}) }},
		"the gang asks for more than is its":   {asks: 7},
		"a budget does not let them go":        {before: func(s *shared) { s.budgets("one"); s.SetBudget("one", 2) }},
		"their budget is not known":            {before: func(s *shared) { s.budgets("one") }},
		"several budgets count them":           {before: func(s *shared) { s.budgets("one", "two"); s.SetBudget("one", 9); s.SetBudget("two", 9) }},
		"pods of no gang are in the way":       {before: func(s *shared) { s.others() }},
		"the gang is larger than the cluster":  {asks: 13},
		"an earlier gang of the queue can not": {before: func(s *shared) { inQueue(s.World, "earlier", "ours", 7, 7) }},
	} {
		t.Run(name, func(t *testing.T) {
			o := reclaims
			if c.limits != nil {
				c.limits(&o)
			}
			s := newShared(o)
			for i := range 4 {
				inQueue(s.World, fmt.Sprintf("lent%d", i), "theirs", 3, 3)
			}
			if c.before != nil {
				c.before(s)
			}
			asks := max(c.asks, 3)
			inQueue(s.World, "g", "ours", asks, asks)
			for range 5 {
				s.Pass(time.Minute)
			}
			if len(s.evicted) > 0 {
				t.Errorf("%v are evicted", s.evicted)
			}
		})
	}
}

func (s *shared) budgets(names ...string) {
	for _, id := range slices.Sorted(maps.Keys(s.Members)) {
		s.Members[id].Budgets = names
		s.TellPod(id)
	}
}

// others puts pods of no gang beside those that have borrowed.
func (s *shared) others() {
	for _, id := range slices.Sorted(maps.Keys(s.Bound)) {
		node := s.Bound[id]
		s.End(string(id), core.Succeeded)
		s.Other("other-"+string(id), node, gangtest.Shape(1, 1).Request)
	}
}

// TestHistoriesOfReclaim lets random histories happen on a cluster in which one queue has
// lent to others.
func TestHistoriesOfReclaim(t *testing.T) {
	staged{
		limits: func(h *history) {
			h.tenants = true
			h.Options.Reclaim = core.Clearing{MaxPods: 8, MaxTries: 100 * h.number("tries", 0, 1), After: 2 * time.Second, MinRuntime: 5 * time.Second, Cooldown: 20 * time.Second, Timeout: time.Minute}
		},
		scene: (*history).lend, soonest: 1, latest: 20, steps: 80,
	}.check(t)
}

// lend fills the cluster with work of queues that have borrowed, and lets others wait.
func (h *history) lend() {
	for _, name := range []string{"a", "b"} {
		h.SetQueue(queue.Spec{Name: name, Weight: 1, Deserved: coresOf(int64(h.number("cores", 3, 6))), MaxNonPreemptible: h.limit("non-preemptible", 1)})
	}
	h.SetQueue(queue.Spec{Name: "c", Parent: "b", Weight: 1, Deserved: coresOf(3)})
	h.arrive()
	for range h.number("gangs", 2, 5) {
		g := gangtest.Group(h.name("lent"), h.number("minimum", 1, 4))
		g.Created, g.Queue = h.Now, rapid.SampledFrom([]string{"a", "c", "c"}).Draw(h.t, "queue")
		g.NonPreemptible = h.chance("non-preemptible", 3)
		h.Declare(g)
		for range g.MinMember + h.number("more", 0, 2) {
			h.create(g, "")
		}
		h.arrive()
	}
	for range h.number("waiting", 1, 2) {
		g := gangtest.Group(h.name("owner"), h.number("members", 1, 3))
		g.Created, g.Queue = h.Now, rapid.SampledFrom([]string{"a", "a", "c"}).Draw(h.t, "queue")
		h.Declare(g)
		for range g.MinMember {
			h.create(g, "")
		}
	}
	h.arrive()
}
