package plugin

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// granted says whether it is its turn.
func (n *turn) isGranted() bool {
	select {
	case <-n.granted:
		return true
	default:
		return false
	}
}

// Whatever ends when: no more go at a time than may, nobody goes before those that
// came before, and nobody waits while there is a place.
func TestTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := newTurns()
		var queue, sent []*turn
		t.Repeat(map[string]func(*rapid.T){
			"join": func(*rapid.T) {
				for range atOnce / 4 {
					queue = append(queue, all.join())
				}
			},
			"answered": func(t *rapid.T) {
				if len(sent) == 0 {
					t.Skip("none is on its way")
				}
				i := rapid.IntRange(0, len(sent)-1).Draw(t, "which")
				sent[i].done()
				sent[i].done() // the second time it is for nothing
				sent = slices.Delete(sent, i, i+1)
			},
			"leave": func(t *rapid.T) {
				if len(queue) == 0 {
					t.Skip("none waits")
				}
				i := rapid.IntRange(0, len(queue)-1).Draw(t, "which")
				queue[i].done()
				queue = slices.Delete(queue, i, i+1)
			},
			"": func(t *rapid.T) {
				for len(queue) > 0 && queue[0].isGranted() {
					sent, queue = append(sent, queue[0]), queue[1:]
				}
				if slices.ContainsFunc(queue, (*turn).isGranted) {
					t.Fatal("one was let go before another that came first")
				}
				if len(sent) > atOnce || len(sent) < atOnce && len(queue) > 0 {
					t.Fatalf("%d are on their way, %d wait", len(sent), len(queue))
				}
			},
		})
		for _, n := range slices.Concat(queue, sent) {
			n.done()
		}
	})
}

func TestABindThatHangsKeepsNobodyBackForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newTurns()
		for range atOnce {
			all.join() // and is never answered
		}
		began := time.Now()
		if err := all.join().wait(t.Context()); err != nil || time.Since(began) != longTurn {
			t.Errorf("it was let go after %s, %v", time.Since(began), err)
		}
		time.Sleep(longTurn) // its own time is over as well
		synctest.Wait()
		if all.free != atOnce {
			t.Errorf("%d places of %d are free", all.free, atOnce)
		}
	})
}

func TestWhoStopsWaitingIsPassedOver(t *testing.T) {
	all := newTurns()
	var first []*turn
	for range atOnce {
		first = append(first, all.join())
	}
	gone, next := all.join(), all.join()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := gone.wait(ctx); err == nil {
		t.Error("it was let go")
	}
	first[0].done()
	if !next.isGranted() {
		t.Error("the next one still waits")
	}
	for _, n := range append(first, next) {
		n.done()
	}
}

// The members of a gang that is whole have their turns before those of a gang that
// becomes whole later, in whatever order their goroutines run.
func TestGangsHaveTheirTurnsInTheOrderInWhichTheyPassTheLatch(t *testing.T) {
	const size = atOnce
	g := newGate()
	turns := map[gang.ID]chan *turn{"first": make(chan *turn, size), "second": make(chan *turn, size)}
	for i := range size {
		for id, out := range turns {
			pod := gang.PodID(string(id) + string(rune('0'+i)))
			g.places.set(pod, 1)
			go func() {
				n, err := g.Wait(t.Context(), pod, id, core.Epoch(1), "")
				if err != nil {
					t.Error(err)
				}
				out <- n
			}()
			<-g.arrivals
		}
	}
	g.Open("first", 1)
	g.Open("second", 1)
	var second []*turn
	for range size {
		second = append(second, <-turns["second"])
	}
	for range size {
		n := <-turns["first"]
		if !n.isGranted() {
			t.Error("one of the first gang waits")
		}
		defer n.done()
	}
	if slices.ContainsFunc(second, (*turn).isGranted) {
		t.Error("one of the second gang was let go")
	}
	for _, n := range second {
		n.done()
	}
}
