package queue_test

import (
	"slices"
	"testing"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
)

// turnOf lists who goes in a turn.
func turnOf(tr *queue.Tree) (went []gang.ID) {
	turn := tr.Turn()
	for e, ok := turn.Next(); ok; e, ok = turn.Next() {
		went = append(went, e.Gang)
	}
	return went
}

func TestWhoIsSetAsideGoesAgainOnceRecalled(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*queue.Tree)
		want   []gang.ID
	}{
		"nothing":                  {func(*queue.Tree) {}, []gang.ID{"second"}},
		"it is recalled":           {func(tr *queue.Tree) { tr.Recall("first") }, []gang.ID{"first", "second"}},
		"it is recalled twice":     {func(tr *queue.Tree) { tr.Recall("first"); tr.Recall("first") }, []gang.ID{"first", "second"}},
		"it is added anew":         {func(tr *queue.Tree) { tr.Add(in("first", 1, "a")) }, []gang.ID{"first", "second"}},
		"it has gone":              {func(tr *queue.Tree) { tr.Remove("first"); tr.Recall("first") }, []gang.ID{"second"}},
		"it is in another queue":   {func(tr *queue.Tree) { tr.Add(in("first", 1, "b")) }, []gang.ID{"first", "second"}},
		"the other one goes":       {func(tr *queue.Tree) { tr.Remove("second") }, nil},
		"all are set aside":        {func(tr *queue.Tree) { tr.SetAside("second") }, nil},
		"an unknown one set aside": {func(tr *queue.Tree) { tr.SetAside("nobody") }, []gang.ID{"second"}},
	} {
		t.Run(name, func(t *testing.T) {
			tr := tree(queue.Spec{Name: "a"}, queue.Spec{Name: "b"})
			tr.Add(in("first", 1, "a"))
			tr.Add(in("second", 2, "a"))
			tr.SetAside("first")
			if tr.Len() != 2 || tr.Position("first") != 1 || tr.Position("second") != 2 {
				t.Errorf("%d wait; they are at %d and %d", tr.Len(), tr.Position("first"), tr.Position("second"))
			}
			c.change(tr)
			if got := turnOf(tr); !slices.Equal(got, c.want) {
				t.Errorf("%q have gone, want %q", got, c.want)
			}
		})
	}
}

func TestAGangMayBeSetAsideInItsTurn(t *testing.T) {
	tr := tree(queue.Spec{Name: "a"})
	for i, id := range []string{"first", "second", "third"} {
		tr.Add(in(id, i, "a"))
	}
	turn := tr.Turn()
	var went []gang.ID
	for e, ok := turn.Next(); ok; e, ok = turn.Next() {
		if went = append(went, e.Gang); e.Gang != "third" {
			tr.SetAside(e.Gang)
		}
	}
	if want := []gang.ID{"first", "second", "third"}; !slices.Equal(went, want) {
		t.Errorf("%q have gone, want %q", went, want)
	}
	if got := turnOf(tr); !slices.Equal(got, []gang.ID{"third"}) {
		t.Errorf("in the next turn %q have gone", got)
	}
}

func TestAPinnedGangGoesBeforeOthersOfItsQueueThatAreSetAside(t *testing.T) {
	tr := tree(queue.Spec{Name: "busy"}, queue.Spec{Name: "idle"})
	tr.SetTotal(cores(100))
	tr.Charge("old", "busy", whole(20))
	tr.Add(in("hopeless", 1, "busy"))
	tr.Add(in("pinned", 2, "busy"))
	tr.Add(in("idle", 3, "idle"))
	tr.Pin("pinned")
	if got := turnOf(tr); got[0] != "idle" {
		t.Errorf("%q have gone; its own queue's first should go before it", got)
	}
	tr.SetAside("hopeless")
	if got := turnOf(tr); !slices.Equal(got, []gang.ID{"pinned", "idle"}) {
		t.Errorf("%q have gone", got)
	}
}

func TestAQuietQueueSpeaksWhenOneIsRecalled(t *testing.T) {
	tr := tree(queue.Spec{Name: "a", Capability: limit(1), Backfill: true})
	for i, id := range []string{"aside", "second", "third"} {
		tr.Add(in(id, i, "a"))
	}
	tr.SetAside("aside")
	ask := func() (went []gang.ID) {
		turn := tr.Turn()
		for e, ok := turn.Next(); ok; e, ok = turn.Next() {
			went = append(went, e.Gang)
			turn.Ask(e, whole(2))
		}
		return went
	}
	if got := ask(); !slices.Equal(got, []gang.ID{"second", "third"}) {
		t.Errorf("%q have gone", got)
	}
	if got := ask(); !slices.Equal(got, []gang.ID{"second"}) {
		t.Errorf("%q have gone, though all are refused as the first is", got)
	}
	tr.Recall("aside")
	if got := ask(); !slices.Equal(got, []gang.ID{"aside", "second", "third"}) {
		t.Errorf("%q have gone after one was recalled", got)
	}
}
