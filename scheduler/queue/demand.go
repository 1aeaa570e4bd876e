package queue

import "muster.sh/muster/scheduler/resource"

// Demand is what a gang asks its queue for, or what it is charged for.
type Demand struct {
	// All is the whole of it.
	All resource.Vector
	// Expected is what of it is held for members that have no pod yet.
	Expected resource.Vector
	// NonPreemptible is what of it nobody may take from the gang.
	NonPreemptible resource.Vector
}

// Part is a part of a demand. Queues limit each by itself.
type Part string

// The parts of a demand.
const (
	// Whole is all of it.
	Whole Part = ""
	// Expected is for members that have no pod yet.
	Expected Part = "expected"
	// NonPreemptible is what nobody may take.
	NonPreemptible Part = "non-preemptible"
)

// capped are the parts with a limit of their own, in the order in which they are looked at.
var capped = [...]Part{Expected, NonPreemptible}

func (d *Demand) of(p Part) resource.Vector {
	switch p {
	case Expected:
		return d.Expected
	case NonPreemptible:
		return d.NonPreemptible
	default:
		return d.All
	}
}

// hasParts says whether anything of it is limited by itself.
func (d *Demand) hasParts() bool { return !d.Expected.IsZero() || !d.NonPreemptible.IsZero() }

func (d Demand) plus(o Demand) Demand {
	return Demand{d.All.Add(o.All), d.Expected.Add(o.Expected), d.NonPreemptible.Add(o.NonPreemptible)}
}

func (d Demand) scale(k int64) Demand {
	return Demand{d.All.Scale(k), d.Expected.Scale(k), d.NonPreemptible.Scale(k)}
}

func (d Demand) equal(o Demand) bool {
	return d.All.Equal(o.All) && d.Expected.Equal(o.Expected) && d.NonPreemptible.Equal(o.NonPreemptible)
}

// limitOf is the most that a queue, with those below it, may have of a resource for a part
// that is capped; false where there is no limit.
//
// What is not preemptible is never more than the queue is entitled to: else others could
// not have back what it has borrowed.
func (n *node) limitOf(p Part, name string) (limit int64, limited bool) {
	switch p {
	case Expected:
		return n.MaxExpected.Get(name)
	case NonPreemptible:
		limit, limited = n.MaxNonPreemptible.Get(name)
		if entitled := n.entitled.Get(name); n.parent != nil && (!limited || entitled < limit) {
			return entitled, true
		}
		return limit, limited
	}
	return 0, false
}

// limitsPartsOf says whether a queue, or one above it, may have a limit for a part of a demand.
func (n *node) limitsPartsOf(d *Demand) bool {
	limited := false
	for at := n; at != nil; at = at.parent {
		limited = limited || len(at.MaxExpected) > 0
	}
	return limited && !d.Expected.IsZero() || !d.NonPreemptible.IsZero()
}

// minds says whether it matters to anybody who asks a queue that it is charged for more, or
// less.
func (n *node) minds(d *Demand) bool {
	return !d.All.IsZero() || len(n.MaxExpected) > 0 && !d.Expected.IsZero() || !d.NonPreemptible.IsZero()
}

// Grants says whether a queue lets gangs be non-preemptible at all: it, or one above it,
// says how many resources these may have.
func (t *Tree) Grants(queue string) bool {
	for at := t.nodes[queue]; at != nil; at = at.parent {
		if len(at.MaxNonPreemptible) > 0 && at.problem == "" {
			return true
		}
	}
	return false
}

// Refuses says what limit of a queue, or of one above it, is in the way of more; nil if none
// is. It does not ask who waits for the same.
func (t *Tree) Refuses(queue string, more Demand) *Refusal {
	return t.known(queue).refusal(more, t.total)
}
