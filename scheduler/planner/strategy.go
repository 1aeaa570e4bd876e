package planner

import "container/heap"

// Strategy says onto which of the nodes that have room the members go. It decides
// nothing about whether a gang can be placed: where a strategy finds no way, that
// of Pack is tried too.
type Strategy interface {
	// fill places up to the wanted number of members of want w, and returns how many.
	fill(p *plan, w int) int
	// cost of one more member of want w on row i, which has room: the lowest goes
	// first.
	cost(p *plan, w, i int) cost
}

// cost is compared by its first part, and where that is equal by its second.
type cost struct{ first, second int64 }

func (c cost) less(d cost) bool {
	return c.first < d.first || (c.first == d.first && c.second < d.second)
}

// placeByCost places members of want w one by one, each where it costs the least.
func (p *plan) placeByCost(w int) int {
	q := p.offers[:0]
	for _, i := range p.usable[w] {
		if p.times(w, i, 1) > 0 {
			q = append(q, offer{p.strategy.cost(p, w, i), i})
		}
	}
	heap.Init(&q)
	p.offers = q
	placed := 0
	for ; placed < p.wants[w].Count && len(q) > 0; placed++ {
		row := q[0].row
		p.take(w, row, 1)
		if p.times(w, row, 1) == 0 {
			heap.Pop(&q)
			continue
		}
		q[0].cost = p.strategy.cost(p, w, row)
		heap.Fix(&q, 0)
	}
	return placed
}

// offer is what one more member costs on a row.
type offer struct {
	cost
	row int
}

// priced is a heap of offers, the cheapest first; of equal ones that of the first row.
type priced []offer

func (q priced) Len() int      { return len(q) }
func (q priced) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q priced) Less(i, j int) bool {
	return q[i].less(q[j].cost) || (q[i].cost == q[j].cost && q[i].row < q[j].row)
}

// Push implements heap.Interface.
func (q *priced) Push(x any) { *q = append(*q, x.(offer)) }

// Pop implements heap.Interface.
func (q *priced) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
