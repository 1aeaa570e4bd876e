// Package planner places the members of a gang on nodes: a pure function of a
// request and a view to an assignment, or to the reasons why there is none.
// Members of equal shape are placed many at a time, so the cost is per gang
// and node and not per pod and node.
package planner

import (
	"slices"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/numa"
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
	// Near is for all members together, NearByRole for those of a role.
	Near       Near
	NearByRole map[string]Near
}

// Exact says whether Plan finds an assignment for the request whenever there is
// one.
func (r *Request) Exact() bool {
	for _, near := range r.NearByRole {
		if near.Required && len(r.Wants) > 1 {
			return false
		}
	}
	return len(r.Wants) < 2 || (len(r.Wants) == 2 && min(r.Wants[0].Count, r.Wants[1].Count) == 1)
}

// Anywhere says whether nothing but the shape of a member keeps it off a node.
func (r *Request) Anywhere() bool {
	return r.Excluded == nil && len(r.Near.Levels)+len(r.NearByRole) == 0
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
	first, ok := p.placeAll(&r)
	if _, packs := p.strategy.(Pack); !ok && !packs && len(r.Wants) > 1 {
		p.strategy = Pack{}
		_, ok = p.placeAll(&r)
	}
	if !ok && r.dropPreferences() {
		_, ok = p.placeAll(&r)
	}
	if !ok {
		return nil, first
	}
	return p.shares, gang.Verdict{}
}

// dropPreferences leaves out who is to be near to whom where it is not required, and
// reports whether there was anything of the kind: it keeps no gang from starting.
func (r *Request) dropPreferences() bool {
	required, dropped := map[string]Near{}, false
	for role, near := range r.NearByRole {
		if near.Required {
			required[role] = near
		} else {
			dropped = true
		}
	}
	r.NearByRole = required
	return dropped
}

// plan is the state of one attempt.
type plan struct {
	*scratch
	view     cluster.View
	wants    []Want
	excluded func(s *gang.Shape, node string) bool
	strategy Strategy
	ports    map[int]map[string]bool // by row: ports taken by this plan
	aligned  map[int][]*numa.Demand  // by row: what this plan has its kubelet align
	shares   []Share
	rows     []int // of the shares
}

