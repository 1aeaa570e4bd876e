package planner

// Spread keeps the members of a gang apart: each goes to the node that got the
// fewest of them, and of those to the emptiest. So the loss of a node costs a gang
// the least.
type Spread struct{}

func (Spread) fill(p *plan, w int) int { return p.placeByCost(w) }

func (Spread) cost(p *plan, w, i int) cost {
	return cost{first: int64(p.members(i)), second: -p.headroom(w, i)}
}

// headroom is how much of row i is free, by the resource of which the least is, in
// thousandths. Devices count where want w asks for them.
func (p *plan) headroom(w, i int) int64 {
	const all = 1000
	free, has := p.free(i), &p.view.Rows[i].Node.Allocatable
	least := min(part(free.MilliCPU, has.MilliCPU, all), part(free.Memory, has.Memory, all))
	for _, a := range p.wants[w].Shape.Request.Extra {
		least = min(least, part(free.Get(a.Name), has.Get(a.Name), all))
	}
	return least
}
