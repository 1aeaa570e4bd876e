package core_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
)

var (
	waits = gang.BelowMinimum{Policy: gang.Wait, Timeout: time.Minute}
	goes  = gang.BelowMinimum{Policy: gang.Go}
)

// groupOf declares a gang of so many members and creates their pods.
func groupOf(w *coretest.World, name string, size int, below gang.BelowMinimum) gang.ID {
	g := gangtest.Group(name, size)
	w.Now = w.Now.Add(time.Second)
	g.Created, g.BelowMinimum = w.Now, below
	w.Declare(g)
	for i := range size {
		w.Pod(g.ID, "", fmt.Sprintf("%s-%d", name, i), one)
	}
	return g.ID
}

// sparkOf declares an application and creates its pods.
func sparkOf(w *coretest.World, name string, size int, below gang.BelowMinimum) gang.ID {
	g := gangtest.Spark(name, size, one)
	g.BelowMinimum = below
	w.Declare(g)
	w.Pod(g.ID, "driver", name+"-driver", one)
	executors(w, g.ID, name, 1, size)
	return g.ID
}

func wantDying(t *testing.T, w *coretest.World, want ...string) {
	t.Helper()
	var got []string
	for _, id := range slices.Sorted(maps.Keys(w.Dying)) {
		got = append(got, string(id))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("evicted are %q, want %q", got, want)
	}
	if len(w.Faults) > 0 {
		t.Fatal(w.Faults)
	}
}

// wantVerdict checks where a gang is, and that its verdict has these words.
func wantVerdict(t *testing.T, w *coretest.World, id gang.ID, code gang.Code, words string) {
	t.Helper()
	if r, _ := w.Machine.Record(id); r.Verdict.Code != code || !strings.Contains(r.Verdict.String(), words) {
		t.Fatalf("%s is %s: %s; want %s with %q", id, r.Verdict.Code, r.Verdict, code, words)
	}
}

// bury ends what is being deleted.
func bury(w *coretest.World) {
	for _, id := range slices.Sorted(maps.Keys(w.Dying)) {
		w.End(string(id), core.Failed)
	}
}

func TestNobodyIsEvictedOfAGangThatContinues(t *testing.T) {
	w := world(1, 3)
	g := groupOf(w, "g", 3, gang.BelowMinimum{})
	w.End("g-0", core.Failed)
	w.Pass(time.Hour)
	wantDying(t, w)
	wantBound(t, w, g, 2)
	wantVerdict(t, w, g, gang.Running, "1 members never came")
}

func TestAGangThatWaitsIsWholeAgainInTime(t *testing.T) {
	w := world(1, 3)
	g := groupOf(w, "g", 3, waits)
	w.End("g-0", core.Failed)
	other := groupOf(w, "other", 1, gang.BelowMinimum{})
	w.Pass(58 * time.Second)
	wantBound(t, w, other, 0) // the room is held
	w.Pod(g, "", "g-again", one)
	w.End("g-1", core.Failed)
	w.Pass(59 * time.Second) // the time counts anew for another loss
	wantDying(t, w)
	wantVerdict(t, w, g, gang.Reserved, "1 members of the minimum are still to run")
	w.Pass(time.Second)
	wantDying(t, w, "g-2", "g-again")
}

func TestAGangThatIsNotWholeAgainGoesAndComesBackAsAWhole(t *testing.T) {
	for name, below := range map[string]gang.BelowMinimum{"wait": waits, "go": goes} {
		t.Run(name, func(t *testing.T) {
			w := world(1, 3)
			g := groupOf(w, "g", 3, below)
			other := groupOf(w, "other", 2, gang.BelowMinimum{})
			w.End("g-0", core.Failed)
			w.Pass(below.Timeout)
			wantDying(t, w, "g-1", "g-2")
			wantVerdict(t, w, g, gang.Leaving, "its policy is "+name)
			for i := range 3 {
				w.Pod(g, "", fmt.Sprintf("again-%d", i), one)
			}
			wantBound(t, w, g, 2) // nothing new is placed
			w.End("g-1", core.Failed)
			wantBound(t, w, other, 2)
			w.End("g-2", core.Failed)
			wantBound(t, w, g, 0)
			wantVerdict(t, w, g, gang.NoRoom, "1 of 3")
			w.End("other-0", core.Succeeded)
			wantBound(t, w, g, 0)
			w.End("other-1", core.Succeeded)
			wantBound(t, w, g, 3)
		})
	}
}

