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
	// awaited is what a gang waits for that others must not pass, by the queue that has too
	// little.
	awaited map[*node]map[awaited]bool
	// lines are the children of each queue of which somebody may go, as long as nothing
	// changes.
	lines   map[*node]*line
	version [2]uint64
	// taken is the queue of which one was taken last.
	taken   *node
	streaks map[*node]*streak
	// thorough turns skip nobody.
	thorough bool
	// begun says that somebody was taken.
	begun bool
}

// awaited is a resource for which a gang waits, and the part that lacks it.
type awaited struct {
	part     Part
	resource string
}

// Turn begins a new one. It may leave out gangs of which it is known that they would be
// refused, but never the first of a queue.
func (t *Tree) Turn() *Turn {
	return &Turn{
		tree: t, last: map[*node]Entry{}, over: map[*node]bool{}, awaited: map[*node]map[awaited]bool{}, streaks: map[*node]*streak{},
	}
}

// ThoroughTurn begins one that leaves nobody out.
func (t *Tree) ThoroughTurn() *Turn {
	turn := t.Turn()
	turn.thorough = true
	return turn
}

// Next returns the next gang.
func (t *Turn) Next() (Entry, bool) {
	if now := [2]uint64{t.tree.version, t.tree.arrivals}; t.lines == nil || t.version != now {
		t.lines, t.version = map[*node]*line{}, now
	}
	if n := t.taken; n != nil {
		t.taken = nil
		if t.isQuiet(n) && !t.over[n] {
			t.skip(n)
		}
		t.refresh(n)
	}
	if !t.begun {
		t.begun = true
		if e := t.pinned(); e != nil {
			return t.take(t.tree.waits[e.Gang], *e)
		}
	}
	c := t.first(t.tree.root)
	if c == nil {
		return Entry{}, false
	}
	return t.take(c.leaf, c.next)
}

func (t *Turn) take(n *node, e Entry) (Entry, bool) {
	t.last[n], t.taken = e, n
	return e, true
}

// first is who is next in a queue and those below it; nil if nobody is.
func (t *Turn) first(n *node) *candidate {
	if l := t.line(n); len(*l) > 0 {
		return &candidate{child: n, leaf: (*l)[0].leaf, next: (*l)[0].next}
	}
	if n.going.Len() == 0 || t.over[n] {
		return nil
	}
	var last *Entry
	if e, seen := t.last[n]; seen {
		last = &e
	}
	own, ok := n.going.After(last)
	if !ok {
		t.remember(n)
		return nil
	}
	return &candidate{child: n, leaf: n, next: own}
}

// Ask says whether the queue of a gang has the quota for what it asks for, and why not.
// What it lacks is kept for it: until the turn is over nobody gets that who comes after
// it, but from what is guaranteed to himself, or where the queue lets others pass.
func (t *Turn) Ask(e Entry, more Demand) *Refusal {
	n := t.tree.known(e.Queue)
	r := n.refusal(more, t.tree.total)
	switch {
	case r == nil:
		r = t.behind(n, more)
	case !r.Never && !r.OfPart():
		if behind := t.behind(n, Demand{All: more.All}); behind != nil {
			r = behind
		}
	}
	if r != nil && n.limitsPartsOf(&more) {
		r.parts, r.asks = t.tree.parts, partsOf(&more)
	}
	t.note(n, r)
	if r != nil && !r.Never {
		t.await(n, r)
	}
	return r
}

// Stands says that what was refused before still is, for the same gang asks for the same
// and nothing has changed there. It counts as if it had asked.
func (t *Turn) Stands(e Entry, r *Refusal) bool {
	n := t.tree.nodes[e.Queue]
	if n == nil || !t.holds(r) {
		return false
	}
	t.note(n, r)
	if !r.Never {
		t.await(n, r)
	}
	return true
}

// AwaitsNothing says that nobody of this turn waits for quota that others must not take.
func (t *Turn) AwaitsNothing() bool { return len(t.awaited) == 0 }

// await keeps what a gang of a queue was refused from those behind it. Where it was refused
// a part, who asks for nothing of its parts passes in any queue.
func (t *Turn) await(n *node, r *Refusal) {
	switch {
	case n.Backfill:
	case r.OfPart():
		for _, what := range r.asks {
			t.keep(n, what)
		}
	default:
		t.end(n)
	}
	if short := t.tree.nodes[r.Queue]; !short.Backfill {
		t.keep(short, awaited{r.Part, r.Resource})
	}
}

// partsOf is what a demand asks for of parts that are limited by themselves.
func partsOf(more *Demand) (out []awaited) {
	for _, p := range capped {
		more.of(p).Each(func(name string, _ int64) { out = append(out, awaited{p, name}) })
	}
	return out
}

func (t *Turn) keep(n *node, what awaited) {
	if t.awaited[n] == nil {
		t.awaited[n] = map[awaited]bool{}
	}
	t.awaited[n][what] = true
}

// Keep lets nobody pass a gang that was refused, wherever its quota is limited: it is
// being given back for it.
func (t *Turn) Keep(e Entry, more Demand, r *Refusal) {
	t.keep(t.tree.nodes[r.Queue], awaited{r.Part, r.Resource})
	for at := t.tree.known(e.Queue); at != nil; at = at.parent {
		more.All.Each(func(name string, _ int64) {
			if _, limited := at.Capability.Get(name); limited {
				t.keep(at, awaited{Whole, name})
			}
		})
		for _, p := range capped {
			more.of(p).Each(func(name string, _ int64) {
				if _, limited := at.limitOf(p, name); limited {
					t.keep(at, awaited{p, name})
				}
			})
		}
	}
}

// end has nobody of a queue go any more.
func (t *Turn) end(n *node) {
	if !t.over[n] {
		t.over[n] = true
		t.refresh(n)
	}
}

// Stop ends the turn of a queue of which one could not go whom others must not pass.
func (t *Turn) Stop(queue string) {
	if n := t.tree.known(queue); !n.Backfill {
		t.end(n)
	}
}

// Room says for how many of equal members a queue has the quota, at most limit, beside
// those who wait.
func (t *Turn) Room(queue string, each resource.Vector, limit int) int {
	n := t.tree.known(queue)
	least, most := 0, limit // the quota is there for least of them
	for least < most {
		half := least + (most-least+1)/2
		more := Demand{All: each.Scale(int64(half))}
		if t.behind(n, more) == nil && n.refusal(more, t.tree.total) == nil {
			least = half
		} else {
			most = half - 1
		}
	}
	return least
}

// behind says that more would take from what an earlier gang waits for.
func (t *Turn) behind(n *node, more Demand) (r *Refusal) {
	if len(t.awaited) == 0 {
		return nil
	}
	n.grow(more, (*node).now, func(at *node, has, would tally) bool {
		more.All.Each(func(name string, asked int64) {
			if r == nil && t.awaited[at][awaited{Whole, name}] && would.committed.Get(name) > has.committed.Get(name) {
				r = &Refusal{Queue: at.Name, Resource: name, Asked: asked, Behind: true}
			}
		})
		for _, p := range capped {
			more.of(p).Each(func(name string, asked int64) {
				if r == nil && asked > 0 && t.awaited[at][awaited{p, name}] {
					r = &Refusal{Queue: at.Name, Part: p, Resource: name, Asked: asked, Behind: true}
				}
			})
		}
		return r == nil
	})
	return r
}
