package plugin

import (
	"context"
	"sync"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// Latch keeps the binds of a gang back until every member of its minimum has
// passed all else: after it only the bind itself can fail, and nothing that is
// bound must be undone.
//
// Those that it lets pass have their turns in the order of their gangs.
//
// It remembers which gangs are open, for members that come later, and forgets
// one when it is shut. Of what is shut it need not remember anything: the
// placements of the members are off the Board by then.
type Latch struct {
	placement func(gang.PodID) (core.Placement, bool)
	post      func(core.Event)
	turns     *turns

	mu      sync.Mutex
	open    map[gang.ID]core.Epoch
	waiting map[gang.ID]map[gang.PodID]waiter
	gangOf  map[gang.PodID]gang.ID // of those that wait
	closed  bool
}

type waiter struct {
	epoch  core.Epoch
	answer chan answer
}

// answer is the turn to bind, or why there is none.
type answer struct {
	turn *turn
	err  error
}

// NewLatch returns a Latch of which no gang is open. placement is
// Board.Placement.
func NewLatch(placement func(gang.PodID) (core.Placement, bool), post func(core.Event)) *Latch {
	return &Latch{
		placement: placement, post: post, turns: newTurns(),
		open: map[gang.ID]core.Epoch{}, waiting: map[gang.ID]map[gang.PodID]waiter{}, gangOf: map[gang.PodID]gang.ID{},
	}
}

// Wait announces a member and waits for its gang. It returns the member's place in
// the queue of binds once the latch is open, and a *Refusal when the member is
// turned back.
func (l *Latch) Wait(ctx context.Context, pod gang.PodID, id gang.ID, epoch core.Epoch, node string) (*turn, error) {
	entered := l.enter(pod, id, epoch)
	// Only after entering: whoever shuts the latch has cleared the Board
	// before, and answers all that have entered.
	if p, ok := l.placement(pod); !ok || p.Epoch != epoch {
		l.leave(pod, entered)
		return nil, turnedBack("the placement was taken back")
	}
	l.post(core.AtLatch{ID: pod, Epoch: epoch, Node: node})
	select {
	case a := <-entered:
		return a.turn, a.err
	case <-ctx.Done():
		l.leave(pod, entered)
		return nil, &Refusal{Stale: true, Reason: "the wait for the gang was ended", Cause: context.Cause(ctx)}
	}
}

func (l *Latch) enter(pod gang.PodID, id gang.ID, epoch core.Epoch) chan answer {
	entered := make(chan answer, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		entered <- answer{err: turnedBack("the scheduler is stopping")}
	case epoch <= l.open[id]:
		entered <- answer{turn: l.turns.join()}
	default:
		if l.waiting[id] == nil {
			l.waiting[id] = map[gang.PodID]waiter{}
		}
		l.waiting[id][pod] = waiter{epoch: epoch, answer: entered}
		l.gangOf[pod] = id
	}
	return entered
}

// leave gives up what enter has begun, and a turn that came of it.
func (l *Latch) leave(pod gang.PodID, entered chan answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w, ok := l.waiting[l.gangOf[pod]][pod]; ok && w.answer == entered {
		l.remove(pod)
	}
	select {
	case a := <-entered:
		if a.turn != nil {
			a.turn.done()
		}
	default:
	}
}

// Open lets the members of a gang pass that have this epoch, now or later.
func (l *Latch) Open(id gang.ID, epoch core.Epoch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[id] = epoch
	l.each(id, epoch, func() answer { return answer{turn: l.turns.join()} })
}

// Shut turns back the members of a gang that wait with this epoch or an
// earlier one. Their placements must be off the Board.
func (l *Latch) Shut(id gang.ID, epoch core.Epoch, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[id] <= epoch {
		delete(l.open, id)
	}
	l.each(id, epoch, func() answer { return answer{err: turnedBack(reason)} })
}

// Gone turns back a member that was deleted.
func (l *Latch) Gone(pod gang.PodID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w, ok := l.waiting[l.gangOf[pod]][pod]; ok {
		l.remove(pod)
		w.answer <- answer{err: turnedBack("the pod is gone")}
	}
}

// Close turns everybody back, now and from now on.
func (l *Latch) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	clear(l.open)
	for _, members := range l.waiting {
		for pod, w := range members {
			l.remove(pod)
			w.answer <- answer{err: turnedBack("the scheduler is stopping")}
		}
	}
}

// Waiting returns how many members wait.
func (l *Latch) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.gangOf)
}

// each answers those that wait with this epoch or an earlier one.
func (l *Latch) each(id gang.ID, epoch core.Epoch, what func() answer) {
	for pod, w := range l.waiting[id] {
		if w.epoch <= epoch {
			l.remove(pod)
			w.answer <- what()
		}
	}
}

func (l *Latch) remove(pod gang.PodID) {
	id := l.gangOf[pod]
	delete(l.gangOf, pod)
	delete(l.waiting[id], pod)
	if len(l.waiting[id]) == 0 {
		delete(l.waiting, id)
	}
}

func turnedBack(reason string) error { return &Refusal{Stale: true, Reason: reason} }
