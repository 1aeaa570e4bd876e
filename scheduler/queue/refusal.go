package queue

import (
	"fmt"

	"muster.sh/muster/scheduler/resource"
)

// Refusal is why a queue has no quota for a gang.
type Refusal struct {
	// Queue that has none: the one that would be charged, or one above it.
	Queue string
	// Part of what is asked for that has a limit of its own; none where it is the whole.
	Part Part
	// Resource of which there is too little: so much is asked for, Used or promised to
	// others, and the Limit.
	Resource           string
	Asked, Used, Limit int64
	// Reserved says that it is not use that leaves too little, but what is guaranteed to
	// others.
	Reserved bool
	// Entitled says that the limit is what the queue is entitled to.
	Entitled bool
	// Behind says that there would be enough, and that an earlier gang waits for it.
	Behind bool
	// Never says that it is more than the queue may ever have as things are declared.
	Never bool

	// at is the queue that refused it, when it was at that version. Of a demand of which parts
	// are limited it depends on the parts of all queues as well, at that version of these.
	at             *node
	version, parts uint64
	// asks are the parts of the demand, where one of them was refused.
	asks []awaited
}

// OfPart says that it is a limit of a part that leaves too little. Nobody waits behind such a
// refusal who asks for nothing of that part.
func (r *Refusal) OfPart() bool { return r.Part != Whole }

// OfRoom says that it is the cluster that has too little, and not a queue that may not
// have more.
func (r *Refusal) OfRoom() bool { return r.Queue == Root && r.Reserved }

// String says the refusal in one sentence.
func (r *Refusal) String() string {
	switch r.Part {
	case Expected:
		return r.ofExpected()
	case NonPreemptible:
		return r.ofNonPreemptible()
	}
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

// ofExpected says it of room for members that have no pod yet.
func (r *Refusal) ofExpected() string {
	asked, used, limit := resource.Format(r.Resource, r.Asked), resource.Format(r.Resource, r.Used), resource.Format(r.Resource, r.Limit)
	switch {
	case r.Behind:
		return fmt.Sprintf("an earlier gang waits to hold %s in queue %s for members that have no pod yet", r.Resource, r.Queue)
	case r.Never:
		return fmt.Sprintf("queue %s may hold %s of %s at most for members that have no pod yet, and the gang would hold %s", r.Queue, limit, r.Resource, asked)
	default:
		return fmt.Sprintf("queue %s may hold %s of %s for members that have no pod yet, of which %s is held, and the gang would hold %s more", r.Queue, limit, r.Resource, used, asked)
	}
}

// ofNonPreemptible says it of what nobody may take.
func (r *Refusal) ofNonPreemptible() string {
	asked, used, limit := resource.Format(r.Resource, r.Asked), resource.Format(r.Resource, r.Used), resource.Format(r.Resource, r.Limit)
	whose := fmt.Sprintf("non-preemptible gangs of queue %s may have %s of %s", r.Queue, limit, r.Resource)
	if r.Never {
		whose += " at most"
	}
	if r.Entitled {
		whose += ", as much as it deserves"
	}
	switch {
	case r.Behind:
		return fmt.Sprintf("an earlier gang waits for %s in queue %s that nobody may take from it", r.Resource, r.Queue)
	case r.Never:
		return fmt.Sprintf("%s, and the gang asks for %s", whose, asked)
	default:
		return fmt.Sprintf("%s, of which they have %s, and the gang asks for %s", whose, used, asked)
	}
}

// refusal looks for a limit that more would break, from the queue upwards: its own,
// and that of each queue above it, with what others in that one are promised. One that
// would be broken if nothing was in use comes first, so that what is never to be had is
// that whatever others use.
func (n *node) refusal(more Demand, total resource.Vector) *Refusal {
	if never := n.refuses(more, total, (*node).idly); never != nil {
		never.Never = true
		return never
	}
	return n.refuses(more, total, (*node).now)
}

func (n *node) now() tally  { return n.tally }
func (n *node) idly() tally { return n.idle }

// refuses has limits of parts come before all others: nobody gives anything back to one
// who could not start even then.
func (n *node) refuses(more Demand, total resource.Vector, of func(*node) tally) (r *Refusal) {
	var whole *Refusal
	n.grow(more, of, func(at *node, has, would tally) bool {
		if whole == nil {
			whole = at.exceeds(more.All, total, has, would)
		}
		r = at.exceedsParts(&more, would)
		return r == nil && (whole == nil || more.hasParts())
	})
	if r == nil {
		r = whole
	}
	return r
}

// grow walks from a queue up to the root, with what each has and what it would have
// with more, until visit says that it is enough.
func (n *node) grow(more Demand, of func(*node) tally, visit func(at *node, has, would tally) bool) {
	own := more.All
	var grown resource.Vector // of what the queue below commits
	for at := n; at != nil; at = at.parent {
		has := of(at)
		would := tally{used: has.used.plus(more), own: has.own.Add(own), promised: has.promised.Add(grown)}
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
	used, committed := would.used.All.Get(name), would.committed.Get(name)
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

// exceedsParts compares what a queue would have of each part with what it may.
func (n *node) exceedsParts(more *Demand, would tally) (r *Refusal) {
	for _, p := range capped {
		has := would.used.of(p)
		more.of(p).Each(func(name string, asked int64) {
			limit, limited := n.limitOf(p, name)
			if used := has.Get(name); r == nil && asked > 0 && limited && used > limit {
				r = &Refusal{Queue: n.Name, Part: p, Resource: name, Asked: asked, Used: used - asked, Limit: limit, at: n, version: n.version}
				own, named := n.MaxNonPreemptible.Get(name)
				r.Entitled = p == NonPreemptible && (!named || limit < own)
			}
		})
	}
	return r
}
