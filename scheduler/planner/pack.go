package planner

import "slices"

// Pack puts members on the fullest nodes that have room, many per node: what stays
// free stays free in large pieces (best fit decreasing by node). Those that ask for devices
// all go to one of these, if one has room for all.
type Pack struct{}

func (Pack) fill(p *plan, w int) int {
	if i := p.together(w); i >= 0 {
		p.take(w, i, p.wants[w].Count)
		return p.wants[w].Count
	}
	var first [levels]int        // by emptiness: a row, which links to the next one, less one
	untouched := p.shares == nil // then all that are usable have room
	for _, i := range slices.Backward(p.usable[w]) {
		if untouched || p.fits(w, i, 1) > 0 {
			level := p.emptiness(w, i)
			p.next[i], first[level] = first[level], i+1
		}
	}
	placed := 0
	for _, row := range first {
		for ; row > 0 && placed < p.wants[w].Count; row = p.next[row-1] {
			if k := p.times(w, row-1, p.wants[w].Count-placed); k > 0 {
				p.take(w, row-1, k)
				placed += k
			}
		}
	}
	return placed
}

func (Pack) cost(p *plan, w, i int) cost { return cost{first: int64(p.emptiness(w, i))} }