func newPlan(v cluster.View, r Request) *plan {
	p := &plan{
		scratch: scratches.Get().(*scratch), view: v, wants: r.Wants, excluded: r.Excluded,
		strategy: r.Strategy, ports: map[int]map[string]bool{}, aligned: map[int][]*numa.Demand{},
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
	clear(p.aligned)
	p.shares, p.rows = nil, nil
}

// findUsable lists the rows that have room for a member of want w and suit it, their
// zones apart, which are dear to look at. A plan only takes room, so no other row will
// ever have any.
func (p *plan) findUsable(w int) {
	rows := p.usable[w][:0]
	for i := range p.view.Rows {
		if p.fits(w, i, 1) > 0 && p.suits(w, i) {
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
func (p *plan) orders(ws []int) [][]int {
	few := slices.Clone(ws)
	slices.SortStableFunc(few, func(a, b int) int { return p.wants[a].Count - p.wants[b].Count })
	large := slices.Clone(few)
	slices.SortStableFunc(large, func(a, b int) int {
		return compareSize(p.wants[b].Shape.Request, p.wants[a].Shape.Request)
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

// placeAll places every want, or nothing, and then says why.
func (p *plan) placeAll(r *Request) (gang.Verdict, bool) {
	all := make([]int, len(p.wants))
	for w := range all {
		all[w] = w
	}
	return p.inOneDomain(all, r.Near, func() (gang.Verdict, bool) { return p.placeRoles(all, r.NearByRole) })
}

// placeRoles places the wants of each role that is to be near, role by role with the
// largest first, and then the rest.
func (p *plan) placeRoles(all []int, near map[string]Near) (gang.Verdict, bool) {
	if len(near) == 0 {
		return p.placeInSomeOrder(all)
	}
	mark := len(p.shares)
	together, rest := p.byRole(all, near)
	for _, ws := range together {
		v, ok := p.inOneDomain(ws, near[p.wants[ws[0]].Role], func() (gang.Verdict, bool) { return p.placeInSomeOrder(ws) })
		if !ok {
			p.undo(mark)
			return v, false
		}
	}
	v, ok := p.placeInSomeOrder(rest)
	if !ok {
		p.undo(mark)
	}
	return v, ok
}

// byRole gathers the wants of each role that is to be near, the largest role first.
func (p *plan) byRole(all []int, near map[string]Near) (together [][]int, rest []int) {
	at := map[string]int{}
	for _, w := range all {
		role := p.wants[w].Role
		if _, is := near[role]; !is {
			rest = append(rest, w)
			continue
		}
		i, known := at[role]
		if !known {
			i = len(together)
			at[role], together = i, append(together, nil)
		}
		together[i] = append(together[i], w)
	}
	slices.SortStableFunc(together, func(a, b []int) int { return p.count(b) - p.count(a) })
	return together, rest
}

func (p *plan) count(ws []int) int {
	n := 0
	for _, w := range ws {
		n += p.wants[w].Count
	}
	return n
}

// placeInSomeOrder places some wants, or nothing. If it can't, it says why it could
// not in the first order.
func (p *plan) placeInSomeOrder(ws []int) (gang.Verdict, bool) {
	var first gang.Verdict
	mark := len(p.shares)
	for i, order := range p.orders(ws) {
		w, placed, ok := p.place(order)
		if ok {
			return gang.Verdict{}, true
		}
		if i == 0 {
			first = p.explain(w, placed)
		}
		p.undo(mark)
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
	limit = p.fits(w, i, limit)
	if s := &p.wants[w].Shape; s.Aligned != nil && limit > 0 {
		return p.view.Rows[i].Zones.Times(s.Aligned, p.aligned[i], limit)
	}
	return limit
}

// fits is times for a node without zones.
func (p *plan) fits(w, i, limit int) int {
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
	p.align(s, i, count)
	p.shares = append(p.shares, Share{Want: w, Node: p.view.Rows[i].Node.Name, Count: count})
	p.rows = append(p.rows, i)
}

// align notes that so many members of a shape come to the zones of row i, or takes the
// last of them back.
func (p *plan) align(s *gang.Shape, i, count int) {
	if s.Aligned == nil || p.view.Rows[i].Zones == nil {
		return
	}
	list := p.aligned[i]
	for range count {
		list = append(list, s.Aligned)
	}
	p.aligned[i] = list[:len(list)+min(count, 0)]
}

// undo takes back all but the first shares.
func (p *plan) undo(mark int) {
	if mark == 0 {
		p.reset()
		return
	}
	for k := mark; k < len(p.shares); k++ {
		share, i := p.shares[k], p.rows[k]
		s := &p.wants[share.Want].Shape
		p.setFree(i, p.free(i).Add(s.Request.Scale(int64(share.Count))))
		p.placed[i] -= share.Count
		for _, port := range s.HostPorts {
			delete(p.ports[i], port)
		}
		p.align(s, i, -share.Count)
	}
	p.shares, p.rows = p.shares[:mark], p.rows[:mark]
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
			out[p.otherLack(w, i)]++
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

// otherLack is what row i lacks for one more member of want w where it is no resource
// of the whole node.
func (p *plan) otherLack(w, i int) gang.Constraint {
	s, zones := &p.wants[w].Shape, p.view.Rows[i].Zones
	switch {
	case s.Aligned == nil || zones.Times(s.Aligned, p.aligned[i], 1) > 0:
		return gang.HostPort
	case zones.State == nil:
		return gang.ZonesUnknown
	}
	return gang.Unaligned
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
