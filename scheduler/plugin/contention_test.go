package plugin

import (
	"context"
	"sync"
	"testing"

	"muster.sh/muster/scheduler/core"
)

func TestPodsAreWokenWhenTheirObstacleChanges(t *testing.T) {
	var mu sync.Mutex
	held := map[string][]core.Held{"a": {slot("", 1000, 1)}, "b": {slot("", 1000, 1)}}
	set := func(node string, h []core.Held) {
		mu.Lock()
		defer mu.Unlock()
		held[node] = h
	}
	c := NewContention(func(node string) []core.Held {
		mu.Lock()
		defer mu.Unlock()
		return held[node]
	})
	if c.settle() {
		t.Error("woken for nothing")
	}
	c.Refused("a", []core.Held{slot("", 1000, 1)})
	if c.settle() {
		t.Error("woken while the promise is as it was")
	}
	set("b", nil)
	if c.settle() {
		t.Error("woken for a node that has refused nobody")
	}
	set("a", []core.Held{slot("x", 1000, 1)})
	if !c.settle() {
		t.Error("not woken")
	}
	if c.settle() {
		t.Error("woken twice")
	}
}

// The promise may end between the moment at which Filter reads it and the one
// at which it says that it has refused a pod.
func TestAPromiseThatEndedMeanwhileWakesToo(t *testing.T) {
	c := NewContention(func(string) []core.Held { return nil })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	woken := make(chan bool, 1)
	go c.Run(ctx, func() { woken <- true })
	c.Refused("a", []core.Held{slot("", 1000, 1)})
	<-woken
}
