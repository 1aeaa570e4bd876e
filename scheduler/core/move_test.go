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

var moves = core.Clearing{MaxPods: 2, MaxTries: 1000, After: time.Minute, MinRuntime: 10 * time.Minute, Cooldown: 10 * time.Minute, Timeout: 2 * time.Minute}

// scattered is a world of three nodes with four cores, on which the four members of a
// gang run with one core each: one of the minimum on n0, the others, above it, on each
// node. A second gang wants four cores on each of two nodes.
type scattered struct {
	*coretest.World
	small, large gang.ID
	evicted      []gang.PodID
	reasons      []string
}

func newScattered(o core.Clearing) *scattered {
	options := core.DefaultOptions()
	options.Moves = o
	s := &scattered{World: coretest.NewWith(options)}
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
	return s
}

// run starts the small gang where the test wants it.
func (s *scattered) run(g gang.Gang, budgets ...string) {
	s.small = g.ID
	s.Declare(g)
	s.Async = true // so that they are bound before they are placed
	for i, node := range []string{"n0", "n0", "n1", "n2"} {
		name := fmt.Sprintf("%s-%d", g.Owner.Name, i)
		s.Now = s.Now.Add(time.Second)
		s.Pod(g.ID, "", name, gangtest.Shape(1, 1))
		s.Members[gang.PodID(name)].Budgets = budgets
		s.BindOutside(gang.PodID(name), node)
	}
	s.Async = false
	s.DeliverAll()
}

func (s *scattered) wait(name string, members int, cores int64) gang.ID {
	g := gangtest.Group(name, members)
	s.Now = s.Now.Add(time.Second)
	g.Created = s.Now
	s.Declare(g)
	for i := range members {
		s.Pod(g.ID, "", fmt.Sprintf("%s-%d", name, i), gangtest.Shape(cores, 1))
	}
	return g.ID
}

// stop lets those go that are being deleted.
func (s *scattered) stop() {
	for _, id := range slices.Sorted(maps.Keys(s.Dying)) {
		s.End(string(id), core.Failed)
	}
}

func small() gang.Gang { return gangtest.Group("small", 1) }

func (s *scattered) verdict(id gang.ID) gang.Verdict {
	r, _ := s.Machine.Record(id)
	return r.Verdict
}

func TestAGangStartsOnceThoseInItsWayHaveMoved(t *testing.T) {
	s := newScattered(moves)
	s.run(small())
	s.Pass(time.Hour)
	s.large = s.wait("large", 2, 4)
	if v := s.verdict(s.large); v.Code != gang.NoRoom {
		t.Fatalf("at first it is %s", v)
	}
	s.Pass(moves.After)
	if want := []gang.PodID{"small-2", "small-3"}; !slices.Equal(s.evicted, want) {
		t.Fatalf("%v are evicted, want %v", s.evicted, want)
	}
	if v, want := s.verdict(s.large), "room is made for it: pods are moved for which there is room elsewhere: 2 of podgroup small"; v.String() != want {
		t.Errorf("the gang that waits is told %q, want %q", v, want)
	}
	if want := "moved to make room for podgroup large; there is room for it elsewhere"; s.reasons[0] != want {
		t.Errorf("the pod that goes is told %q, want %q", s.reasons[0], want)
	}
	s.stop()
	if n := s.BoundOf(s.large); n != 2 {
		t.Errorf("%d of 2 members of the gang run", n)
	}
	s.Pod(s.small, "", "small-4", gangtest.Shape(1, 1))
	s.Pod(s.small, "", "small-5", gangtest.Shape(1, 1))
	if s.Bound["small-4"] != "n0" || s.Bound["small-5"] != "n0" {
		t.Errorf("in the place of those that were moved: %v", s.Bound)
	}
}

func TestAGangThatAllowsItIsMovedAsAWhole(t *testing.T) {
	o := moves
	o.MaxPods = 4
	s := newScattered(o)
	g := gangtest.Group("small", 4)
	g.Moves = gang.MovesWhole
	s.run(g)
	s.Pass(time.Hour)
	s.large = s.wait("large", 2, 4)
	s.Pass(moves.After)
	if len(s.evicted) != 4 {
		t.Fatalf("%v are evicted", s.evicted)
	}
	if v := s.verdict(s.small); v.Code != gang.Leaving || !strings.Contains(v.Detail, "moved to make room for podgroup large") {
		t.Errorf("it is told: %s", v)
	}
	for i := range 4 {
		s.Pod(s.small, "", fmt.Sprintf("again-%d", i), gangtest.Shape(1, 1))
	}
	for _, id := range s.evicted[:3] {
		s.End(string(id), core.Failed)
	}
	if n := s.BoundOf(s.small); n != 1 {
		t.Errorf("%d members of the gang that goes are bound, want the last one alone", n)
	}
	s.stop()
	if s.BoundOf(s.large) != 2 || s.BoundOf(s.small) != 4 {
		t.Errorf("in the end %v are bound", s.Bound)
	}
}

