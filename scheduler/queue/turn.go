package queue

import (
	"muster.sh/muster/scheduler/resource"
)

// Turn goes once through all gangs that wait, in the order in which they are served:
// of queues under one parent the one with the highest priority, then with the lowest
// share, and within a queue by priority and age. Gangs may start, come and go meanwhile:
// who is next is found out anew each time.
type Turn struct {
	tree *Tree
	// last is who was taken last of a queue.
	last map[*node]Entry
	// over are queues of which nobody may go any more.
	over map[*node]bool
	// awaited are resources for which a gang waits that others must not pass, by the
	// queue that has too little.
	awaited map[*node]map[string]bool
}

// Turn begins a new one.
func (t *Tree) Turn() *Turn {
	return &Turn{tree: t, last: map[*node]Entry{}, over: map[*node]bool{}, awaited: map[*node]map[string]bool{}}
}

// Next returns the next gang.
func (t *Turn) Next() (Entry, bool) {
	leaf, e := t.first(t.tree.root)
	if leaf == nil {
		return Entry{}, false
	}
	t.last[leaf] = e
	return e, true
}

// first returns who is next in a queue and those below it.
func (t *Turn) first(n *node) (*node, Entry) {
	var best, leaf *node
	var e Entry
	for _, c := range n.children {
		if l, next := t.first(c); l != nil && (best == nil || before(c, best, next, e) < 0) {
			best, leaf, e = c, l, next
		}
	}
	if leaf == nil && n.waiting.Len() > 0 && !t.over[n] {
		var last *Entry
		if e, seen := t.last[n]; seen {
			last = &e
		}
		if own, ok := n.waiting.After(last); ok {
			return n, own
		}
	}
	return leaf, e
}

// Ask says whether the queue of a gang has the quota for what it asks for, and why not.
// What it lacks is kept for it: until the turn is over nobody gets that who comes after
// it, but from what is guaranteed to himself, or where the queue lets others pass.
func (t *Turn) Ask(e Entry, more resource.Vector) *Refusal {
	n := t.tree.known(e.Queue)
	r := n.refusal(more, t.tree.total)
	if r != nil && r.Never {
		return r
	}
	if behind := t.behind(n, more); behind != nil {
		r = behind
	}
	if r == nil {
		return nil
	}
	if !n.Backfill {
		t.over[n] = true
	}
	if short := t.tree.nodes[r.Queue]; !short.Backfill {
		if t.awaited[short] == nil {
			t.awaited[short] = map[string]bool{}
		}
		t.awaited[short][r.Resource] = true
	}
	return r
}

// Stop ends the turn of a queue of which one could not go whom others must not pass.
func (t *Turn) Stop(queue string) {
	if n := t.tree.known(queue); !n.Backfill {
		t.over[n] = true
	}
}

// Room says for how many of equal members a queue has the quota, at most limit, beside
// those who wait.
func (t *Turn) Room(queue string, each resource.Vector, limit int) int {
	n := t.tree.known(queue)
	least, most := 0, limit // the quota is there for least of them
	for least < most {
		half := least + (most-least+1)/2
		more := each.Scale(int64(half))
		if t.behind(n, more) == nil && n.refusal(more, t.tree.total) == nil {
			least = half
		} else {
			most = half - 1
		}
	}
	return least
}

// behind says that more would take from what an earlier gang waits for.
func (t *Turn) behind(n *node, more resource.Vector) (r *Refusal) {
	if len(t.awaited) == 0 {
		return nil
	}
	n.grow(more, (*node).now, func(at *node, has, would tally) bool {
		more.Each(func(name string, asked int64) {
			if r == nil && t.awaited[at][name] && would.committed.Get(name) > has.committed.Get(name) {
				r = &Refusal{Queue: at.Name, Resource: name, Asked: asked, Behind: true}
			}
		})
		return r == nil
	})
	return r
}
