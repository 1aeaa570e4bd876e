package queue

import "muster.sh/muster/scheduler/gang"

// quiet remembers that every gang of a queue was refused, each by a queue that had too
// little at that version. Until something changes there, or with one of the gangs, it is
// enough to ask the first: thousands may wait for quota, and whoever ends somewhere
// changes nothing for most of them.
type quiet struct {
	list     uint64
	refusals []Refusal
}

// streak counts, from the first gang of a queue on, those that were refused one after the
// other in a turn.
type streak struct {
	list  uint64
	count int
	// refusals differ in who has refused what.
	refusals []Refusal
	broken   bool
}

// note adds a refusal to the streak of a queue, or what breaks it.
func (t *Turn) note(n *node, r *Refusal) {
	s := t.streaks[n]
	if s == nil {
		s = &streak{list: n.list}
		t.streaks[n] = s
	}
	s.count++
	s.broken = s.broken || r == nil || r.Behind || s.list != n.list
	if s.broken {
		return
	}
	// What others must not take from then on has to be known from the first of the queue.
	if s.broken = len(s.refusals) > 0 && !r.Never && r.OfPart() && !n.Backfill; s.broken {
		return
	}
	for i := range s.refusals {
		if o := &s.refusals[i]; o.at == r.at && o.version == r.version && o.parts == r.parts && o.Part == r.Part && o.Resource == r.Resource && o.Never == r.Never {
			return
		}
	}
	s.broken = len(s.refusals) > 0 && !r.Never && !r.at.Backfill
	s.refusals = append(s.refusals, *r)
}

// remember makes a queue quiet if all its gangs have been refused.
func (t *Turn) remember(n *node) {
	if s := t.streaks[n]; s != nil && !s.broken && s.list == n.list && s.count == n.going.Len() {
		n.quiet = &quiet{s.list, s.refusals}
	}
}

// isQuiet says that all gangs of a queue would be refused as before.
func (t *Turn) isQuiet(n *node) bool {
	if n.quiet == nil || t.thorough {
		return false
	}
	ok := n.quiet.list == n.list
	for i := range n.quiet.refusals {
		ok = ok && t.holds(&n.quiet.refusals[i])
	}
	if !ok {
		n.quiet = nil
	}
	return ok
}

// holds says that nothing has changed of what was refused.
func (t *Turn) holds(r *Refusal) bool {
	return r.at != nil && r.version == r.at.version && t.tree.nodes[r.at.Name] == r.at && (r.parts == 0 || r.parts == t.tree.parts)
}

// skip counts all gangs of a quiet queue as if they had asked.
func (t *Turn) skip(n *node) {
	for i := range n.quiet.refusals {
		if r := &n.quiet.refusals[i]; !r.Never {
			t.await(n, r)
		}
	}
	t.end(n)
}

// Changed says that a gang that waits may ask for something else than before.
func (t *Tree) Changed(id gang.ID) {
	if n := t.waits[id]; n != nil {
		n.list++
	}
}