func TestNobodyIsMovedInVain(t *testing.T) {
	for name, c := range map[string]struct {
		moves   func(*core.Clearing)
		small   func(*gang.Gang)
		budgets []string
		before  func(*scattered)
		members int
		cores   int64
	}{
		"it is turned off":               {moves: func(o *core.Clearing) { *o = core.Clearing{} }},
		"it would be too many":           {moves: func(o *core.Clearing) { o.MaxPods = 1 }},
		"they have not run for long":     {moves: func(o *core.Clearing) { o.MinRuntime = 2 * time.Hour }},
		"they don't want to move":        {small: func(g *gang.Gang) { g.Moves = gang.MovesNothing }},
		"all of them are of the minimum": {small: func(g *gang.Gang) { g.MinMember = 4 }},
		"their gang lacks members":       {small: func(g *gang.Gang) { g.MinMember = 5 }},
		"their gang holds room for one that it has lost": {
			moves: func(o *core.Clearing) { o.MaxPods = 4 },
			small: func(g *gang.Gang) {
				g.MinMember, g.Moves = 3, gang.MovesWhole
				g.BelowMinimum = gang.BelowMinimum{Policy: gang.Continue, Timeout: 10 * time.Hour}
			},
			before: func(s *scattered) { s.End("small-0", core.Failed) },
		},
		"a budget does not let them go":    {budgets: []string{"one"}, before: func(s *scattered) { s.SetBudget("one", 1) }},
		"their budget is not known":        {budgets: []string{"one"}},
		"several budgets count them":       {budgets: []string{"one", "two"}, before: func(s *scattered) { s.SetBudget("one", 9); s.SetBudget("two", 9) }},
		"they would have no room":          {before: func(s *scattered) { s.Other("other", "n0", gangtest.Shape(2, 1).Request) }},
		"it would not help":                {members: 3},
		"the gang is larger than any node": {members: 1, cores: 5},
	} {
		t.Run(name, func(t *testing.T) {
			o, g := moves, small()
			if c.moves != nil {
				c.moves(&o)
			}
			if c.small != nil {
				c.small(&g)
			}
			s := newScattered(o)
			s.run(g, c.budgets...)
			if c.before != nil {
				c.before(s)
			}
			s.Pass(time.Hour)
			s.large = s.wait("large", max(c.members, 2), max(c.cores, 4))
			for range 5 {
				s.Pass(moves.After)
			}
			if len(s.evicted) > 0 {
				t.Errorf("%v are evicted", s.evicted)
			}
		})
	}
}

func TestRoomThatIsMadeIsKept(t *testing.T) {
	s := newScattered(moves)
	s.run(small())
	s.Pass(time.Hour)
	s.large = s.wait("large", 2, 4)
	s.Pass(moves.After)
	s.End("small-2", core.Failed)
	// One of the two has gone. Neither its room nor what is free beside it is to be had.
	for node, cores := range map[string]int64{"n0": 2, "n1": 0, "n2": 0} {
		if free, _ := s.Free(node, "of another"); free.MilliCPU != cores*1000 {
			t.Errorf("%s is free on %s for others", free, node)
		}
	}
}

