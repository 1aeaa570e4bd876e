package run

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
)

// feedOf posts some events.
type feedOf []core.Event

// Start posts them.
func (f feedOf) Start(_ context.Context, post func(core.Event)) error {
	for _, e := range f {
		post(e)
	}
	return nil
}

func TestNothingIsDecidedBeforeTheGateOpens(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, what)
	}
	synced := make(chan struct{})
	loop := core.NewLoop(core.NewMachine(core.DefaultOptions()), core.LoopOptions{
		Board: &core.Board{}, Now: time.Now, Handle: func([]core.Decision) {},
		Observe: func(e core.Stamped, _ []core.Decision, _ time.Duration) {
			if _, last := e.Event.(core.Synced); last {
				note("synced")
				close(synced)
				return
			}
			note("told")
		},
	})
	go loop.Run(t.Context())
	g := gate{feed: feedOf{core.NodeGone{}, core.NodeGone{}, core.Synced{}}, loop: loop, begin: func() { note("begun") }}
	if err := g.Start(t.Context(), loop.Post); err != nil {
		t.Fatal(err)
	}
	<-synced
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"told", "told", "begun", "synced"}; !slices.Equal(seen, want) {
		t.Errorf("got %q, want %q", seen, want)
	}
}
