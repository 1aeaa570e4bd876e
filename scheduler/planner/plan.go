// Package planner places the members of a gang on nodes: a pure function of a
// request and a view to an assignment, or to the reasons why there is none.
// Members of equal shape are placed many at a time, so the cost is per gang
// and node and not per pod and node.
package planner

import (
	"slices"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// Want is a number of members of one role and one shape.
type Want struct {
	Role  string
	Shape gang.Shape
	Count int
}

// Request is what is to be placed together.
type Request struct {
	Wants []Want
	// MinFree must be free over the whole cluster, what the wants take of it
	// included; mostly empty.
	MinFree resource.Vector
	// Excluded says that a shape was vetoed on a node by its own cycle; nil if
	// none ever was.
	Excluded func(s *gang.Shape, node string) bool
	// Strategy is Pack where it is nil.
	Strategy Strategy
}

// Exact says whether Plan finds an assignment for the request whenever there is
// one.
func (r *Request) Exact() bool {
	return len(r.Wants) < 2 || (len(r.Wants) == 2 && min(r.Wants[0].Count, r.Wants[1].Count) == 1)
}

// Share is a number of members of one want on one node.
type Share struct {
	Want  int
	Node  string
	Count int
}

// Plan places every member of the request, or none. Without an assignment the
// verdict says which role could not be placed and why.
//
// Which nodes a shape can use at all is worked out once. Wants of few members
// go first, each onto the node where it costs the others the fewest places;
// the last want then goes where the strategy has it, which for a single shape
// finds a placing whenever there is one. So a driver with equal executors is
// placed whenever that is possible. For three shapes and more this is a
// heuristic, tried in several orders (vector bin packing is NP-hard), and by
// packing where the strategy finds no way.
func Plan(v cluster.View, r Request) ([]Share, gang.Verdict) {
	if !r.MinFree.IsZero() {
		if short := r.MinFree.Short(v.Total()); !short.IsZero() {
			return nil, gang.Verdict{Code: gang.NoRoom, Missing: short, Nodes: len(v.Rows), Detail: "minResources: " + short.String() + " missing over the whole cluster"}
		}
	}
	p := newPlan(v, r)
	defer p.done()
	first, ok := p.placeInSomeOrder()
	if _, packs := p.strategy.(Pack); !ok && !packs && len(r.Wants) > 1 {
		p.strategy = Pack{}
		_, ok = p.placeInSomeOrder()
	}
	if !ok {
		return nil, first
	}
	return p.shares, gang.Verdict{}
}

// Fill places as many members of the request's only want as there is room for.
func Fill(v cluster.View, r Request) []Share {
	p := newPlan(v, r)
	defer p.done()
	p.strategy.fill(p, 0)
	return p.shares
}

// plan is the state of one attempt.
type plan struct {
	*scratch
	view     cluster.View
	wants    []Want
	excluded func(s *gang.Shape, node string) bool
	strategy Strategy
	ports    map[int]map[string]bool // by row: ports taken by this plan
	shares   []Share
}

func newPlan(v cluster.View, r Request) *plan {
	p := &plan{
		scratch: scratches.Get().(*scratch), view: v, wants: r.Wants, excluded: r.Excluded,
		strategy: r.Strategy, ports: map[int]map[string]bool{},
	}
	if p.strategy == nil {
		p.strategy = Pack{}
	}
	p.fit(len(v.Rows), len(r.Wants))
	p.reset()
	for w := range r.Wants {
		p.findUsable(w)
	}
	return p
}

// reset takes back what was placed.
func (p *plan) reset() {
	p.attempt++
	clear(p.ports)
	p.shares = nil
}

// findUsable lists the rows that have room for a member of want w and suit it. A
// plan only takes room, so no other row will ever have any.
func (p *plan) findUsable(w int) {
	rows := p.usable[w][:0]
	for i := range p.view.Rows {
		if p.times(w, i, 1) > 0 && p.suits(w, i) {
			rows = append(rows, i)
		}
	}
	p.usable[w] = rows
}

// suits says whether want w may use row i, room apart.
func (p *plan) suits(w, i int) bool {
	return cluster.Takes(p.view.Rows[i].Node, &p.wants[w].Shape) && !p.vetoed(w, i)
}

func (p *plan) vetoed(w, i int) bool {
	return p.excluded != nil && p.excluded(&p.wants[w].Shape, p.view.Rows[i].Node.Name)
}

// orders returns the orders in which wants are tried: few members first, then
// large members first, then the reverse of that.
func orders(wants []Want) [][]int {
	few := make([]int, len(wants))
	for i := range few {
		few[i] = i
	}
	slices.SortStableFunc(few, func(a, b int) int { return wants[a].Count - wants[b].Count })
	large := slices.Clone(few)
	slices.SortStableFunc(large, func(a, b int) int {
		return compareSize(wants[b].Shape.Request, wants[a].Shape.Request)
	})
	small := slices.Clone(large)
	slices.Reverse(small)
	out := [][]int{few}
	for _, order := range [][]int{large, small} {
		if !slices.ContainsFunc(out, func(o []int) bool { return slices.Equal(o, order) }) {
			out = append(out, order)
		}
	}
	return out
}

func compareSize(a, b resource.Vector) int {
	for _, d := range []int64{int64(len(a.Extra) - len(b.Extra)), a.MilliCPU - b.MilliCPU, a.Memory - b.Memory} {
		if d != 0 {
			return int(max(min(d, 1), -1))
		}
	}
	return 0
}

// placeInSomeOrder places all wants. If it can't, it says why it could not in the
// first order.
func (p *plan) placeInSomeOrder() (gang.Verdict, bool) {
	var first gang.Verdict
	for i, order := range orders(p.wants) {
		w, placed, ok := p.place(order)
		if ok {
			return gang.Verdict{}, true
		}
		if i == 0 {
			first = p.explain(w, placed)
		}
		p.reset()
	}
	return first, false
}

// place places the wants in an order. If it can't, it reports which want it
// was, and how many of its members were placed.
func (p *plan) place(order []int) (want, placed int, ok bool) {
	for i, w := range order {
		if later := order[i+1:]; len(later) > 0 && p.wants[w].Count <= singly {
			placed = p.placeSingly(w, later)
		} else {
			placed = p.strategy.fill(p, w)
		}
		if placed < p.wants[w].Count {
			return w, placed, false
		}
	}
	return 0, 0, true
}

// times says how often want w fits into row i now, at most limit.
func (p *plan) times(w, i, limit int) int {
	s := &p.wants[w].Shape
	if len(s.HostPorts) > 0 {
		limit = min(limit, 1)
		for _, port := range s.HostPorts {
			if p.ports[i][port] || p.view.Rows[i].Ports[port] {
				return 0
			}
		}
	}
	return int(s.Request.Times(*p.free(i), int64(limit)))
}

func (p *plan) take(w, i, count int) {
	s := &p.wants[w].Shape
	p.setFree(i, p.free(i).Sub(s.Request.Scale(int64(count))))
	p.placed[i] += count
	for _, port := range s.HostPorts {
		if p.ports[i] == nil {
			p.ports[i] = map[string]bool{}
		}
		p.ports[i][port] = true
	}
	p.shares = append(p.shares, Share{Want: w, Node: p.view.Rows[i].Node.Name, Count: count})
}

// explain counts, for the want that could not be placed, what each node lacks
// for one more member. What is lacking on one counts where nothing else keeps it off.
func (p *plan) explain(w, placed int) gang.Verdict {
	want := p.wants[w]
	out, lacks := map[gang.Constraint]int{}, map[string]int{}
	for i := range p.view.Rows {
		if !p.suits(w, i) {
			p.countAgainst(w, i, out)
			continue
		}
		short := want.Shape.Request.Short(*p.free(i))
		short.Each(func(name string, _ int64) { lacks[name]++ })
		if short.IsZero() && p.times(w, i, 1) == 0 {
			out[gang.HostPort]++
		}
	}
	for name, n := range lacks {
		out[gang.Lacks(name)] = n
	}
	return gang.Verdict{
		Code: gang.NoRoom, Role: want.Role, Placed: placed, Wanted: want.Count, Nodes: len(p.view.Rows),
		RuledOut: out, Missing: want.Shape.Request.Scale(int64(want.Count-placed)).With(resource.Pods, 0),
	}
}

// countAgainst counts what makes row i unsuitable for want w.
func (p *plan) countAgainst(w, i int, out map[gang.Constraint]int) {
	for _, c := range cluster.Suits(p.view.Rows[i].Node, &p.wants[w].Shape) {
		out[c]++
	}
	if p.vetoed(w, i) {
		out[gang.Excluded]++
	}
}
