package run

import (
	"context"

	"muster.sh/muster/scheduler/core"
)

// gate is a feed that keeps the word that all which exists has been told from
// the loop, until the loop has taken all of it up and begin has returned.
type gate struct {
	feed
	loop  *core.Loop
	begin func()
}

// Start starts the feed.
func (g gate) Start(ctx context.Context, post func(core.Event)) error {
	return g.feed.Start(ctx, func(e core.Event) {
		if _, last := e.(core.Synced); last {
			go g.open(ctx, post) // who posts must not be kept waiting
			return
		}
		post(e)
	})
}

func (g gate) open(ctx context.Context, post func(core.Event)) {
	if err := g.loop.Ask(ctx, func(*core.Machine) {}); err != nil {
		return
	}
	g.begin()
	post(core.Synced{})
}
