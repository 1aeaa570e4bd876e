package plugin

import (
	"context"
	"testing"

	"muster.sh/muster/scheduler/core"
)

func TestPodsAreWokenWhenTheirObstacleChanges(t *testing.T) {
	b := newBoard()
	b.held["a"], b.held["b"] = []core.Held{slot("", 1000, 1)}, []core.Held{slot("", 1000, 1)}
	c := NewContention(b)
	if c.settle() {
		t.Error("woken for nothing")
	}
	c.Refused("a", []core.Held{slot("", 1000, 1)}, nil)
	if c.settle() {
		t.Error("woken while the promise is as it was")
	}
	b.held["b"] = nil
	if c.settle() {
		t.Error("woken for a node that has refused nobody")
	}
	b.held["a"] = []core.Held{slot("x", 1000, 1)}
	if !c.settle() {
		t.Error("not woken")
	}
	if c.settle() {
		t.Error("woken twice")
	}
	c.Refused("a", b.held["a"], b.zones["a"])
	b.zones["a"] = &core.Zones{}
	if !c.settle() {
		t.Error("not woken though the node's zones are others now")
	}
}

// The promise may end between the moment at which Filter reads it and the one
// at which it says that it has refused a pod.
func TestAPromiseThatEndedMeanwhileWakesToo(t *testing.T) {
	c := NewContention(newBoard())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	woken := make(chan bool, 1)
	go c.Run(ctx, func() { woken <- true })
	c.Refused("a", []core.Held{slot("", 1000, 1)}, nil)
	<-woken
}
