package core

import (
	"context"
	"sync"
	"time"
)

// Loop feeds a machine: one goroutine takes events in order, publishes what
// changed on the board and hands the decisions out.
type Loop struct {
	machine *Machine
	board   *Board
	handle  func([]Decision)
	now     func() time.Time
	observe func(Stamped, []Decision, time.Duration)

	mu     sync.Mutex
	inbox  []Stamped
	asks   []func(*Machine)
	signal chan struct{}
}

// Stamped is an event with its time.
type Stamped struct {
	At    time.Time
	Event Event
}

// LoopOptions are what a loop needs of the world.
type LoopOptions struct {
	Board *Board
	// Handle carries decisions out. It is called from the loop's goroutine,
	// with no lock held, and must not wait for an event.
	Handle func([]Decision)
	// Now is the clock that stamps events.
	Now func() time.Time
	// Observe, if set, is told of every step, the decisions and how long the
	// step took: recorders and metrics use it.
	Observe func(Stamped, []Decision, time.Duration)
}

// NewLoop returns a loop that is not running yet. Events may be posted.
func NewLoop(m *Machine, o LoopOptions) *Loop {
	return &Loop{machine: m, board: o.Board, handle: o.Handle, now: o.Now, observe: o.Observe, signal: make(chan struct{}, 1)}
}

// Post hands an event in. It never waits, and may be called from anywhere,
// under whatever lock.
func (l *Loop) Post(e Event) {
	l.mu.Lock()
	l.inbox = append(l.inbox, Stamped{At: l.now(), Event: e})
	l.mu.Unlock()
	l.wake()
}

// Ask runs f on the machine between two steps and waits for it. It returns
// the context's error if that ends first. f must not change the machine.
func (l *Loop) Ask(ctx context.Context, f func(*Machine)) error {
	done := make(chan struct{})
	l.mu.Lock()
	l.asks = append(l.asks, func(m *Machine) { f(m); close(done) })
	l.mu.Unlock()
	l.wake()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Loop) wake() {
	select {
	case l.signal <- struct{}{}:
	default:
	}
}

// Run feeds the machine until the context ends.
func (l *Loop) Run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		l.drain(ctx)
		timer.Reset(l.untilDeadline())
		select {
		case <-ctx.Done():
			return
		case <-l.signal:
		case <-timer.C:
			if at, due := l.machine.NextDeadline(); due && !at.After(l.now()) {
				l.step(Stamped{At: l.now(), Event: Tick{}})
			}
		}
	}
}

func (l *Loop) untilDeadline() time.Duration {
	at, due := l.machine.NextDeadline()
	if !due {
		return time.Hour
	}
	return max(at.Sub(l.now()), time.Millisecond)
}

func (l *Loop) drain(ctx context.Context) {
	for ctx.Err() == nil {
		l.mu.Lock()
		events, asks := l.inbox, l.asks
		l.inbox, l.asks = nil, nil
		l.mu.Unlock()
		if len(events) == 0 && len(asks) == 0 {
			return
		}
		for _, e := range events {
			if ctx.Err() != nil {
				return
			}
			l.step(e)
		}
		for _, f := range asks {
			f(l.machine)
		}
	}
}

func (l *Loop) step(e Stamped) {
	begin := l.now()
	decisions := l.machine.Step(e.At, e.Event)
	l.machine.Publish(l.board)
	if l.observe != nil {
		l.observe(e, decisions, l.now().Sub(begin))
	}
	if len(decisions) > 0 {
		l.handle(decisions)
	}
}
