package core_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
)

func newLoop(handle func([]core.Decision), board *core.Board) *core.Loop {
	return core.NewLoop(core.NewMachine(core.DefaultOptions()), core.LoopOptions{Board: board, Handle: handle, Now: time.Now})
}

func TestTheLoopTakesEventsFromManyAndOthersReadTheBoardMeanwhile(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	board := &core.Board{}
	released := make(chan core.Release, 100)
	l := newLoop(func(ds []core.Decision) {
		for _, d := range ds {
			if r, ok := d.(core.Release); ok {
				if _, placed := board.Placement(r.Pod); !placed {
					t.Errorf("%s is released without a place on the board", r.Pod)
				}
				released <- r
			}
		}
	}, board)
	done := make(chan struct{})
	go func() { l.Run(ctx); close(done) }()
	l.Post(coretest.NodeEvent("n0", 100, 1000))
	l.Post(core.Synced{})
	var posters sync.WaitGroup
	for i := range 10 {
		posters.Go(func() {
			g := gangtest.Group(fmt.Sprintf("g%d", i), 2)
			l.Post(core.GangSet{Gang: g})
			for j := range 2 {
				name := fmt.Sprintf("%s-%d", g.Owner.Name, j)
				m := &core.Member{ID: gang.PodID(name), Name: name, Gang: g.ID, Shape: one}
				l.Post(podSet(m, ""))
				board.Held("n0")
				board.Placement(m.ID)
			}
		})
	}
	posters.Wait()
	for range 20 {
		<-released
	}
	var records []core.Record
	if err := l.Ask(ctx, func(m *core.Machine) { records = m.Records() }); err != nil || len(records) != 10 {
		t.Errorf("%d records: %v", len(records), err)
	}
	stop()
	<-done
	if err := l.Ask(ctx, func(*core.Machine) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("a loop that has ended answers: %v", err)
	}
}

func TestTheLoopWakesWhenSomethingIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		start := time.Now()
		var told []time.Duration
		l := newLoop(func(ds []core.Decision) {
			for _, d := range ds {
				if e, ok := d.(core.Explain); ok && e.Verdict.Code == gang.Collecting {
					told = append(told, time.Since(start))
				}
			}
		}, &core.Board{})
		go l.Run(ctx)
		l.Post(core.Synced{})
		g := gangtest.Group("g", 2)
		l.Post(core.GangSet{Gang: g})
		time.Sleep(time.Hour)
		synctest.Wait()
		if want := core.DefaultOptions().CollectTimeout; len(told) != 1 || told[0] != want {
			t.Errorf("it is told after %v that members are missing, want once after %v", told, want)
		}
	})
}
