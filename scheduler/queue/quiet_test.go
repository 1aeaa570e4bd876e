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
	more  queue.Demand
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
		number := func(label string, low, high int64) int64 { return rapid.Int64Range(low, high).Draw(t, label) }
		declare := func(name string) {
			s := queue.Spec{
				Name: name, Weight: number("weight", 1, 3), Backfill: rapid.Bool().Draw(t, "backfill"),
				Capability: limit(number("capability", 3, 12)), Guarantee: cores(number("guarantee", 0, 2)),
			}
			if rapid.Bool().Draw(t, "caps what is expected") {
				s.MaxExpected = limit(number("expected", 0, 6))
			}
			if rapid.Bool().Draw(t, "grants") {
				s.MaxNonPreemptible = limit(number("non-preemptible", 0, 6))
			}
			if name > "b" {
				s.Parent = "b"
			}
			both(func(tr *queue.Tree) { tr.Set(s) })
		}
		demand := func() queue.Demand {
			n := number("asks", 1, 5)
			return queue.Demand{All: cores(n), Expected: cores(number("expects", 0, n)), NonPreemptible: cores(n * number("non-preemptible", 0, 1))}
		}
		both(func(tr *queue.Tree) { tr.SetTotal(cores(20)) })
		for _, name := range names {
			declare(name)
		}
		ours, theirs := map[gang.ID]*asking{}, map[gang.ID]*asking{}
		var started []*asking
		for i := range 60 {
			name := rapid.SampledFrom(names).Draw(t, "queue")
			switch rapid.IntRange(0, 7).Draw(t, "what") {
			case 0, 1:
				e := queue.Entry{Gang: gang.ID(fmt.Sprintf("g%d", i)), Queue: name, Created: time.Unix(int64(i), 0), Priority: number("priority", 0, 1)}
				more := demand()
				ours[e.Gang], theirs[e.Gang] = &asking{Entry: e, more: more}, &asking{Entry: e, more: more}
				both(func(tr *queue.Tree) { tr.Add(e) })
			case 2:
				if len(started) > 0 {
					both(func(tr *queue.Tree) { tr.Charge(started[0].Gang, name, queue.Demand{}) })
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
					ours[id].more = demand()
					theirs[id].more, ours[id].asked = ours[id].more, false
					both(func(tr *queue.Tree) { tr.Changed(id) })
				}
			case 6:
				total := cores(number("total", 12, 25))
				both(func(tr *queue.Tree) { tr.SetTotal(total) })
			case 5:
				if len(started) > 0 { // its members have come
					a := started[len(started)-1]
					a.more.Expected = resource.Vector{}
					both(func(tr *queue.Tree) { tr.Charge(a.Gang, a.Queue, a.more) })
				}
			}
			got, few := admitted(quick.Turn(), ours, true)
			want, all := admitted(plain.ThoroughTurn(), theirs, false)
			left += all - few
			if !slices.Equal(got, want) {
				t.Fatalf("%v may start, want %v", got, want)
			}
			for _, id := range got[:min(len(got), 1)] {
				a := ours[id]
				both(func(tr *queue.Tree) { tr.Remove(id); tr.Charge(id, a.Queue, a.more) })
				delete(ours, id)
				delete(theirs, id)
				started = append(started, a)
			}
		}
	})
	if t.Log(left, "times a gang was left out"); left == 0 {
		t.Error("nobody was ever left out")
	}
}
