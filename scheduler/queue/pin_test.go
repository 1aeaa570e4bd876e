package queue_test

import (
	"testing"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
)

func TestAPinnedGangGoesFirstWhereItMay(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*queue.Tree)
		want   gang.ID
	}{
		"before a queue with a lower share":        {func(*queue.Tree) {}, "pinned"},
		"not before its own queue's first":         {func(tr *queue.Tree) { tr.Add(queue.Entry{Gang: "urgent", Queue: "busy", Priority: 1}) }, "idle"},
		"not before a queue of a higher priority":  {func(tr *queue.Tree) { tr.Set(queue.Spec{Name: "idle", Weight: 1, Priority: 1}) }, "idle"},
		"not where it borrows from one that lacks": {func(tr *queue.Tree) { tr.Charge("old", "busy", whole(60)) }, "idle"},
		"where both have more than they deserve":   {func(tr *queue.Tree) { tr.SetTotal(cores(4)) }, "pinned"},
		"not if it does not wait any more":         {func(tr *queue.Tree) { tr.Remove("pinned") }, "idle"},
		"not once it is taken back":                {func(tr *queue.Tree) { tr.Pin("") }, "idle"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := tree(queue.Spec{Name: "busy"}, queue.Spec{Name: "idle"})
			tr.SetTotal(cores(100))
			tr.Charge("old", "busy", whole(20))
			tr.Charge("young", "idle", whole(10))
			tr.Add(in("pinned", 1, "busy"))
			tr.Add(in("idle", 2, "idle"))
			tr.Pin("pinned")
			c.change(tr)
			turn := tr.Turn()
			first, _ := turn.Next()
			if first.Gang != c.want {
				t.Errorf("%s goes first, want %s", first.Gang, c.want)
			}
			seen := map[gang.ID]bool{first.Gang: true}
			for e, ok := turn.Next(); ok; e, ok = turn.Next() {
				if seen[e.Gang] {
					t.Errorf("%s goes twice", e.Gang)
				}
				seen[e.Gang] = true
			}
			if len(seen) != tr.Len() {
				t.Errorf("%d of %d gangs have gone", len(seen), tr.Len())
			}
		})
	}
}
