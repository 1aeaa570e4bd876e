package planner

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// Near says how near to each other members are to be.
type Near struct {
	gang.Topology
	// On are the nodes on which some of them run, or have room, already: the others
	// go into the domain in which most of these are.
	On []string
}

// inOneDomain lets place run with each domain in turn into which some wants may go
// together, the nearest level first, and at each level the domain with the least
// room first: large ones stay free for large gangs. Where that does not help, and it
// is not required, place has all nodes.
func (p *plan) inOneDomain(ws []int, near Near, place func() (gang.Verdict, bool)) (gang.Verdict, bool) {
	var tried gang.Verdict
	for _, level := range near.Levels {
		for _, d := range roomy(p.domains(level, ws, near.On)) {
			restore := p.keepTo(ws, level, d.name)
			v, ok := place()
			restore()
			if ok {
				return v, true
			}
			tried = v
		}
	}
	if len(near.Levels) == 0 || !near.Required {
		return place()
	}
	return p.noDomain(ws, near, tried), false
}

// domain is a part of the network at a level.
type domain struct {
	name string
	// room is how many members of each of some wants would fit, the others left out.
	room []int
	// least is how often all wants would fit, by the one that fits least, and spare the
	// sum of how often each does.
	least, spare float64
	// on counts the nodes that members are on already.
	on int
}

// measure works out least and spare.
func (d *domain) measure(p *plan, ws []int) {
	d.least = manyPods
	for k, w := range ws {
		if count := p.wants[w].Count; count > 0 {
			often := float64(d.room[k]) / float64(count)
			d.least, d.spare = min(d.least, often), d.spare+often
		}
	}
}

// domains returns the domains at a level, by name, with the room that they have for
// some wants. Where members are on nodes already it is the one with most of these.
func (p *plan) domains(level string, ws []int, on []string) []domain {
	found := map[string]*domain{}
	at := func(i int) *domain {
		name := p.view.Rows[i].Node.Domain(level)
		d := found[name]
		if d == nil {
			d = &domain{name: name, room: make([]int, len(ws))}
			found[name] = d
		}
		return d
	}
	for k, w := range ws {
		for _, i := range p.usable[w] {
			at(i).room[k] += p.times(w, i, p.wants[w].Count)
		}
	}
	if len(on) > 0 {
		for i := range p.view.Rows {
			if slices.Contains(on, p.view.Rows[i].Node.Name) {
				at(i).on++
			}
		}
	}
	delete(found, "") // nodes that are in none
	out := make([]domain, 0, len(found))
	for _, d := range found {
		d.measure(p, ws)
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b domain) int { return cmp.Or(b.on-a.on, strings.Compare(a.name, b.name)) })
	if len(on) > 0 && len(out) > 0 && out[0].on > 0 {
		out = out[:1]
	}
	return out
}

// roomy are the domains in which every want would fit, those with the least room
// first.
func roomy(all []domain) []domain {
	fit := slices.DeleteFunc(slices.Clone(all), func(d domain) bool { return d.least < 1 })
	slices.SortStableFunc(fit, func(a, b domain) int { return cmp.Compare(a.spare, b.spare) })
	return fit
}

// keepTo keeps wants to the nodes of a domain until what it returns is called.
func (p *plan) keepTo(ws []int, level, name string) (restore func()) {
	before := make([][]int, len(ws))
	for k, w := range ws {
		before[k] = p.usable[w]
		var inside []int
		for _, i := range p.usable[w] {
			if p.view.Rows[i].Node.Domain(level) == name {
				inside = append(inside, i)
			}
		}
		p.usable[w] = inside
	}
	return func() {
		for k, w := range ws {
			p.usable[w] = before[k]
		}
	}
}

// noDomain says why there is no room for some wants in any domain of the last level,
// which is the largest. tried is what came of the last try, if there was one.
func (p *plan) noDomain(ws []int, near Near, tried gang.Verdict) gang.Verdict {
	level := near.Levels[len(near.Levels)-1]
	all := p.domains(level, ws, near.On)
	if len(all) == 0 {
		w := &p.wants[ws[0]]
		return gang.Verdict{Code: gang.NoRoom, Role: w.Role, Wanted: w.Count, Nodes: len(p.view.Rows),
			Detail: fmt.Sprintf("they must be together in one %s, and no node that they could use is in any", level)}
	}
	best := slices.MaxFunc(all, func(a, b domain) int { return cmp.Compare(a.least, b.least) })
	v := tried
	if v.Code == "" {
		v = p.lackIn(&best, ws)
	}
	v.Detail = fmt.Sprintf("they must be together in one %s, and of %d the roomiest is %s", level, len(all), best.name)
	if len(near.On) > 0 {
		v.Detail = fmt.Sprintf("they must be together in one %s, and others of them are in %s", level, best.name)
	}
	return v
}

// lackIn says what a domain lacks for the want that fits least.
func (p *plan) lackIn(d *domain, ws []int) gang.Verdict {
	least := slices.MinFunc(ws, func(a, b int) int {
		return cmp.Compare(d.room[slices.Index(ws, a)]*p.wants[b].Count, d.room[slices.Index(ws, b)]*p.wants[a].Count)
	})
	w, room := &p.wants[least], d.room[slices.Index(ws, least)]
	placed := min(room, w.Count)
	return gang.Verdict{
		Code: gang.NoRoom, Role: w.Role, Placed: placed, Wanted: w.Count, Nodes: len(p.view.Rows),
		Missing: w.Shape.Request.Scale(int64(w.Count-placed)).With(resource.Pods, 0),
	}
}
