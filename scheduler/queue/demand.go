package queue

import "muster.sh/muster/scheduler/resource"

// Demand is what a gang asks its queue for, or what it is charged for.
type Demand struct {
	// All is the whole of it.
	All resource.Vector
	// Expected is what of it is held for members that have no pod yet.
	Expected resource.Vector
}

// Part is a part of a demand. Queues limit each by itself.
type Part string

// The parts of a demand.
const (
	// Whole is all of it.
	Whole Part = ""
	// Expected is for members that have no pod yet.
	Expected Part = "expected"
)

// capped are the parts with a limit of their own, in the order in which they are looked at.
var capped = [...]Part{Expected}

func (d *Demand) of(p Part) resource.Vector {
	if p == Expected {
		return d.Expected
	}
	return d.All
}

func (d Demand) plus(o Demand) Demand {
	return Demand{All: d.All.Add(o.All), Expected: d.Expected.Add(o.Expected)}
}

func (d Demand) scale(k int64) Demand {
	return Demand{All: d.All.Scale(k), Expected: d.Expected.Scale(k)}
}

func (d Demand) equal(o Demand) bool { return d.All.Equal(o.All) && d.Expected.Equal(o.Expected) }

// limitOf is the most that a queue, with those below it, may have of a resource for a part
// that is capped; false where there is no limit.
func (n *node) limitOf(p Part, name string) (limit int64, limited bool) {
	if p == Expected {
		return n.MaxExpected.Get(name)
	}
	return 0, false
}

// minds says whether it matters to anybody who asks a queue that it is charged for more, or
// less.
func (n *node) minds(d *Demand) bool {
	return !d.All.IsZero() || len(n.MaxExpected) > 0 && !d.Expected.IsZero()
}
