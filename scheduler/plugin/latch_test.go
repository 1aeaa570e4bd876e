package plugin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// places is a Board's placements, written while members wait.
type places struct {
	mu sync.Mutex
	m  map[gang.PodID]core.Placement
}

func (p *places) get(id gang.PodID) (core.Placement, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	place, ok := p.m[id]
	return place, ok
}

func (p *places) set(id gang.PodID, epoch core.Epoch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.m == nil {
		p.m = map[gang.PodID]core.Placement{}
	}
	p.m[id] = core.Placement{Epoch: epoch}
}

func (p *places) drop(id gang.PodID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.m, id)
}

// gate is a Latch whose arrivals a test can await.
type gate struct {
	*Latch
	places   places
	arrivals chan core.AtLatch
}

func newGate() *gate {
	g := &gate{arrivals: make(chan core.AtLatch, 1000)}
	g.Latch = NewLatch(g.places.get, func(e core.Event) { g.arrivals <- e.(core.AtLatch) })
	return g
}

// come sends a placed member to the latch; its fate comes on the channel.
func (g *gate) come(ctx context.Context, pod gang.PodID, epoch core.Epoch) <-chan error {
	g.places.set(pod, epoch)
	return g.comeAsPlaced(ctx, pod, epoch)
}

func (g *gate) comeAsPlaced(ctx context.Context, pod gang.PodID, epoch core.Epoch) <-chan error {
	fate := make(chan error, 1)
	go func() {
		turn, err := g.Wait(ctx, pod, "g", epoch, "")
		if turn != nil {
			turn.done()
		}
		fate <- err
	}()
	return fate
}

func turned(err error) bool {
	var r *Refusal
	return errors.As(err, &r) && r.Stale && !r.BindFailed
}

func TestMembersWaitForTheirGang(t *testing.T) {
	g := newGate()
	var fates []<-chan error
	for i := range 20 {
		fates = append(fates, g.come(t.Context(), gang.PodID(fmt.Sprint(i)), 1))
	}
	for range fates {
		<-g.arrivals
	}
	g.Open("other", 1)
	g.Open("g", 0)
	if n := g.Waiting(); n != 20 {
		t.Fatalf("%d wait", n)
	}
	g.Open("g", 1)
	for _, fate := range fates {
		if err := <-fate; err != nil {
			t.Error(err)
		}
	}
	if err := <-g.come(t.Context(), "late", 1); err != nil {
		t.Errorf("a late member: %v", err)
	}
	if a := <-g.arrivals; a != (core.AtLatch{ID: "late", Epoch: 1}) {
		t.Errorf("announced %v", a)
	}
}

func TestAShutLatchTurnsBackThoseThatWaitAndThoseToCome(t *testing.T) {
	g := newGate()
	waits := g.come(t.Context(), "a", 1)
	<-g.arrivals
	g.places.drop("a")
	g.Shut("g", 1, "why")
	if err := <-waits; !turned(err) || err.Error() != "why" {
		t.Errorf("one that waited: %v", err)
	}
	if err := <-g.comeAsPlaced(t.Context(), "b", 1); !turned(err) {
		t.Errorf("one that came later: %v", err)
	}
	if len(g.arrivals) != 0 {
		t.Error("one that can't pass was announced")
	}
}

func TestANewPlanOpensForItsMembersOnly(t *testing.T) {
	g := newGate()
	old := g.come(t.Context(), "old", 1)
	<-g.arrivals
	fresh := g.come(t.Context(), "fresh", 2)
	<-g.arrivals
	g.Shut("g", 1, "planned anew")
	if err := <-old; !turned(err) {
		t.Errorf("old: %v", err)
	}
	select {
	case err := <-fresh:
		t.Fatalf("the new plan's member left: %v", err)
	default:
	}
	g.Open("g", 2)
	if err := <-fresh; err != nil {
		t.Errorf("fresh: %v", err)
	}
}

func TestAWaitEndsWithItsPodItsContextAndTheScheduler(t *testing.T) {
	g := newGate()
	deleted := g.come(t.Context(), "deleted", 1)
	<-g.arrivals
	g.Gone("deleted")
	if err := <-deleted; !turned(err) {
		t.Errorf("deleted: %v", err)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	cancelled := g.come(ctx, "cancelled", 1)
	<-g.arrivals
	cause := errors.New("preempted")
	cancel(cause)
	if err := <-cancelled; !turned(err) || !errors.Is(err, cause) {
		t.Errorf("cancelled: %v", err)
	}

	waits := g.come(t.Context(), "waits", 1)
	<-g.arrivals
	g.Close()
	if err := <-waits; !turned(err) {
		t.Errorf("waits: %v", err)
	}
	g.Open("g", 9)
	g.Close()
	if err := <-g.come(t.Context(), "late", 9); !turned(err) {
		t.Errorf("nothing may be bound after the end: %v", err)
	}
	if n := g.Waiting(); n != 0 {
		t.Errorf("%d wait", n)
	}
}

// What a latch remembers is bounded by the gangs that are open.
func TestALatchForgets(t *testing.T) {
	g := newGate()
	for i := range core.Epoch(1000) {
		id := gang.ID(fmt.Sprint(i))
		g.Open(id, i+1)
		g.Shut(id, i+1, "ended")
	}
	if len(g.open)+len(g.waiting)+len(g.gangOf) != 0 {
		t.Errorf("it remembers %d open, %d waiting", len(g.open), len(g.waiting))
	}
}

// Members come and orders are given at the same time, in any order: nobody
// passes whose plan was not opened, and nobody waits for ever.
func TestNobodyIsLeftAtTheLatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGate()
		n := rapid.IntRange(1, 8).Draw(t, "members")
		open := rapid.Bool().Draw(t, "open")
		for i := range n {
			g.places.set(gang.PodID(fmt.Sprint(i)), 1)
		}
		fates := make([]<-chan error, n)
		var together sync.WaitGroup
		together.Go(func() {
			if open {
				g.Open("g", 1)
				return
			}
			for i := range n {
				g.places.drop(gang.PodID(fmt.Sprint(i)))
			}
			g.Shut("g", 1, "no")
		})
		for i := range n {
			fates[i] = g.comeAsPlaced(context.Background(), gang.PodID(fmt.Sprint(i)), 1)
		}
		together.Wait()
		for i, fate := range fates {
			select {
			case err := <-fate:
				if open != (err == nil) {
					t.Fatalf("member %d: %v, opened: %v", i, err, open)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("member %d waits for ever", i)
			}
		}
	})
}
