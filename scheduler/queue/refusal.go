package queue

import (
	"fmt"

	"muster.sh/muster/scheduler/resource"
)

// Refusal is why a queue has no quota for a gang.
type Refusal struct {
	// Queue that has none: the one that would be charged, or one above it.
	Queue string
	// Resource of which there is too little: so much is asked for, Used or promised to
	// others, and the Limit.
	Resource           string
	Asked, Used, Limit int64
	// Reserved says that it is not use that leaves too little, but what is guaranteed to
	// others.
	Reserved bool
	// Behind says that there would be enough, and that an earlier gang waits for it.
	Behind bool
	// Never says that it is more than the queue may ever have as things are declared.
	Never bool

	// at is the queue that refused it, when it was at that version.
	at      *node
	version uint64
}

// OfRoom says that it is the cluster that has too little, and not a queue that may not
// have more.
func (r *Refusal) OfRoom() bool { return r.Queue == Root && r.Reserved }

// String says the refusal in one sentence.
func (r *Refusal) String() string {
	asked, used, limit := resource.Format(r.Resource, r.Asked), resource.Format(r.Resource, r.Used), resource.Format(r.Resource, r.Limit)
	whose := "queue " + r.Queue + " may have " + limit
	if r.Queue == Root {
		whose = "all queues together have " + limit
	}
	whose += " of " + r.Resource
	asks := ", and the gang asks for " + asked
	switch {
	case r.Behind:
		return fmt.Sprintf("an earlier gang waits for %s in queue %s", r.Resource, r.Queue)
	case r.Never && r.Reserved:
		return fmt.Sprintf("%s, of which %s is guaranteed to others%s", whose, used, asks)
	case r.Never:
		return whose + " at most" + asks
	case r.Reserved:
		return fmt.Sprintf("%s, of which %s is in use or guaranteed to others%s", whose, used, asks)
	default:
		return fmt.Sprintf("%s, of which %s is in use%s", whose, used, asks)
	}
}

// refusal looks for a limit that more would break, from the queue upwards: its own,
// and that of each queue above it, with what others in that one are promised. One that
// would be broken if nothing was in use comes first, so that what is never to be had is
// that whatever others use.
func (n *node) refusal(more, total resource.Vector) *Refusal {
	if never := n.refuses(more, total, (*node).idly); never != nil {
		never.Never = true
		return never
	}
	return n.refuses(more, total, (*node).now)
}

func (n *node) now() tally  { return n.tally }
func (n *node) idly() tally { return n.idle }

func (n *node) refuses(more, total resource.Vector, of func(*node) tally) (r *Refusal) {
	n.grow(more, of, func(at *node, has, would tally) bool {
		r = at.exceeds(more, total, has, would)
		return r == nil
	})
	return r
}

// grow walks from a queue up to the root, with what each has and what it would have
// with more, until visit says that it is enough.
func (n *node) grow(more resource.Vector, of func(*node) tally, visit func(at *node, has, would tally) bool) {
	own := more
	var grown resource.Vector // of what the queue below commits
	for at := n; at != nil; at = at.parent {
		has := of(at)
		would := tally{used: has.used.Add(more), own: has.own.Add(own), promised: has.promised.Add(grown)}
		would.committed = at.commits(would.own, would.promised)
		if !visit(at, has, would) {
			return
		}
		own, grown = resource.Vector{}, would.committed.Sub(has.committed)
	}
}

// exceeds compares what a queue would have with what it may.
func (n *node) exceeds(more, total resource.Vector, has, would tally) (r *Refusal) {
	more.Each(func(name string, asked int64) {
		if r == nil {
			r = n.exceedsOf(name, asked, total, has, would)
		}
	})
	return r
}

// exceedsOf compares it for one resource. What is promised to others limits only who
// would take more than is promised to himself.
func (n *node) exceedsOf(name string, asked int64, total resource.Vector, has, would tally) *Refusal {
	if asked <= 0 {
		return nil
	}
	r := &Refusal{Queue: n.Name, Resource: name, Asked: asked, at: n, version: n.version}
	used, committed := would.used.Get(name), would.committed.Get(name)
	grows := committed > has.committed.Get(name)
	limit, limited := n.Capability.Get(name)
	switch {
	case limited && used > limit:
		r.Used, r.Limit = used-asked, limit
	case limited && grows && committed > limit:
		r.Used, r.Limit, r.Reserved = committed-asked, limit, true
	// Where nothing is kept for others it is room that lacks, and not quota.
	case n.parent == nil && grows && committed > total.Get(name) && committed > used:
		r.Used, r.Limit, r.Reserved = committed-asked, total.Get(name), true
	default:
		return nil
	}
	return r
}
