package planner

// singly is the largest want whose members are placed one by one, with a look
// at what they cost the others. Larger ones fill nodes.
const singly = 16

// placeSingly places the members of a want one by one, each where the wants
// that follow lose the fewest places, and of those where the strategy has it.
func (p *plan) placeSingly(w int, later []int) int {
	room := make(map[int][]int, len(later)) // by want and row: how often it fits
	for _, l := range later {
		room[l] = make([]int, len(p.view.Rows))
		for _, i := range p.usable[l] {
			room[l][i] = p.times(l, i, p.wants[l].Count)
		}
	}
	for placed := range p.wants[w].Count {
		best := p.leastLoss(w, later, room)
		if best < 0 {
			return placed
		}
		p.take(w, best, 1)
		for _, l := range later {
			if room[l][best] > 0 {
				room[l][best] = p.times(l, best, p.wants[l].Count)
			}
		}
	}
	return p.wants[w].Count
}

func (p *plan) leastLoss(w int, later []int, room map[int][]int) int {
	best, bestLoss, bestCost := -1, 0.0, cost{}
	for _, i := range p.usable[w] {
		if p.times(w, i, 1) == 0 {
			continue
		}
		loss := p.loss(w, i, later, room)
		if best >= 0 && loss > bestLoss {
			continue
		}
		c := p.strategy.cost(p, w, i)
		if best < 0 || loss < bestLoss || c.less(bestCost) {
			best, bestLoss, bestCost = i, loss, c
		}
	}
	return best
}

// loss is the share of their members for which the later wants lose the place
// if one member of w goes to row i.
func (p *plan) loss(w, i int, later []int, room map[int][]int) float64 {
	s, before, sum := &p.wants[w].Shape, *p.free(i), 0.0
	p.setFree(i, before.Sub(s.Request))
	p.align(s, i, 1)
	for _, l := range later {
		if n := room[l][i]; n > 0 {
			sum += float64(n-p.times(l, i, n)) / float64(p.wants[l].Count)
		}
	}
	p.setFree(i, before)
	p.align(s, i, -1)
	return sum
}
