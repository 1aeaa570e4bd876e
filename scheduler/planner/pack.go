package planner

import "slices"

// singly is the largest want whose members are placed one by one, with a look
// at what they cost the others. Larger ones fill nodes.
const singly = 16

// fill places up to the wanted number of members, many per node, on the
// fullest nodes that have room: what stays free stays free in large pieces
// (best fit decreasing by node).
func (p *plan) fill(w int) int {
	// Sorted are numbers that hold how empty a row is, and then the row itself.
	rows := int64(len(p.free))
	byRoom := p.byRoom[:0]
	for _, i := range p.usable[w] {
		if p.times(w, i, 1) > 0 {
			byRoom = append(byRoom, p.leftover(i)*rows+int64(i))
		}
	}
	p.byRoom = byRoom // with the room that it has grown to
	slices.Sort(byRoom)
	placed := 0
	for _, n := range byRoom {
		if placed == p.wants[w].Count {
			break
		}
		i := int(n % rows)
		k := p.times(w, i, p.wants[w].Count-placed)
		p.take(w, i, k)
		placed += k
	}
	return placed
}

// placeSingly places the members of a want one by one, each where the wants
// that follow lose the fewest places, and of those on the fullest node.
func (p *plan) placeSingly(w int, later []int) int {
	room := make(map[int][]int, len(later)) // by want and row: how often it fits
	for _, l := range later {
		room[l] = make([]int, len(p.free))
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
	before, sum := p.free[i], 0.0
	p.free[i] = before.Sub(p.wants[w].Shape.Request)
	for _, l := range later {
		if n := room[l][i]; n > 0 {
			sum += float64(n-p.times(l, i, n)) / float64(p.wants[l].Count)
		}
	}
	p.free[i] = before
	return sum
}

// leftover is how empty a row is, in thousandths, by the resource of which the
// largest part is free.
func (p *plan) leftover(i int) int64 {
	free, all := &p.free[i], &p.view.Rows[i].Node.Allocatable
	return max(0, thousandths(free.MilliCPU, all.MilliCPU), thousandths(free.Memory, all.Memory))
}

func thousandths(part, all int64) int64 {
	if all <= 0 {
		return 0
	}
	return part * 1000 / all
}