func TestTheOwnerGoesBeforeThoseThatItWouldReplace(t *testing.T) {
	w := world(1, 4)
	var order []gang.PodID
	w.Observe = func(_ core.Stamped, out []core.Decision) {
		for _, d := range out {
			if e, ok := d.(core.Evict); ok {
				order = append(order, e.Pod)
			}
		}
	}
	a := sparkOf(w, "a", 3, goes)
	refused := true
	w.Budget = func(gang.PodID) (string, bool) {
		if refused {
			return "a budget needs it", true
		}
		return "", false
	}
	w.End("a-exec-2", core.Failed)
	wantDying(t, w)
	wantVerdict(t, w, a, gang.Kept, "pod a-driver can't be evicted: a budget needs it")
	refused = false
	w.RetryEvictions()
	wantDying(t, w, "a-driver", "a-exec-1", "a-exec-3")
	if want := []gang.PodID{"a-driver", "a-exec-1", "a-exec-3"}; !slices.Equal(order, want) {
		t.Fatalf("evicted are %v, want %v", order, want)
	}
	wantVerdict(t, w, a, gang.Leaving, "3 members are still bound")
}

func TestExecutorsThatNeverComeCountFromTheStart(t *testing.T) {
	for _, below := range []gang.BelowMinimum{waits, goes} {
		w := world(1, 4)
		g := gangtest.Spark("a", 3, one)
		g.BelowMinimum = below
		w.Declare(g)
		w.Pod(g.ID, "driver", "a-driver", one)
		executors(w, g.ID, "a", 1, 2)
		w.Pass(core.DefaultOptions().ExpectedTimeout - time.Second)
		wantDying(t, w)
		w.Pass(time.Second)
		wantDying(t, w, "a-driver", "a-exec-1", "a-exec-2")
	}
}

func TestWhatIsNotWantedBackIsNoLoss(t *testing.T) {
	t.Run("members that succeed", func(t *testing.T) {
		w := world(1, 3)
		g := groupOf(w, "g", 3, goes)
		w.End("g-0", core.Succeeded)
		w.End("g-1", core.Succeeded)
		wantDying(t, w)
		wantBound(t, w, g, 1)
	})
	t.Run("idle executors", func(t *testing.T) {
		w := world(1, 4)
		g := gangtest.Spark("a", 3, one)
		g.BelowMinimum, g.Roles[1].Shrinks = goes, true
		w.Declare(g)
		w.Pod(g.ID, "driver", "a-driver", one)
		executors(w, g.ID, "a", 1, 3)
		w.End("a-exec-1", core.Deleted)
		wantDying(t, w)
		w.End("a-exec-2", core.Failed)
		wantDying(t, w, "a-driver", "a-exec-3")
	})
	t.Run("members above the minimum", func(t *testing.T) {
		w := world(1, 4)
		g := groupOf(w, "g", 3, goes)
		w.Pod(g, "", "g-3", one)
		wantBound(t, w, g, 4)
		w.End("g-0", core.Failed) // another makes up for it
		wantDying(t, w)
		w.End("g-1", core.Failed)
		wantDying(t, w, "g-2", "g-3")
	})
}

func TestALostNodeIsALossOnceItsPodsAreGone(t *testing.T) {
	w := world(2, 2)
	g := groupOf(w, "g", 4, goes)
	w.RemoveNode("n1")
	wantDying(t, w)
	for _, id := range slices.Sorted(maps.Keys(w.Bound)) {
		if w.Bound[id] == "n1" {
			w.End(string(id), core.Failed)
		}
	}
	if len(w.Dying) != 2 {
		t.Fatalf("evicted are %v", w.Dying)
	}
	wantVerdict(t, w, g, gang.Leaving, "2 members are still bound")
}

func TestAnEvictionThatFailedForGoodIsOrderedAnew(t *testing.T) {
	w := world(1, 2)
	g := groupOf(w, "g", 2, goes)
	w.Budget = func(gang.PodID) (string, bool) { return "forbidden", false }
	w.End("g-0", core.Failed)
	wantDying(t, w)
	wantVerdict(t, w, g, gang.Kept, "pod g-1 can't be evicted: forbidden")
	w.Budget = nil
	w.Pass(core.DefaultOptions().VetoTimeout)
	wantDying(t, w, "g-1")
}

