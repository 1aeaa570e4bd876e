package queue_test

import (
	"testing"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
)

// expecting is a demand of which so much is for members that have no pod yet.
func expecting(all, expected int64) queue.Demand {
	return queue.Demand{All: cores(all), Expected: cores(expected)}
}

func TestAQueueHoldsNoMoreForMembersToComeThanItsLimitAndThatOfThoseAbove(t *testing.T) {
	tr := tree(
		queue.Spec{Name: "research", MaxExpected: limit(10)},
		queue.Spec{Name: "nlp", Parent: "research", MaxExpected: limit(6), Capability: limit(40)},
		queue.Spec{Name: "vision", Parent: "research"},
	)
	tr.Charge("a", "nlp", expecting(20, 4))
	tr.Charge("b", "vision", expecting(20, 3))
	for _, c := range []struct {
		queue         string
		all, expected int64
		want          string
	}{
		{"nlp", 20, 2, ""},
		{"nlp", 20, 3, "queue nlp may hold 6 of cpu for members that have no pod yet, of which 4 is held, and the gang would hold 3 more"},
		{"nlp", 20, 7, "queue nlp may hold 6 of cpu at most for members that have no pod yet, and the gang would hold 7"},
		{"nlp", 21, 0, "queue nlp may have 40 of cpu, of which 20 is in use, and the gang asks for 21"},
		{"nlp", 21, 3, "queue nlp may hold 6 of cpu for members that have no pod yet, of which 4 is held, and the gang would hold 3 more"},
		{"vision", 50, 3, ""},
		{"vision", 50, 4, "queue research may hold 10 of cpu for members that have no pod yet, of which 7 is held, and the gang would hold 4 more"},
		{"vision", 50, 11, "queue research may hold 10 of cpu at most for members that have no pod yet, and the gang would hold 11"},
		{"default", 50, 50, ""},
	} {
		got := ""
		if r := tr.Turn().Ask(in("g", 0, c.queue), expecting(c.all, c.expected)); r != nil {
			got = r.String()
		}
		if got != c.want {
			t.Errorf("%d for %s, of which %d are expected: %q, want %q", c.all, c.queue, c.expected, got, c.want)
		}
	}
	tr.Charge("a", "nlp", expecting(20, 0)) // all have come
	if r := tr.Turn().Ask(in("g", 0, "nlp"), expecting(10, 6)); r != nil {
		t.Errorf("after the members of another have come: %s", r)
	}
}

func TestWhoIsRefusedAPartKeepsThatPartAlone(t *testing.T) {
	for name, c := range map[string]struct {
		backfill bool
		more     queue.Demand
		behind   bool
	}{
		"from those of its queue":                   {more: expecting(1, 1), behind: true},
		"from nobody who asks for none of it":       {more: expecting(9, 0)},
		"from nobody in a queue that lets all pass": {backfill: true, more: expecting(1, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			tr := tree(queue.Spec{Name: "q", MaxExpected: limit(4), Capability: limit(20), Backfill: c.backfill})
			tr.Charge("old", "q", expecting(4, 3))
			tr.Add(in("first", 0, "q"))
			tr.Add(in("second", 1, "q"))
			turn, asked := tr.Turn(), 0
			for e, ok := turn.Next(); ok; e, ok = turn.Next() {
				if asked++; e.Gang == "first" {
					if r := turn.Ask(e, expecting(3, 2)); r == nil || !r.OfPart() || r.Behind {
						t.Fatalf("2 of 1: %v", r)
					}
				} else if r := turn.Ask(e, c.more); (r != nil) != c.behind || c.behind && r.String() != "an earlier gang waits to hold cpu in queue q for members that have no pod yet" {
					t.Errorf("the second is told %v", r)
				}
			}
			if asked != 2 {
				t.Errorf("%d are asked", asked)
			}
		})
	}
}

func TestWhoAsksForMoreOfAPartThanEverKeepsNothing(t *testing.T) {
	tr := tree(queue.Spec{Name: "q", MaxExpected: limit(4)})
	turn := tr.Turn()
	if r := turn.Ask(in("large", 0, "q"), expecting(5, 5)); r == nil || !r.Never {
		t.Fatalf("5 of 4: %v", r)
	}
	if r := turn.Ask(in("small", 1, "q"), expecting(4, 4)); r != nil {
		t.Errorf("4 of 4 behind it: %s", r)
	}
}

func TestWhatPassesLeavesAPartToTheFirst(t *testing.T) {
	tr := tree(queue.Spec{Name: "q", MaxExpected: limit(4), Backfill: true})
	tr.Charge("old", "q", expecting(4, 1))
	for expected, want := range map[int64]bool{0: true, 1: true, 2: false} {
		if got := tr.Leaves("q", expecting(2, 2), "q", expecting(3, expected)); got != want {
			t.Errorf("beside %d that another would hold the first may start: %t", expected, got)
		}
	}
}

