package planner

import (
	"slices"
	"sync"

	"muster.sh/muster/scheduler/resource"
)

// scratch is what a plan needs for each node of a cluster. It is passed on from
// one plan to the next, for it would be most of the garbage of the whole scheduler.
type scratch struct {
	usable [][]int // by want: rows that had room and suit it, ascending
	// next links rows that are equally empty.
	next   []int
	offers priced
	// left is what is left of each row from which this attempt has taken something,
	// as written tells; of the others the view knows.
	left    []resource.Vector
	placed  []int // members on each row, in this attempt
	written []uint64
	attempt uint64
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// done gives the scratch away. What it has is written anew by the next plan.
func (p *plan) done() { scratches.Put(p.scratch) }

// fit makes room for that many rows and wants.
func (s *scratch) fit(rows, wants int) {
	s.next = slices.Grow(s.next[:0], rows)[:rows]
	s.left = slices.Grow(s.left[:0], rows)[:rows]
	s.placed = slices.Grow(s.placed[:0], rows)[:rows]
	s.written = slices.Grow(s.written[:0], rows)[:rows]
	for len(s.usable) < wants {
		s.usable = append(s.usable, nil)
	}
}

// free is what is left of row i in this attempt.
func (p *plan) free(i int) *resource.Vector {
	if p.written[i] == p.attempt {
		return &p.left[i]
	}
	return &p.view.Rows[i].Free
}

func (p *plan) setFree(i int, free resource.Vector) {
	p.placed[i] = p.members(i)
	p.left[i], p.written[i] = free, p.attempt
}

// members is how many members this attempt has placed on row i.
func (p *plan) members(i int) int {
	if p.written[i] == p.attempt {
		return p.placed[i]
	}
	return 0
}
