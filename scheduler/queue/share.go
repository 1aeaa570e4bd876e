package queue

import (
	"cmp"
	"math"

	"muster.sh/muster/scheduler/resource"
)

// entitle works out what each queue's share is measured by: of resources that it
// deserves by name that much, of the others a part by weight of what its parent is
// entitled to and none of its siblings deserves by name. It is entitled to what it is
// guaranteed in any case. A queue that nobody may use is entitled to nothing.
func (t *Tree) entitle(n *node) {
	if n == t.root {
		n.entitled = t.total
	}
	n.fresh = false
	rest, weights := n.rest()
	for _, c := range n.children {
		c.entitled = resource.Vector{}
		rest.Each(func(name string, value int64) {
			if _, named := c.deserved(name); !named && c.weight() > 0 {
				c.entitled = c.entitled.With(name, part(value, c.weight(), weights[name]))
			}
		})
		for _, d := range c.Deserved {
			if c.problem == "" {
				c.entitled = c.entitled.With(d.Name, d.Value)
			}
		}
		c.entitled = most(c.entitled, c.guarantee())
		t.entitle(c)
	}
}

// rest is what is left for those of a queue's children that don't deserve a resource by
// name, and the sum of their weights.
func (n *node) rest() (resource.Vector, map[string]int64) {
	rest, weights := n.entitled, map[string]int64{}
	for _, c := range n.children {
		n.entitled.Each(func(name string, _ int64) {
			if value, named := c.deserved(name); named {
				rest = rest.With(name, max(rest.Get(name)-value, 0))
			} else {
				weights[name] += c.weight()
			}
		})
	}
	return rest, weights
}

// part is value × weight ÷ all, without overflow.
func part(value, weight, all int64) int64 {
	return value/all*weight + value%all*weight/all
}

// weight is zero for a queue that nobody may use.
func (n *node) weight() int64 {
	if n.problem != "" || (!n.declared && n.Name != Default) {
		return 0
	}
	return n.Weight
}

func (n *node) deserved(name string) (int64, bool) {
	if n.problem != "" {
		return 0, false
	}
	return n.Deserved.Get(name)
}

// dominantShare is the greatest part that a queue uses of anything that it is entitled
// to (dominant resource fairness, Ghodsi et al., NSDI 2011). It is above 1 for a queue
// that has borrowed.
func (n *node) dominantShare() float64 {
	if !n.fresh {
		n.share, n.fresh = 0, true
		n.used.All.Each(func(name string, used int64) {
			if entitled := n.entitled.Get(name); entitled > 0 {
				n.share = max(n.share, float64(used)/float64(entitled))
			} else if used > 0 {
				n.share = math.Inf(1)
			}
		})
	}
	return n.share
}

// before orders two queues of one parent: by priority, then by share, then by whose
// first gang is older.
func before(a, b *node, first, second Entry) int {
	return cmp.Or(
		cmp.Compare(b.Priority, a.Priority),
		cmp.Compare(a.dominantShare(), b.dominantShare()),
		first.Created.Compare(second.Created),
		cmp.Compare(a.Name, b.Name))
}
