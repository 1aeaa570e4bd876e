package plugin

import (
	"context"
	"sync"
	"time"
)

const (
	// atOnce is how many binds are on their way to the API server at a time: as
	// many as keep it busy.
	atOnce = 64
	// longTurn is when a bind that has not been answered no longer keeps the next
	// one back, so that a few that hang, in a webhook say, don't hold up all.
	longTurn = time.Second
)

// turns lets binds go in the order in which their gangs have passed the latch.
// Gangs pass it faster than an API server writes. If all of their binds were sent
// at once, it would answer them in any order, and every gang would be whole only
// near the end of all.
type turns struct {
	mu    sync.Mutex
	free  int
	queue []*turn
}

// turn is a place in the queue, and later the right to send a bind.
type turn struct {
	of      *turns
	granted chan struct{} // closed when the bind may be sent
	timer   *time.Timer   // set when it is
	over    bool
}

func newTurns() *turns { return &turns{free: atOnce} }

// join takes the last place in the queue. Whoever does it must call done.
func (t *turns) join() *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := &turn{of: t, granted: make(chan struct{})}
	t.queue = append(t.queue, n)
	t.grant()
	return n
}

// grant lets those go whose turn it is. t is locked.
func (t *turns) grant() {
	for t.free > 0 && len(t.queue) > 0 {
		n := t.queue[0]
		t.queue[0], t.queue = nil, t.queue[1:]
		if n.over {
			continue
		}
		t.free--
		n.timer = time.AfterFunc(longTurn, n.done)
		close(n.granted)
	}
}

// wait waits until the bind may be sent.
func (n *turn) wait(ctx context.Context) error {
	select {
	case <-n.granted:
		return nil
	case <-ctx.Done():
		n.done()
		return ctx.Err()
	}
}

// done lets the next one go. Only the first call does anything.
func (n *turn) done() {
	n.of.mu.Lock()
	defer n.of.mu.Unlock()
	if n.over {
		return
	}
	n.over = true
	if n.timer != nil {
		n.timer.Stop()
		n.of.free++
		n.of.grant()
	}
}