func TestOnlyWhereAPartIsLimitedItMattersThatItChanges(t *testing.T) {
	tr := tree(queue.Spec{Name: "free"}, queue.Spec{Name: "limited", MaxExpected: limit(4)})
	for name, want := range map[string]bool{"free": false, "limited": true} {
		tr.Charge("g", name, expecting(3, 3))
		before := tr.Version()
		tr.Charge("g", name, expecting(3, 2))
		if changed := tr.Version() != before; changed != want {
			t.Errorf("in queue %s the version changes: %t", name, changed)
		}
	}
}

// lasting is a demand that asks to be non-preemptible.
func lasting(n int64) queue.Demand { return queue.Demand{All: cores(n), NonPreemptible: cores(n)} }

func TestNoMoreIsNonPreemptibleThanQueuesGrantAndDeserve(t *testing.T) {
	tr := tree(
		queue.Spec{Name: "research", Deserved: limit(30), MaxNonPreemptible: limit(20)},
		queue.Spec{Name: "nlp", Parent: "research", Deserved: limit(12)},
		queue.Spec{Name: "vision", Parent: "research", Deserved: limit(18), MaxNonPreemptible: limit(15)},
		queue.Spec{Name: "ops", Deserved: limit(70)},
	)
	for name, want := range map[string]bool{"research": true, "nlp": true, "vision": true, "ops": false, "default": false, "nowhere": false} {
		if got := tr.Grants(name); got != want {
			t.Errorf("queue %s grants it: %t", name, got)
		}
	}
	tr.Charge("a", "nlp", lasting(8))
	tr.Charge("b", "nlp", whole(10))
	for _, c := range []struct {
		queue string
		more  queue.Demand
		want  string
	}{
		{"nlp", lasting(4), ""},
		{"nlp", lasting(5), "non-preemptible gangs of queue nlp may have 12 of cpu, as much as it deserves, of which they have 8, and the gang asks for 5"},
		{"nlp", lasting(13), "non-preemptible gangs of queue nlp may have 12 of cpu at most, as much as it deserves, and the gang asks for 13"},
		{"nlp", whole(50), ""}, // which it borrows
		{"vision", lasting(12), ""},
		{"vision", lasting(13), "non-preemptible gangs of queue research may have 20 of cpu, of which they have 8, and the gang asks for 13"},
		{"vision", lasting(16), "non-preemptible gangs of queue vision may have 15 of cpu at most, and the gang asks for 16"},
	} {
		got := ""
		if r := tr.Turn().Ask(in("g", 0, c.queue), c.more); r != nil {
			got = r.String()
		}
		if got != c.want {
			t.Errorf("%s for %s: %q, want %q", c.more.NonPreemptible, c.queue, got, c.want)
		}
	}
	if r := tr.Refuses("nlp", queue.Demand{NonPreemptible: cores(5)}); r == nil {
		t.Error("who has started grows by more than there is")
	}
}

func TestWhatAQueueDeservesCountsAtOnceForWhatIsNonPreemptible(t *testing.T) {
	tr := tree(queue.Spec{Name: "q", MaxNonPreemptible: limit(90)})
	e := in("g", 0, "q")
	turn := tr.Turn()
	r := turn.Ask(e, lasting(60)) // of 100, of which half are the default queue's
	if r == nil || !r.Entitled || !turn.Stands(e, r) {
		t.Fatalf("60 of 50: %v", r)
	}
	tr.SetTotal(cores(120))
	if turn = tr.Turn(); turn.Stands(e, r) {
		t.Error("what it was told still counts")
	}
	if r := turn.Ask(e, lasting(60)); r != nil {
		t.Errorf("60 of 60: %s", r)
	}
}

func TestWhatAGangWasToldStandsUnlessPartsThatItAsksForHaveChanged(t *testing.T) {
	tr := tree(queue.Spec{Name: "free", Capability: limit(10)}, queue.Spec{Name: "limited", Capability: limit(10), MaxExpected: limit(9)}, queue.Spec{Name: "other"})
	tr.Charge("old", "free", whole(8))
	tr.Charge("older", "limited", whole(8))
	for name, want := range map[string]bool{"free": true, "limited": false} {
		e := in("g", 0, name)
		r := tr.Turn().Ask(e, expecting(4, 3))
		if r == nil || r.OfPart() {
			t.Fatalf("4 of 2 in queue %s: %v", name, r)
		}
		tr.Charge("new of "+gang.ID(name), "other", expecting(2, 2))
		if got := tr.Turn().Stands(e, r); got != want {
			t.Errorf("in queue %s it stands: %t", name, got)
		}
	}
}
