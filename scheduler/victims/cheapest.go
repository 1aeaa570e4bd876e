package victims

import (
	"container/heap"
	"slices"
)

// proofTries is for how many tries a proof counts.
const proofTries = 16

// cheapest looks through sets of units in the order of their cost, and returns the first
// that does, if it is cheaper than another one. It gives up after so many tries.
func (s *search) cheapest(than []int, tries int) []int {
	if len(s.units) == 0 {
		return nil
	}
	todo := &byCost{{set: []int{0}, cost: s.units[0].Cost}}
	for ; tries > 0 && len(*todo) > 0; tries-- {
		c := heap.Pop(todo).(candidate)
		if than != nil && c.cost >= s.cost(than) {
			return nil
		}
		fits := s.allowed(c.set)
		if fits && !c.odd {
			if _, m := s.suppose(c.set); m == nothing {
				tries -= proofTries
				if _, m := s.prove(c.set); m == nothing {
					return c.set
				}
			}
		}
		s.follow(todo, c, fits)
	}
	return nil
}

// candidate is a set to be looked at.
type candidate struct {
	set  []int
	cost int64
	// odd sets have a unit and not its twin before it: to have the twin is as good.
	odd bool
}

// follow adds the two sets that follow on one: with one unit more, and with the next
// unit in the place of the last. So each set is reached once, after all cheaper ones.
func (s *search) follow(todo *byCost, c candidate, grows bool) {
	last := c.set[len(c.set)-1]
	if last+1 == len(s.units) {
		return
	}
	if grows && !c.odd {
		heap.Push(todo, candidate{set: append(slices.Clip(c.set), last+1), cost: c.cost + s.units[last+1].Cost})
	}
	next := slices.Clone(c.set)
	next[len(next)-1] = last + 1
	heap.Push(todo, candidate{next, c.cost - s.units[last].Cost + s.units[last+1].Cost, s.units[last+1].twin})
}

// byCost is a heap of candidates; of equal cost the smaller set goes first.
type byCost []candidate

func (q byCost) Len() int      { return len(q) }
func (q byCost) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q byCost) Less(i, j int) bool {
	if q[i].cost != q[j].cost {
		return q[i].cost < q[j].cost
	}
	if len(q[i].set) != len(q[j].set) {
		return len(q[i].set) < len(q[j].set)
	}
	return slices.Compare(q[i].set, q[j].set) < 0
}

// Push implements heap.Interface.
func (q *byCost) Push(x any) { *q = append(*q, x.(candidate)) }

// Pop implements heap.Interface.
func (q *byCost) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
