package queue_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// asking is a gang that waits, and remembers what it was told as core does.
type asking struct {
	queue.Entry
	more  resource.Vector
	told  *queue.Refusal
	asked bool
}

// admitted are those who would start in a turn, in their order, if each that may takes what
// it asks for, and how many are looked at.
func admitted(turn *queue.Turn, waiting map[gang.ID]*asking, remembers bool) (out []gang.ID, seen int) {
	for e, ok := turn.Next(); ok; e, ok = turn.Next() {
		seen++
		a := waiting[e.Gang]
		if !remembers || !a.asked || a.told == nil || !turn.Stands(e, a.told) {
			a.told, a.asked = turn.Ask(e, a.more), true
		}
		if a.told == nil {
			out = append(out, e.Gang)
		}
	}
	return out, seen
}

// TestWhoIsLeftOutWouldHaveBeenRefused compares turns that leave gangs out, and remember
// what these were told, with thorough ones on a tree of its own, while gangs come, change
// and end, and queues change.
func TestWhoIsLeftOutWouldHaveBeenRefused(t *testing.T) {
	left := 0
	rapid.Check(t, func(t *rapid.T) {
		quick, plain := queue.NewTree(), queue.NewTree()
		both := func(do func(*queue.Tree)) { do(quick); do(plain) }
		names := []string{"a", "b", "c", "d"}
		number := func(label string, low, high int) int64 { return int64(rapid.IntRange(low, high).Draw(t, label)) }
		declare := func(name string) {
			s := queue.Spec{
				Name: name, Weight: number("weight", 1, 3), Backfill: rapid.Bool().Draw(t, "backfill"),
				Capability: limit(number("capability", 3, 12)), Guarantee: cores(number("guarantee", 0, 2)),
			}
			if name > "b" {
				s.Parent = "b"
			}
			both(func(tr *queue.Tree) { tr.Set(s) })
		}
		both(func(tr *queue.Tree) { tr.SetTotal(cores(20)) })
		for _, name := range names {
			declare(name)
		}
		ours, theirs := map[gang.ID]*asking{}, map[gang.ID]*asking{}
		var started []gang.ID
		for i := range 60 {
			name := rapid.SampledFrom(names).Draw(t, "queue")
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1:
				e := queue.Entry{Gang: gang.ID(fmt.Sprintf("g%d", i)), Queue: name, Created: time.Unix(int64(i), 0), Priority: number("priority", 0, 1)}
				more := cores(number("asks", 1, 5))
				ours[e.Gang], theirs[e.Gang] = &asking{Entry: e, more: more}, &asking{Entry: e, more: more}
				both(func(tr *queue.Tree) { tr.Add(e) })
			case 2:
				if len(started) > 0 {
					both(func(tr *queue.Tree) { tr.Charge(started[0], name, resource.Vector{}) })
					started = started[1:]
				}
			case 3:
				declare(name)
			case 4:
				if len(ours) > 0 {
					ids := slices.Sorted(func(yield func(gang.ID) bool) {
						for id := range ours {
							if !yield(id) {
								return
							}
						}
					})
					id := rapid.SampledFrom(ids).Draw(t, "gang")
					ours[id].more = cores(number("asks", 1, 5))
					theirs[id].more, ours[id].asked = ours[id].more, false
					both(func(tr *queue.Tree) { tr.Changed(id) })
				}
			}
			got, few := admitted(quick.Turn(), ours, true)
			want, all := admitted(plain.ThoroughTurn(), theirs, false)
			left += all - few
			if !slices.Equal(got, want) {
				t.Fatalf("%v may start, want %v", got, want)
			}
			for _, id := range got[:min(len(got), 1)] {
				e, more := ours[id].Entry, ours[id].more
				both(func(tr *queue.Tree) { tr.Remove(id); tr.Charge(id, e.Queue, more) })
				delete(ours, id)
				delete(theirs, id)
				started = append(started, id)
			}
		}
	})
	if t.Log(left, "times a gang was left out"); left == 0 {
		t.Error("nobody was ever left out")
	}
}