func TestAGangGoesOnlyOnceThatIsStored(t *testing.T) {
	w := world(1, 2)
	g := groupOf(w, "g", 2, goes)
	w.StoreFails = func(gang.ID) string { return "forbidden" }
	w.End("g-0", core.Failed)
	wantDying(t, w)
	wantVerdict(t, w, g, gang.Kept, "that it goes can't be stored: forbidden")
	w.StoreFails = nil
	w.Pass(core.DefaultOptions().RetryAfter)
	wantDying(t, w, "g-1")
	w.End("g-1", core.Failed)
	if _, left := w.Stored[g]; left {
		t.Fatal("it is still stored that the gang goes, though it has gone")
	}
}

// A budget lets one go at a time, and the scheduler is killed after the first. By
// what is left, with pods that replace what has gone, it looks like a gang whose
// start was cut short.
func TestTheNextLeaderGoesOnWithAGangThatGoes(t *testing.T) {
	for _, kind := range []func(*coretest.World, string, int, gang.BelowMinimum) gang.ID{groupOf, sparkOf} {
		w := world(1, 4)
		id := kind(w, "g", 3, goes)
		all := w.BoundOf(id)
		gone := 0
		w.Budget = func(gang.PodID) (string, bool) {
			if gone++; gone > 1 {
				return "a budget", true
			}
			return "", false
		}
		w.End(string(slices.Max(slices.Collect(maps.Keys(w.Bound)))), core.Failed)
		if len(w.Dying) != 1 {
			t.Fatalf("evicted are %v", w.Dying)
		}
		bury(w)
		for i := range 2 {
			role := map[bool]string{true: "", false: "executor"}[all == 3]
			w.Pod(id, role, fmt.Sprintf("x-%d", i), one)
		}
		w.Restart()
		wantBound(t, w, id, all-2) // nothing was added to what is left
		w.Budget = nil
		w.RetryEvictions()
		if len(w.Dying) != all-2 {
			t.Fatalf("evicted are %v", w.Dying)
		}
		bury(w)
		wantBound(t, w, id, 0)
		if len(w.Leaving) > 0 && w.Leaving[id] {
			t.Fatal("it is still stored that the gang goes, though it has gone")
		}
	}
}

func TestAGangThatHasGoneWhileNobodyLedStartsAnew(t *testing.T) {
	w := world(1, 3)
	g := groupOf(w, "g", 3, goes)
	w.End("g-0", core.Failed)
	w.Async = true
	bury(w)
	w.Async = false
	for i := range 3 {
		w.Now = w.Now.Add(time.Second)
		id := gang.PodID(fmt.Sprintf("again-%d", i))
		w.Members[id] = &core.Member{ID: id, Namespace: "default", Name: string(id), Gang: g, Shape: one, Created: w.Now}
	}
	w.Restart()
	wantBound(t, w, g, 3)
	if len(w.Stored) > 0 {
		t.Fatalf("stored are %v", w.Stored)
	}
}

func TestAGangThatIsRemovedWhileItGoesIsSpared(t *testing.T) {
	w := world(1, 3)
	g := groupOf(w, "g", 3, goes)
	w.Budget = func(gang.PodID) (string, bool) { return "a budget", true }
	w.End("g-0", core.Failed)
	w.Remove(g)
	w.Budget = nil
	w.RetryEvictions()
	wantDying(t, w)
}

func TestWhoEndsWellWhileItsGangGoesIsNotWaitedForAgain(t *testing.T) {
	w := world(1, 3)
	g := groupOf(w, "g", 3, goes)
	w.Budget = func(gang.PodID) (string, bool) { return "a budget", true }
	w.End("g-0", core.Failed)
	w.End("g-1", core.Succeeded)
	w.Budget = nil
	w.RetryEvictions()
	bury(w)
	w.Pod(g, "", "again-0", one)
	wantBound(t, w, g, 0)
	w.Pod(g, "", "again-2", one)
	wantBound(t, w, g, 2)
}
