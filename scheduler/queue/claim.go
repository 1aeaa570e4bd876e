package queue

import (
	"slices"

	"muster.sh/muster/scheduler/resource"
)

// Claim is what a gang that waits may take from others that run.
//
// From another queue it may take what that has borrowed, so long as its own stays within
// what it is entitled to. Two queues are compared where their ways to the root meet, so
// each has all the rights of the queues above it. From its own queue it may take what
// has a lower priority, and members above their gang's minimum that have no higher one.
// From any it may take what runs for longer than it has declared, if it was booked to
// start on that room. Nothing is ever taken back in the same way: who takes does not
// borrow thereby.
type Claim struct {
	tree     *Tree
	of       *node
	more     resource.Vector
	priority int64
	// meek gangs take nothing of those with a lower priority.
	meek bool
	// leaving is what goes whatever is taken.
	leaving []Loss
}

// Loss is something that a queue would lose.
type Loss struct {
	Queue string
	// Priority as it counts in the queue.
	Priority int64
	// Elastic says that it is a member above its gang's minimum.
	Elastic bool
	// Late says that it runs for longer than it has declared, and the gang that waits was
	// booked to start on its room.
	Late bool
	Of   resource.Vector
}

// Claim returns what a gang may take that asks for more, while others are leaving. Meek
// ones take nothing because of their priority.
func (t *Tree) Claim(e Entry, more resource.Vector, meek bool, leaving []Loss) *Claim {
	return &Claim{tree: t, of: t.known(e.Queue), more: more, priority: e.Priority, meek: meek, leaving: leaving}
}

// Allows says whether all of that may be taken together. It may only if each would be
// borrowed still with all others gone, so no queue loses more than it has borrowed,
// but for what is more of the last one.
func (c *Claim) Allows(losses []Loss) bool {
	gone := c.sum(losses)
	return !slices.ContainsFunc(losses, func(l Loss) bool { return !c.allows(l, gone) })
}

// sum is what each queue loses, with those below it.
func (c *Claim) sum(losses []Loss) map[*node]resource.Vector {
	gone := map[*node]resource.Vector{}
	for _, l := range slices.Concat(c.leaving, losses) {
		for at := c.tree.nodes[l.Queue]; at != nil; at = at.parent {
			gone[at] = gone[at].Add(l.Of)
		}
	}
	return gone
}

func (c *Claim) allows(l Loss, gone map[*node]resource.Vector) bool {
	from := c.tree.nodes[l.Queue]
	if from == nil {
		return false
	}
	if l.Late {
		return true
	}
	if from == c.of {
		return (l.Priority < c.priority && !c.meek) || (l.Elastic && l.Priority <= c.priority)
	}
	path, own := c.apart(from)
	return own.isEntitledTo(c.more) && c.borrows(path, l, gone)
}

// apart returns the queues from one up to where it meets the way of the claim's own, and
// of that way the last one before.
func (c *Claim) apart(from *node) (path []*node, own *node) {
	for at := from; at != nil && !at.isAbove(c.of); at = at.parent {
		path = append(path, at)
	}
	return path, c.of.below(from)
}

// below is, of the way up from a queue, the last one before it meets that of another.
func (n *node) below(other *node) *node {
	for n.parent != nil && !n.parent.isAbove(other) {
		n = n.parent
	}
	return n
}

// isAbove says whether a queue is another one, or above it.
func (n *node) isAbove(other *node) bool {
	for ; other != nil; other = other.parent {
		if other == n {
			return true
		}
	}
	return false
}

// isEntitledTo says whether a queue is with more still within what it is entitled to.
func (n *node) isEntitledTo(more resource.Vector) bool {
	ok := true
	more.Each(func(name string, asked int64) {
		ok = ok && (asked <= 0 || n.used.All.Get(name)+asked <= n.entitled.Get(name))
	})
	return ok
}

// borrows says whether all queues on a path use more of something that the claim asks for
// than they are entitled to, and may be made to give it back, though what is gone besides
// has been given back already.
func (c *Claim) borrows(path []*node, l Loss, gone map[*node]resource.Vector) bool {
	if len(path) == 0 || slices.ContainsFunc(path, func(n *node) bool { return n.Keeps }) {
		return false
	}
	borrowed := false
	c.more.Each(func(name string, asked int64) {
		borrowed = borrowed || asked > 0 && l.Of.Get(name) > 0 && !slices.ContainsFunc(path, func(n *node) bool {
			left := n.used.All.Get(name) - gone[n].Get(name) + l.Of.Get(name)
			return left <= n.entitled.Get(name)
		})
	})
	return borrowed
}

// Lack is by how much the gang's queue, or one above, has too little quota for it once
// that is gone: the sum of the parts by which the limits would be exceeded.
func (c *Claim) Lack(losses []Loss) float64 {
	c.suppose(losses, -1)
	defer c.suppose(losses, 1)
	lack := 0.0
	c.of.grow(Demand{All: c.more}, (*node).now, func(at *node, has, would tally) bool {
		c.more.Each(func(name string, asked int64) {
			if r := at.exceedsOf(name, asked, c.tree.total, has, would); r != nil {
				lack += float64(r.Used+r.Asked-r.Limit) / float64(max(r.Limit, 1))
			}
		})
		return true
	})
	return lack
}

// suppose takes losses off what queues are charged for, or gives them back.
func (c *Claim) suppose(losses []Loss, sign int64) {
	for _, l := range slices.Concat(c.leaving, losses) {
		if n := c.tree.nodes[l.Queue]; n != nil {
			n.add(Demand{All: l.Of.Scale(sign)})
		}
	}
}
