package planner

import (
	"cmp"
	"slices"

	"muster.sh/muster/scheduler/resource"
)

// singly is the largest want whose members are placed one by one, with a look
// at what they cost the others. Larger ones fill nodes.
const singly = 16

// fill places up to the wanted number of members, many per node, on the
// fullest nodes that have room: what stays free stays free in large pieces
// (best fit decreasing by node).
func (p *plan) fill(w int) int {
	type candidate struct {
		row  int
		left int64
	}
	var rows []candidate
	for _, i := range p.usable[w] {
		if p.times(w, i, 1) > 0 {
			rows = append(rows, candidate{i, leftover(p.free[i], p.view.Rows[i].Node.Allocatable)})
		}
	}
	slices.SortStableFunc(rows, func(a, b candidate) int { return cmp.Compare(a.left, b.left) })
	placed := 0
	for _, c := range rows {
		if placed == p.wants[w].Count {
			break
		}
		if k := p.times(w, c.row, p.wants[w].Count-placed); k > 0 {
			p.take(w, c.row, k)
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
		loss, left := p.loss(w, i, later, room), leftover(p.free[i], p.view.Rows[i].Node.Allocatable)
		if best < 0 || loss < bestLoss || (loss == bestLoss && left < bestLeft) {
			best, bestLoss, bestLeft = i, loss, left
		}
	}
	return best
}

// loss is the share of their members for which the later wants lose the place
// if one member of w goes to row i.
func (p *plan) loss(w, i int, later []int, room map[int][]int) float64 {
	before := p.free[i]
	p.free[i] = before.Sub(p.wants[w].Shape.Request)
	sum := 0.0
	for _, l := range later {
		if n := room[l][i]; n > 0 {
			sum += float64(n-p.times(l, i, n)) / float64(p.wants[l].Count)
		}
	}
	p.free[i] = before
	return sum
}

// leftover is how empty a node is, in thousandths, by the resource of which
// the largest part is free.
func leftover(free, all resource.Vector) int64 {
	part := int64(0)
	for _, r := range [...][2]int64{{free.MilliCPU, all.MilliCPU}, {free.Memory, all.Memory}} {
		if r[1] > 0 {
			part = max(part, r[0]*1000/r[1])
		}
	}
	return part
}