func TestAMoveThatFailsIsGivenUpAndToldOf(t *testing.T) {
	for name, c := range map[string]struct {
		refuses func(gang.PodID) (string, bool)
		then    func(*scattered)
		want    string
	}{
		"a budget refuses": {
			func(gang.PodID) (string, bool) { return "it would violate the budget", true },
			func(s *scattered) { s.Pass(moves.Timeout) },
			"others were to go to make room, but pod small-3 can't be evicted: it would violate the budget",
		},
		"the eviction fails": {
			func(gang.PodID) (string, bool) { return "forbidden", false }, func(*scattered) {},
			"others were to go to make room, but pod small-2 can't be evicted: forbidden",
		},
		"others take the room": {
			nil,
			func(s *scattered) { s.Other("other", "n1", gangtest.Shape(1, 1).Request); s.stop() },
			"others were to go to make room, but others took the room",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScattered(moves)
			s.run(small())
			s.Pass(time.Hour)
			s.large = s.wait("large", 2, 4)
			s.Budget = c.refuses
			s.Pass(moves.After)
			c.then(s)
			if v := s.verdict(s.large); v.Code != gang.NoRoom || v.Detail != c.want {
				t.Errorf("it is told: %s", v)
			}
			if n := s.Machine.Kept(); n != 0 {
				t.Errorf("%d slots are kept", n)
			}
			before := len(s.evicted)
			s.Budget = nil
			s.Pass(moves.Cooldown - moves.Timeout - time.Minute)
			if len(s.evicted) > before {
				t.Errorf("%v are evicted so soon again", s.evicted[before:])
			}
		})
	}
}

// TestHistoriesOfMoves lets random histories happen on a cluster in which moves help.
func TestHistoriesOfMoves(t *testing.T) {
	staged{
		limits: func(h *history) {
			h.Options.Moves = core.Clearing{MaxPods: 3, MaxTries: 100, After: 5 * time.Second, MinRuntime: 20 * time.Second, Cooldown: 20 * time.Second, Timeout: time.Minute}
		},
		scene: (*history).scatter, soonest: 5, latest: 60, steps: 60,
	}.check(t)
}

// staged are histories that begin with work in the way of a gang that waits.
type staged struct {
	limits, scene func(*history)
	// soonest and latest are the seconds that pass then at least and at most, and steps
	// how many each history has at least.
	soonest, latest, steps int
}

// check lets them happen. Among them room must have been made in vain, and not in vain,
// and by gangs that go as a whole.
func (s staged) check(t *testing.T) {
	t.Helper()
	began, led, whole := 0, 0, 0
	s.happen(t, func(h *history) {
		began, led, whole = began+h.moved.began, led+h.moved.led, whole+h.moved.whole
	})
	text := fmt.Sprintf("%d times others were to go, %d times a whole gang, and %d times it led to a start", began, whole, led)
	if t.Log(text); enough() && (led == 0 || whole == 0 || began == led) {
		t.Errorf("not all kinds have occurred: %s", text)
	}
}

// happen lets them happen, and has each counted at its end.
func (s staged) happen(t *testing.T, count func(*history)) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(rt)
		s.limits(h)
		h.Crash(func(string) bool { return false })
		h.before = h.Machine.Snap()
		for i := range 3 {
			h.Node(fmt.Sprintf("n%d", i), 4, 64)
		}
		h.DeliverAll()
		h.Step(core.Synced{})
		s.scene(h)
		h.Now = h.Now.Add(time.Duration(h.number("seconds", s.soonest, s.latest)) * time.Second)
		h.Step(core.Tick{})
		if h.chance("those that are in the way go", 1) {
			h.arrive()
			for _, id := range slices.Sorted(maps.Keys(h.Dying)) {
				h.endMember(id, core.Failed)
			}
			h.arrive()
		}
		for h.steps < s.steps {
			h.act()
		}
		h.windDown()
		h.checkReplay()
		count(h)
	})
}

// scatter runs a gang with members above its minimum on every node, and lets another wait
// for whole nodes.
func (h *history) scatter() {
	small := gangtest.Group(h.name("small"), h.number("minimum", 1, 3))
	small.Created, small.Moves = h.Now, h.moves()
	if small.NonPreemptible = h.chance("non-preemptible", 3); small.NonPreemptible {
		h.SetQueue(queue.Spec{Name: queue.Default, Weight: 1, Backfill: true, MaxNonPreemptible: coresOf(12)})
		h.arrive()
	}
	h.Declare(small)
	for i := range 3 {
		id := gang.PodID(h.name("pod"))
		h.Pod(small.ID, "", string(id), gangtest.Shape(int64(h.number("cores", 1, 2)), 1))
		h.BindOutside(id, fmt.Sprintf("n%d", i))
		h.arrive()
	}
	large := gangtest.Group(h.name("large"), h.number("nodes", 1, 2))
	large.Created = h.Now.Add(time.Second)
	h.Declare(large)
	for range large.MinMember {
		h.Pod(large.ID, "", h.name("pod"), gangtest.Shape(4, 1))
	}
	h.arrive()
}
