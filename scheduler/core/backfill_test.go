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
	"muster.sh/muster/scheduler/resource"
)

// job declares a gang of pods of one core, all of them members of its minimum.
func job(w *coretest.World, name string, pods int, change func(*gang.Gang)) gang.ID {
	g := gangtest.Group(name, pods)
	g.Created = w.Now
	if change != nil {
		change(&g)
	}
	w.Declare(g)
	for i := range pods {
		w.Pod(g.ID, "", fmt.Sprintf("%s-%d", name, i), gangtest.Shape(1, 1))
	}
	w.Pass(2 * time.Second)
	return g.ID
}

// lasting is what a gang declares that runs so long.
func lasting(d time.Duration) func(*gang.Gang) { return func(g *gang.Gang) { g.Runtime = d } }

func start(t *testing.T, w *coretest.World, id gang.ID) core.Start {
	t.Helper()
	r, _ := w.Machine.Record(id)
	if r.Start == nil {
		t.Fatalf("nothing is said of the start of %s, which is %s", id, r.Phase)
	}
	return *r.Start
}

// full is a cluster of two nodes of four cores, of which all but one run gangs that
// declare how long, and a gang that waits for four cores.
func full(o core.Options) (w *coretest.World, first gang.ID) {
	w = coretest.NewWith(o)
	w.Node("n0", 4, 64)
	w.Node("n1", 4, 64)
	w.Send(core.Synced{})
	job(w, "long", 4, lasting(2*time.Hour))
	job(w, "short", 3, lasting(time.Hour))
	return w, job(w, "first", 4, nil)
}

func TestTheFirstThatWaitsIsBookedWhenEnoughWillHaveEnded(t *testing.T) {
	w, first := full(core.DefaultOptions())
	s := start(t, w, first)
	if got, want := s.At.Sub(gangtest.Epoch0), time.Hour+32*time.Second; got != want || s.Nodes != 1 {
		t.Errorf("it is booked after %s on %d nodes; want %s on one", got, s.Nodes, want)
	}
	second := job(w, "second", 4, nil)
	if s := start(t, w, second); !s.At.IsZero() || !strings.Contains(s.Unknown, "only the first gang") {
		t.Errorf("of the second it is said: %+v", s)
	}
}

func TestWhoEndsInTimePassesTheFirst(t *testing.T) {
	for name, c := range map[string]struct {
		runtime time.Duration
		want    int
	}{
		"one that ends before":        {50 * time.Minute, 1},
		"one that ends too late":      {time.Hour, 0},
		"one that does not say when":  {0, 0},
		"one that runs for very long": {100 * time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w, first := full(core.DefaultOptions())
			before := start(t, w, first)
			g := job(w, "g", 1, lasting(c.runtime))
			if n := w.BoundOf(g); n != c.want {
				t.Errorf("%d of it run, want %d", n, c.want)
			}
			w.Pass(time.Minute)
			if after := start(t, w, first); after != before {
				t.Errorf("the booking was %+v, and is %+v", before, after)
			}
		})
	}
}

func TestOthersThatCannotPassArePassedWhereTheirQueueLetsThem(t *testing.T) {
	for name, lets := range map[string]bool{"in a queue that lets others pass": true, "in one that does not": false} {
		t.Run(name, func(t *testing.T) {
			w, first := full(core.DefaultOptions())
			w.SetQueue(queue.Spec{Name: queue.Default, Weight: 100, Backfill: true}) // so that the booked one need not yield
			w.SetQueue(queue.Spec{Name: "other", Weight: 1, Backfill: lets})
			toOther := func(g *gang.Gang) { g.Queue, g.Runtime = "other", time.Minute }
			before := start(t, w, first)
			second := job(w, "second", 4, toOther)
			third := job(w, "third", 1, toOther)
			if got := w.BoundOf(third) == 1; got != lets || w.BoundOf(second) != 0 {
				t.Errorf("behind one of its queue that can't pass the booked one, it passes: %t", got)
			}
			if after := start(t, w, first); after != before {
				t.Errorf("the booking was %+v, and is %+v", before, after)
			}
		})
	}
}

