package core_test

import (
	"fmt"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/queue"
)

// claiming declares a gang of a queue that claims to be non-preemptible, and creates its
// pods, of a core each.
func claiming(w *coretest.World, name, q string, members int) gang.ID {
	g := gangtest.Group(name, members)
	g.Queue, g.Created, g.NonPreemptible = q, w.Now, true
	w.Pass(time.Second)
	w.Declare(g)
	for i := range members {
		w.Pod(g.ID, "", fmt.Sprintf("%s-%d", name, i), one)
	}
	return g.ID
}

// grants lets gangs of a queue, which deserves six cores, be non-preemptible.
func (s *shared) grants(q string, cores int64) {
	s.SetQueue(queue.Spec{Name: q, Deserved: coresOf(6), MaxNonPreemptible: coresOf(cores)})
}

func wantGranted(t *testing.T, w *coretest.World, id gang.ID, want bool) {
	t.Helper()
	if r, _ := w.Machine.Record(id); r.NonPreemptible != want {
		t.Fatalf("%s is non-preemptible: %t, and it is %s", id, r.NonPreemptible, r.Verdict)
	}
}

func TestWhatAQueueHasGrantedIsNotTakenBackFromIt(t *testing.T) {
	s := newShared(reclaims)
	s.grants("theirs", 5)
	spared := claiming(s.World, "kept", "theirs", 3)
	for i := range 3 {
		inQueue(s.World, fmt.Sprintf("lent%d", i), "theirs", 3, 3)
	}
	g := inQueue(s.World, "g", "ours", 6, 6)
	s.Pass(reclaims.After)
	s.goAll()
	wantVerdict(t, s.World, spared, gang.Running, "the whole minimum is running: it is non-preemptible")
	wantBound(t, s.World, spared, 3)
	wantBound(t, s.World, g, 6)
}

func TestAGangWaitsForWhatItClaimsToKeep(t *testing.T) {
	s := newShared(reclaims)
	s.grants("theirs", 5)
	first, second := claiming(s.World, "first", "theirs", 3), claiming(s.World, "second", "theirs", 3)
	never, other := claiming(s.World, "never", "theirs", 6), inQueue(s.World, "other", "theirs", 4, 4)
	wantGranted(t, s.World, first, true)
	wantVerdict(t, s.World, second, gang.OverQuota, "non-preemptible gangs of queue theirs may have 5 of cpu, of which they have 3, and the gang asks for 3")
	wantVerdict(t, s.World, never, gang.NeverInQueue, "non-preemptible gangs of queue theirs may have 5 of cpu at most, and the gang asks for 6")
	wantBound(t, s.World, other, 4) // and so the queue has borrowed
	s.grants("theirs", 8)
	wantVerdict(t, s.World, never, gang.OverQuota, "may have 6 of cpu, as much as it deserves, of which they have 6")
	wantBound(t, s.World, second, 3)
	wantGranted(t, s.World, second, true)
	s.grants("theirs", 0) // what was granted stays
	wantGranted(t, s.World, second, true)
}

func TestWithoutALimitNobodyIsNonPreemptibleAndTold(t *testing.T) {
	s := newShared(reclaims)
	for i := range 4 {
		claiming(s.World, fmt.Sprintf("lent%d", i), "theirs", 3)
	}
	wantVerdict(t, s.World, "podgroup/default/lent0", gang.Running,
		"it is preemptible like any other: neither queue theirs nor one above it lets gangs be non-preemptible")
	g := inQueue(s.World, "g", "ours", 6, 6)
	s.Pass(reclaims.After)
	s.goAll()
	wantBound(t, s.World, g, 6)
	s.grants("theirs", 6) // those that are left may have it now
	wantGranted(t, s.World, "podgroup/default/lent0", s.BoundOf("podgroup/default/lent0") > 0)
}

func TestAHigherPriorityTakesNothingThatWasGranted(t *testing.T) {
	s := newShared(reclaims)
	s.SetQueue(queue.Spec{Name: "ours", Deserved: coresOf(12), MaxNonPreemptible: coresOf(8)})
	s.SetQueue(queue.Spec{Name: "theirs"})
	spared := claiming(s.World, "spared", "ours", 8)
	inQueue(s.World, "low", "ours", 4, 4)
	for _, c := range []struct{ members, want int }{{6, 0}, {3, 3}} {
		g := inQueue(s.World, fmt.Sprintf("high%d", c.members), "ours", c.members, c.members)
		s.prior(g, 5, false)
		s.Pass(reclaims.After)
		s.goAll()
		wantBound(t, s.World, g, c.want)
		wantBound(t, s.World, spared, 8)
		s.Remove(g)
		for i := range c.members {
			s.End(fmt.Sprintf("high%d-%d", c.members, i), core.Succeeded)
		}
	}
}

func TestMembersAboveTheMinimumOfANonPreemptibleGangGo(t *testing.T) {
	s := newShared(reclaims)
	s.grants("theirs", 6)
	elastic := claiming(s.World, "elastic", "theirs", 4)
	for i := range 8 {
		s.Pod(elastic, "", fmt.Sprintf("more-%d", i), one)
	}
	wantBound(t, s.World, elastic, 12)
	s.Pass(time.Hour)
	g := inQueue(s.World, "g", "ours", 6, 6)
	s.Pass(reclaims.After)
	s.goAll()
	wantBound(t, s.World, g, 6)
	wantBound(t, s.World, elastic, 6)
}

