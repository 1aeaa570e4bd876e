package planner

import "slices"

// singly is the largest want whose members are placed one by one, with a look
// at what they cost the others. Larger ones fill nodes.
const singly = 16

// fill places up to the wanted number of members, many per node, on the
// fullest nodes that have room: what stays free stays free in large pieces
// (best fit decreasing by node).
func (p *plan) fill(w int) int {
	var first [full + 1]int      // by leftover: a row, which links to the next one, less one
	untouched := p.shares == nil // then all that are usable have room
	for _, i := range slices.Backward(p.usable[w]) {
		if untouched || p.times(w, i, 1) > 0 {
			left := p.leftover(i)
			p.next[i], first[left] = first[left], i+1
		}
	}
	placed := 0
	for _, row := range first {
		for ; row > 0 && placed < p.wants[w].Count; row = p.next[row-1] {
			k := p.times(w, row-1, p.wants[w].Count-placed)
			p.take(w, row-1, k)
			placed += k
		}
	}
	return placed
}

// placeSingly places the members of a want one by one, each where the wants
// that follow lose the fewest places, and of those on the fullest node.
func (p *plan) placeSingly(w int, later []int) int {
	room := make(map[int][]int, len(later)) // by want and row: how often it fits
	for _, l := range later {
		room[l] = make([]int, len(p.view.Rows))
		for _, i := range p.usable[l] {
			room[l][i] = p.times(l, i, p.wants[l].Count)
		}
	}
	for placed := range p.wants[w].Count {
		best := p.cheapest(w, later, room)
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

func (p *plan) cheapest(w int, later []int, room map[int][]int) int {
	best, bestLoss, bestLeft := -1, 0.0, int64(0)
	for _, i := range p.usable[w] {
		if p.times(w, i, 1) == 0 {
			continue
		}
		loss := p.loss(w, i, later, room)
		if best >= 0 && loss > bestLoss {
			continue
		}
		left := p.leftover(i)
		if best < 0 || loss < bestLoss || left < bestLeft {
			best, bestLoss, bestLeft = i, loss, left
		}
	}
	return best
}

// loss is the share of their members for which the later wants lose the place
// if one member of w goes to row i.
func (p *plan) loss(w, i int, later []int, room map[int][]int) float64 {
	before, sum := *p.free(i), 0.0
	p.setFree(i, before.Sub(p.wants[w].Shape.Request))
	for _, l := range later {
		if n := room[l][i]; n > 0 {
			sum += float64(n-p.times(l, i, n)) / float64(p.wants[l].Count)
		}
	}
	p.setFree(i, before)
	return sum
}

// full is all of a resource, in the unit of leftover.
const full = 1000

// leftover is how empty a row is, in thousandths, by the resource of which the
// largest part is free.
func (p *plan) leftover(i int) int64 {
	free, all := p.free(i), &p.view.Rows[i].Node.Allocatable
	return max(0, part(free.MilliCPU, all.MilliCPU), part(free.Memory, all.Memory))
}

func part(of, all int64) int64 {
	if all <= 0 {
		return 0
	}
	return min(of*full/all, full)
}