func TestWhoFitsOnNoNodeIsToldSoAndPassedByOthersOfTheQueue(t *testing.T) {
	for name, early := range map[string]bool{"there before the first": true, "come behind the first": false} {
		t.Run(name, func(t *testing.T) {
			w := coretest.NewWith(core.DefaultOptions())
			w.SetQueue(queue.Spec{Name: "other", Weight: 1, Backfill: true})
			w.SetQueue(queue.Spec{Name: queue.Default, Weight: 100, Backfill: true}) // so that the booked one need not yield
			w.Node("n0", 4, 64)
			w.Send(core.Synced{})
			toOther := func(g *gang.Gang) { g.Queue, g.Runtime = "other", time.Minute }
			tooWide := gangtest.Group("too-wide", 1)
			toOther(&tooWide)
			submit := func() {
				w.Declare(tooWide)
				w.Pod(tooWide.ID, "", "too-wide-0", gangtest.Shape(5, 1))
			}
			if early {
				submit()
			}
			job(w, "runs", 3, lasting(time.Hour))
			first := job(w, "first", 4, nil)
			start(t, w, first)
			if !early {
				submit()
			}
			other := job(w, "other", 1, toOther)
			if w.BoundOf(other) != 1 || w.BoundOf(first) != 0 {
				t.Errorf("%d of 1 behind it run", w.BoundOf(other))
			}
			if r, _ := w.Machine.Record(tooWide.ID); r.Verdict.Code != gang.TooBig {
				t.Errorf("it is told that it is %s", r.Verdict)
			}
		})
	}
}

func TestABookedGangGoesBeforeQueuesWithALowerShare(t *testing.T) {
	w, first := full(core.DefaultOptions())
	w.SetQueue(queue.Spec{Name: "idle", Weight: 1, Backfill: true})
	w.SetQueue(queue.Spec{Name: queue.Default, Weight: 100, Backfill: true}) // so that it has less than it deserves
	w.Pass(2 * time.Second)
	before := start(t, w, first)
	g := job(w, "g", 1, func(g *gang.Gang) { g.Queue = "idle" })
	if after := start(t, w, first); w.BoundOf(g) != 0 || after != before {
		t.Errorf("%d of a queue that has less run, and the booking was %+v and is %+v", w.BoundOf(g), before, after)
	}
}

// Others are evicted for the booked gang when its time has come, and nobody knows any more
// when it will start. It keeps its turn nevertheless.
func TestABookedGangKeepsItsTurnWhileOthersLeaveForIt(t *testing.T) {
	o := core.DefaultOptions()
	o.Reclaim = core.Clearing{MaxPods: 100, MaxTries: 100, After: 29 * time.Second, Cooldown: time.Minute, Timeout: 5 * time.Minute}
	w := coretest.NewWith(o)
	for _, name := range []string{"a", "c"} {
		w.SetQueue(queue.Spec{Name: name, Weight: 1, Backfill: true})
	}
	w.Node("n0", 4, 64)
	w.Send(core.Synced{})
	job(w, "lent", 4, lasting(time.Second))
	first := job(w, "first", 1, func(g *gang.Gang) { g.Queue = "a" })
	booked := start(t, w, first).At
	older := job(w, "older", 1, func(g *gang.Gang) { g.Queue, g.Created = "c", gangtest.Epoch0 })
	w.Pass(booked.Sub(w.Now))
	if r, _ := w.Machine.Record(first); r.Verdict.Code != gang.MakingRoom {
		t.Errorf("it is %s: %s", r.Phase, r.Verdict)
	}
	for _, pod := range slices.Sorted(maps.Keys(w.Dying)) {
		w.End(string(pod), core.Failed)
	}
	if w.BoundOf(first) != 1 || w.BoundOf(older) != 1 {
		t.Errorf("%d of the booked one and %d of the older one run", w.BoundOf(first), w.BoundOf(older))
	}
}

func TestWhoTakesOtherNodesPassesTheFirst(t *testing.T) {
	w, first := full(core.DefaultOptions())
	w.Node("n2", 2, 64)
	w.Pass(2 * time.Second)
	g := job(w, "g", 2, nil)
	if w.BoundOf(g) != 2 || w.BoundOf(first) != 0 {
		t.Errorf("%d of 2 run", w.BoundOf(g))
	}
}

func TestWhoFitsBesideTheFirstPassesIt(t *testing.T) {
	o := core.DefaultOptions()
	w := coretest.NewWith(o)
	w.Node("n0", 6, 64)
	w.Send(core.Synced{})
	job(w, "short", 5, lasting(time.Hour))
	first := job(w, "first", 5, nil)
	beside, tooMuch := job(w, "beside", 1, nil), job(w, "too-much", 1, nil)
	if w.BoundOf(beside) != 1 || w.BoundOf(tooMuch) != 0 || w.BoundOf(first) != 0 {
		t.Errorf("%d and %d run", w.BoundOf(beside), w.BoundOf(tooMuch))
	}
}

