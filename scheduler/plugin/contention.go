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
	board Board

	mu     sync.Mutex
	nodes  map[string]promise // as it was when a pod was refused
	signal chan struct{}
}

// promise is what was promised on a node, and known of its zones.
type promise struct {
	held  []core.Held
	zones *core.Zones
}

// NewContention returns an empty Contention over what a board tells.
func NewContention(board Board) *Contention {
	return &Contention{board: board, nodes: map[string]promise{}, signal: make(chan struct{}, 1)}
}

func (c *Contention) promised(node string) promise {
	return promise{c.board.Held(node), c.board.Zones(node)}
}

// Refused notes that what is promised on a node, or its zones, have kept a pod off it.
func (c *Contention) Refused(node string, held []core.Held, zones *core.Zones) {
	c.mu.Lock()
	c.nodes[node] = promise{held, zones}
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
		if now := c.promised(node); was.zones != now.zones || !slices.EqualFunc(was.held, now.held, sameHeld) {
			delete(c.nodes, node)
			changed = true
		}
	}
	return changed
}

func sameHeld(a, b core.Held) bool {
	return a.Gang == b.Gang && a.Role == b.Role && a.Claimant == b.Claimant && a.Request.Equal(b.Request)
}
