package plugin

import (
	"context"
	"slices"
	"sync"
	"time"

	fwk "k8s.io/kube-scheduler/framework"

	"muster.sh/muster/scheduler/core"
)

// RoomFreed is the event by which pods that promised room has kept out are
// tried again once less is promised. No informer can tell of it: promises are
// not objects, and when a pod's end leads to the end of a promise, its event
// has reached kube-scheduler's queue before.
var RoomFreed = fwk.ClusterEvent{Resource: "muster.sh/PromisedRoom", ActionType: fwk.Delete}

// Contention knows on which nodes pods outside of gangs were refused for
// promised room, and tells when that may have changed. It is empty most of the
// time, and then costs nothing.
type Contention struct {
	held func(node string) []core.Held

	mu     sync.Mutex
	nodes  map[string][]core.Held // as it was when a pod was refused
	signal chan struct{}
}

// NewContention returns an empty Contention over what Board.Held tells.
func NewContention(held func(node string) []core.Held) *Contention {
	return &Contention{held: held, nodes: map[string][]core.Held{}, signal: make(chan struct{}, 1)}
}

// Refused notes that held has kept a pod off a node.
func (c *Contention) Refused(node string, held []core.Held) {
	c.mu.Lock()
	c.nodes[node] = held
	c.mu.Unlock()
	// The promise may have ended while it was judged.
	c.Changed()
}

// Changed tells that what is promised somewhere may have changed. It never
// waits.
func (c *Contention) Changed() {
	select {
	case c.signal <- struct{}{}:
	default:
	}
}

// pace is how often promises are looked through at most. A pod that was woken
// in vain waits longer than this anyway.
const pace = 100 * time.Millisecond

// Run calls wake whenever a promise has changed that has kept a pod out, until
// the context ends.
func (c *Contention) Run(ctx context.Context, wake func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.signal:
		}
		if c.settle() {
			wake()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pace):
		}
	}
}

// settle forgets nodes whose promises have changed and says whether there was
// one: the pods that are woken name their nodes again if it was in vain.
func (c *Contention) settle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := false
	for node, was := range c.nodes {
		if !slices.EqualFunc(was, c.held(node), sameHeld) {
			delete(c.nodes, node)
			changed = true
		}
	}
	return changed
}

func sameHeld(a, b core.Held) bool {
	return a.Gang == b.Gang && a.Role == b.Role && a.Claimant == b.Claimant && a.Request.Equal(b.Request)
}