func TestWithoutABookingOnlyUselessNodesAreTaken(t *testing.T) {
	w := coretest.New()
	w.Node("n0", 4, 64)
	w.Node("small", 1, 64)
	w.Send(core.Synced{})
	job(w, "endless", 3, nil)
	big := gangtest.Group("big", 1)
	big.Created = w.Now
	w.Declare(big)
	w.Pod(big.ID, "", "big-0", gangtest.Shape(4, 1))
	w.Pass(2 * time.Second)
	if s := start(t, w, big.ID); s.Unknown != "nobody knows how long 1 of the gangs still run that have room" {
		t.Errorf("of its start it is said: %+v", s)
	}
	onSmall, onBig := job(w, "on-small", 1, nil), job(w, "on-big", 1, lasting(time.Second))
	if w.BoundOf(onSmall) != 1 || w.BoundOf(onBig) != 0 {
		t.Errorf("%d and %d run", w.BoundOf(onSmall), w.BoundOf(onBig))
	}
}

func TestInAStrictQueueNobodyPasses(t *testing.T) {
	w, _ := full(core.DefaultOptions())
	w.SetQueue(queue.Spec{Name: "other", Weight: 1})
	w.SetQueue(queue.Spec{Name: queue.Default, Weight: 1})
	own := job(w, "own", 1, lasting(time.Minute))
	other := job(w, "other", 1, func(g *gang.Gang) { g.Queue, g.Runtime = "other", time.Minute })
	if w.BoundOf(own) != 0 || w.BoundOf(other) != 1 {
		t.Errorf("%d of the first's queue and %d of another run", w.BoundOf(own), w.BoundOf(other))
	}
}

func TestNobodyPassesWithTheQuotaOfTheFirst(t *testing.T) {
	w, first := full(core.DefaultOptions())
	limit := queue.Spec{Name: queue.Default, Weight: 1, Backfill: true, Capability: queue.LimitsOf(map[string]int64{resource.CPU: 11_000})}
	w.SetQueue(limit)
	w.Node("n2", 2, 64)
	w.Pass(2 * time.Second)
	late, inTime := job(w, "late", 1, nil), job(w, "in-time", 1, lasting(time.Minute))
	if w.BoundOf(late) != 0 || w.BoundOf(inTime) != 0 || code(w, first) != gang.NoRoom {
		t.Errorf("%d and %d run, the first is %s", w.BoundOf(late), w.BoundOf(inTime), code(w, first))
	}
	limit.Capability = queue.LimitsOf(map[string]int64{resource.CPU: 12_000})
	w.SetQueue(limit)
	w.Pass(2 * time.Second)
	if w.BoundOf(late)+w.BoundOf(inTime) != 1 {
		t.Errorf("with the quota for one of them %d run", w.BoundOf(late)+w.BoundOf(inTime))
	}
}

func TestWhoOverrunsMovesTheBookingAndGivesWay(t *testing.T) {
	o := core.DefaultOptions()
	o.Reclaim = reclaims
	w, first := full(o)
	var evicted []string
	w.Observe = func(_ core.Stamped, out []core.Decision) {
		for _, d := range out {
			if e, ok := d.(core.Evict); ok {
				evicted = append(evicted, e.Reason)
			}
		}
	}
	w.Pass(time.Hour)
	w.Pass(time.Minute)
	s := start(t, w, first)
	if want := "1 gangs run longer than was expected, among them podgroup short"; s.Moved != want || s.At.Before(w.Now) {
		t.Errorf("the booking is %+v, want it moved because %s", s, want)
	}
	w.Pass(2 * time.Second)
	w.Pass(2 * time.Second)
	if len(evicted) != 3 || !strings.HasPrefix(evicted[0], "it runs for longer than the 1h0m0s that it has declared, and podgroup first was to start after it") {
		t.Errorf("evicted are %q", evicted)
	}
}