func TestWhoRunsForLongerThanDeclaredKeepsWhatWasGranted(t *testing.T) {
	o := core.DefaultOptions()
	o.Reclaim = reclaims
	w := coretest.NewWith(o)
	w.Node("n0", 4, 64)
	w.Send(core.Synced{})
	w.SetQueue(queue.Spec{Name: queue.Default, Backfill: true, MaxNonPreemptible: coresOf(3)})
	spared := job(w, "spared", 3, func(g *gang.Gang) { g.Runtime, g.NonPreemptible = time.Hour, true })
	first := job(w, "first", 4, nil)
	w.Pass(time.Hour)
	for range 3 {
		w.Pass(time.Minute)
	}
	wantBound(t, w, spared, 3)
	wantDying(t, w)
	wantVerdict(t, w, first, gang.NoRoom, "")
}

func TestANonPreemptibleGangIsNotMovedAsAWhole(t *testing.T) {
	for name, granted := range map[string]bool{"one that was granted": true, "one that was not": false} {
		t.Run(name, func(t *testing.T) {
			o := moves
			o.MaxPods = 4
			s := newScattered(o)
			if granted {
				s.SetQueue(queue.Spec{Name: queue.Default, MaxNonPreemptible: coresOf(4)})
			}
			g := gangtest.Group("small", 4)
			g.Moves, g.NonPreemptible = gang.MovesWhole, true
			s.run(g)
			s.Pass(time.Hour)
			s.large = s.wait("large", 2, 4)
			s.Pass(moves.After)
			if moved := len(s.evicted) > 0; moved == granted {
				t.Errorf("%v are evicted", s.evicted)
			}
		})
	}
}

func TestAGangThatGrowsBeyondWhatIsGrantedIsPreemptible(t *testing.T) {
	s := newShared(reclaims)
	s.grants("theirs", 4)
	id := claiming(s.World, "g", "theirs", 2)
	for i := range 4 {
		s.Pod(id, "", fmt.Sprintf("more-%d", i), one)
	}
	for _, c := range []struct {
		minimum int
		granted bool
		told    string
	}{
		{3, true, "it is non-preemptible"},
		{4, true, "it is non-preemptible"},
		{5, false, "it is preemptible like any other: non-preemptible gangs of queue theirs may have 4 of cpu at most, and the gang asks for 5"},
		{4, true, "it is non-preemptible"},
	} {
		editMin(s.World, id, c.minimum)
		wantGranted(t, s.World, id, c.granted)
		wantVerdict(t, s.World, id, gang.Running, c.told)
	}
	moved := s.Gangs[id]
	moved.Queue = "ours"
	s.Declare(moved)
	wantGranted(t, s.World, id, false)
	s.grants("ours", 4)
	wantGranted(t, s.World, id, true)
	meek := s.Gangs[id]
	meek.NonPreemptible = false
	s.Declare(meek)
	wantGranted(t, s.World, id, false)
}

func TestAfterARestartThoseThatRunLongestKeepWhatWasGranted(t *testing.T) {
	s := newShared(reclaims)
	s.grants("theirs", 6)
	old := claiming(s.World, "b", "theirs", 3)
	s.Pass(time.Minute)
	young := claiming(s.World, "a", "theirs", 3)
	s.Restart()
	for _, id := range []gang.ID{old, young} {
		wantGranted(t, s.World, id, true)
	}
	s.grants("theirs", 3)
	s.Restart()
	wantGranted(t, s.World, old, true)
	wantGranted(t, s.World, young, false)
}

func TestWhatWasGrantedIsGivenBackWhenAGangEnds(t *testing.T) {
	s := newShared(reclaims)
	s.grants("theirs", 3)
	first, second := claiming(s.World, "first", "theirs", 3), claiming(s.World, "second", "theirs", 2)
	wantBound(t, s.World, second, 0)
	s.Remove(first)
	for i := range 3 {
		s.End(fmt.Sprintf("first-%d", i), core.Succeeded)
	}
	wantGranted(t, s.World, second, true)
	wantBound(t, s.World, second, 2)
}

func TestWhatIsGrantedIsToldOfASinglePod(t *testing.T) {
	for name, c := range map[string]struct {
		granted bool
		told    int
	}{"that it was granted need not be": {true, 0}, "that it was not is": {false, 1}} {
		t.Run(name, func(t *testing.T) {
			w := world(1, 4)
			if c.granted {
				w.SetQueue(queue.Spec{Name: queue.Default, MaxNonPreemptible: coresOf(1)})
			}
			g := gangtest.Group("g", 1)
			g.Alone, g.NonPreemptible = true, true
			w.Declare(g)
			w.Pod(g.ID, "", "g-0", one)
			if n := len(w.Verdicts[g.ID]); n != c.told {
				t.Errorf("told is %v", w.Verdicts[g.ID])
			}
		})
	}
}
