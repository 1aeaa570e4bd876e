package planner

import (
	"cmp"
	"slices"

	"muster.sh/muster/scheduler/cluster"
)

// Fill places as many members of the request's only want as there is room for, as
// near to each other as is asked.
func Fill(v cluster.View, r Request) []Share {
	p := newPlan(v, r)
	defer p.done()
	nears := []Near{r.Near}
	if near, is := r.NearByRole[r.Wants[0].Role]; is {
		nears = append(nears, near)
	}
	p.fillNear(r.Wants[0].Count, nears)
	return p.shares
}

// fillNear places up to a number of members of the first want: into the domain where
// others are, or else the roomiest, of each level in turn, and then, if it is not
// required that they are together, anywhere.
func (p *plan) fillNear(count int, nears []Near) int {
	if count <= 0 {
		return 0
	}
	if len(nears) == 0 {
		p.want(count)
		return p.strategy.fill(p, 0)
	}
	near, inner, on, placed := nears[0], nears[1:], nears[0].On, 0
	for _, level := range near.Levels {
		p.want(count - placed)
		if d, ok := p.nearest(level, on); ok {
			restore := p.keepTo([]int{0}, level, d)
			placed += p.fillNear(count-placed, inner)
			restore()
		}
		if len(on) == 0 && placed > 0 {
			on = []string{p.shares[0].Node}
		}
	}
	if !near.Required || len(near.Levels) == 0 {
		placed += p.fillNear(count-placed, inner)
	}
	return placed
}

// want sets how many members of the first want are still to be placed.
func (p *plan) want(count int) {
	w := p.wants[0]
	w.Count = count
	p.wants = []Want{w}
}

// nearest is the domain at a level in which others are, or else the smallest with
// room for all, or else the roomiest.
func (p *plan) nearest(level string, on []string) (string, bool) {
	all := p.domains(level, []int{0}, on)
	if fit := roomy(all); len(fit) > 0 {
		return fit[0].name, true
	}
	if len(all) == 0 {
		return "", false
	}
	return slices.MaxFunc(all, func(a, b domain) int { return cmp.Compare(a.room[0], b.room[0]) }).name, true
}