func TestWhoEndsEarlyMovesTheBookingForward(t *testing.T) {
	w := coretest.Cluster(1, 4)
	job(w, "long", 2, lasting(2*time.Hour))
	job(w, "short", 2, lasting(time.Hour))
	first := job(w, "first", 4, nil)
	before := start(t, w, first)
	w.Remove("podgroup/default/long")
	w.End("long-0", core.Succeeded)
	w.End("long-1", core.Succeeded)
	w.Pass(10 * time.Second)
	if after := start(t, w, first); !after.At.Before(before.At) {
		t.Errorf("it was booked for %s, and is for %s", before.At, after.At)
	}
}

func TestRunsOfAnApplicationTellHowLongTheNextTakes(t *testing.T) {
	w := coretest.Cluster(1, 2)
	run := func(n int, declared, takes time.Duration) core.Record {
		id := job(w, fmt.Sprintf("run%d", n), 1, func(g *gang.Gang) { g.Application, g.Runtime = "nightly", declared })
		r, _ := w.Machine.Record(id)
		w.Pass(takes)
		w.Remove(id)
		w.End(fmt.Sprintf("run%d-0", n), core.Succeeded)
		return r
	}
	for i, c := range []struct{ declared, takes, want time.Duration }{
		{0, 10 * time.Minute, 0},
		{0, 30 * time.Minute, 0},
		{0, 5 * time.Minute, 30*time.Minute + 2*time.Second},
		{20 * time.Minute, time.Minute, 30*time.Minute + 2*time.Second}, // others took longer
		{time.Hour, time.Minute, time.Hour},
	} {
		r := run(i, c.declared, c.takes)
		got := time.Duration(0)
		if !r.Ends.IsZero() {
			got = r.Ends.Sub(r.Created) - 30*time.Second
		}
		if got != c.want {
			t.Errorf("run %d is expected to take %s, want %s", i, got, c.want)
		}
	}
}

func TestABookingOutlivesARestart(t *testing.T) {
	w, first := full(core.DefaultOptions())
	before := start(t, w, first)
	w.Restart()
	w.Pass(2 * time.Second)
	if after := start(t, w, first); after.At.Sub(before.At).Abs() > 5*time.Second || after.Nodes != before.Nodes {
		t.Errorf("it was %+v, and is %+v", before, after)
	}
}

// TestHistoriesOfBookings lets gangs that say how long they run fill a small cluster, others
// wait, and some of these pass.
func TestHistoriesOfBookings(t *testing.T) {
	passed, booked, late := 0, 0, 0
	staged{
		limits: func(h *history) {
			h.tenants = h.chance("tenants", 2)
			h.Options.Backfill = rapid.SampledFrom([]int{100, 2}).Draw(h.t, "depth")
			h.Options.Reclaim = core.Clearing{MaxPods: 8, MaxTries: 100, After: 2 * time.Second, Cooldown: 20 * time.Second, Timeout: time.Minute}
			if h.chance("nobody is evicted", 1) {
				h.Options.Reclaim.MaxPods = 0
			}
		},
		scene: (*history).crowd, soonest: 1, latest: 400, steps: 100,
	}.happen(t, func(h *history) { passed, booked, late = passed+h.passed, booked+h.booked, late+h.late })
	text := fmt.Sprintf("%d have passed others, after %d steps one was booked, and after %d it had been booked for earlier", passed, booked, late)
	if t.Log(text); enough() && min(passed, booked, late) == 0 {
		t.Errorf("not all kinds have occurred: %s", text)
	}
}

// crowd fills the cluster with gangs of which it is mostly known how long they run, and
// lets a great one wait, and small ones behind it.
func (h *history) crowd() {
	if h.chance("a limit", 1) {
		h.SetQueue(queue.Spec{Name: queue.Default, Weight: 1, Backfill: !h.chance("strict", 2), Capability: coresOf(int64(h.number("cores", 6, 11)))})
		h.arrive()
	}
	declare := func(kind string, least, most int) {
		g := gangtest.Group(h.name(kind), h.number(kind, least, most))
		g.Created = h.Now
		g.Runtime = time.Duration(h.number("minutes", 0, 5)) * time.Minute
		h.Declare(g)
		for range g.MinMember {
			h.create(g, "")
		}
		h.arrive()
		h.Now = h.Now.Add(2 * time.Second)
		h.Step(core.Tick{})
	}
	for range h.number("that run", 2, 5) {
		declare("running", 1, 3)
	}
	declare("great", 3, 6)
	for range h.number("behind it", 1, 4) {
		declare("small", 1, 2)
	}
}
