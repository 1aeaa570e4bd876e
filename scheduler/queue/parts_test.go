package queue_test

import (
	"testing"

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
