package victims

import (
	"cmp"
	"slices"
)

const (
	// maxDomains is in how many parts of the network it is tried where members must
	// be together.
	maxDomains = 8
	// maxBans is how many units may be found to have no other place before it is
	// given up.
	maxBans = 8
)

// greedily returns a set that is irreducible, but may not be the cheapest; nil if it
// finds none.
func (s *search) greedily() []int {
	var best []int
	for _, inside := range s.parts() {
		if set := s.inPart(inside); set != nil && (best == nil || s.cost(set) < s.cost(best)) {
			best = set
		}
	}
	return best
}

// parts are the parts of the network in which the gang may be: tests of rows. Where the
// members need not be together that is all of it.
func (s *search) parts() []func(int) bool {
	near := s.q.Request.Near
	if !near.Required || len(near.Levels) == 0 {
		return []func(int) bool{func(int) bool { return true }}
	}
	level := near.Levels[len(near.Levels)-1]
	room := map[string]int{}
	for i := range s.rows {
		for w := range s.fit {
			room[s.rows[i].Node.Domain(level)] += s.fit[w][i]
		}
	}
	delete(room, "")
	var names []string
	for name := range room {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(room[b]-room[a], cmp.Compare(a, b)) })
	var out []func(int) bool
	for _, name := range names[:min(len(names), maxDomains)] {
		out = append(out, func(i int) bool { return s.rows[i].Node.Domain(level) == name })
	}
	return out
}

// inPart chooses again without a unit that has no other place, until all have one.
func (s *search) inPart(inside func(int) bool) []int {
	clear(s.banned)
	for range maxBans {
		set := s.collect(inside)
		if set == nil {
			return nil
		}
		if _, m := s.prove(set); m == nothing {
			return s.reduce(set)
		} else if m.unit >= 0 {
			s.banned[m.unit] = true
		}
	}
	return nil
}

// collect adds, until the gang fits, what makes room for one more member of the want
// that lacks some at the least cost for each; and then what makes up for the quota that it
// lacks. It does not ask where the units go.
func (s *search) collect(inside func(int) bool) []int {
	var set []int
	known := map[[2]int]bundle{} // by want and row
	for {
		m := s.lacks(set)
		if m == nothing {
			return set
		}
		if m.want < 0 {
			u := s.bestForQuota(m.quota, set)
			if u < 0 {
				return nil
			}
			set = join(set, []int{u})
			continue
		}
		best, row := s.bestBundle(m, set, inside, known)
		if best.gain == 0 {
			return nil
		}
		grown := join(set, best.units)
		if !s.allowed(grown) { // what goes besides has changed what may
			known[[2]int{m.want, row}] = s.bundleOn(row, m.want, set)
			continue
		}
		set = grown
		touched := s.rowsOf(best.units)
		for key := range known {
			if slices.Contains(touched, key[1]) {
				delete(known, key)
			}
		}
	}
}

// lacks is what the gang lacks once a set has gone, room before quota.
func (s *search) lacks(set []int) missing {
	rows, m := s.suppose(set)
	if m == nothing {
		_, m = s.plan(rows)
	}
	if m == nothing {
		m.quota = s.lack(set)
	}
	return m
}

func join(a, b []int) []int {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return out
}

// bestForQuota returns the unit that makes up for the most quota at the least cost; below
// zero if none does.
func (s *search) bestForQuota(lack float64, set []int) int {
	best, ratio := -1, 0.0
	for u := range s.units {
		if s.banned[u] || slices.Contains(set, u) || !s.allowed(join(set, []int{u})) {
			continue
		}
		if r := (lack - s.lack(join(set, []int{u}))) / float64(s.units[u].Cost); r > ratio {
			best, ratio = u, r
		}
	}
	return best
}

// bundle is units that together make room for so many more members.
type bundle struct {
	units []int
	gain  int
	cost  int64
}

// less says whether a makes room at less cost for each member, of which at most lack
// are of use.
func (a bundle) less(b bundle, lack int) bool {
	return a.cost*int64(min(b.gain, lack)) < b.cost*int64(min(a.gain, lack))
}

// bestBundle returns the best of all rows, and the row.
func (s *search) bestBundle(m missing, set []int, inside func(int) bool, known map[[2]int]bundle) (bundle, int) {
	var best bundle
	row := -1
	for i := range s.rows {
		if !inside(i) {
			continue
		}
		b, ok := known[[2]int{m.want, i}]
		if !ok {
			b = s.bundleOn(i, m.want, set)
			known[[2]int{m.want, i}] = b
		}
		if b.gain > 0 && (best.gain == 0 || b.less(best, m.members)) {
			best, row = b, i
		}
	}
	return best, row
}

// bundleOn returns few units on row i that make room there for one more member of want w.
func (s *search) bundleOn(i, w int, set []int) bundle {
	var units []int
	room := func(more []int) int { return s.times(w, i, s.without(i, slices.Concat(set, more))) }
	before := -1
	for u := range s.units {
		if s.banned[u] || !s.units[u].isOn(i) || slices.Contains(set, u) || !s.allowed(slices.Concat(set, units, []int{u})) {
			continue
		}
		if before < 0 {
			before = room(nil)
		}
		if units = append(units, u); room(units) > before {
			break
		}
	}
	if len(units) == 0 || room(units) <= before {
		return bundle{}
	}
	for k := len(units) - 2; k >= 0; k-- { // the last one is needed
		if fewer := slices.Delete(slices.Clone(units), k, k+1); room(fewer) > before {
			units = fewer
		}
	}
	b := bundle{units: units, cost: s.cost(units)}
	for _, j := range s.rowsOf(units) {
		b.gain += s.times(w, j, s.without(j, slices.Concat(set, units))) - s.times(w, j, s.without(j, set))
	}
	return b
}

func (u *unit) isOn(row int) bool { return u.on[row] != nil || u.held[row] != nil }

// reduce leaves out units, the dearest first, until none is left that is not needed.
func (s *search) reduce(set []int) []int {
	for again := true; again; {
		again = false
		for k := len(set) - 1; k >= 0; k-- {
			fewer := slices.Delete(slices.Clone(set), k, k+1)
			if _, m := s.prove(fewer); m == nothing {
				set, again = fewer, true
			}
		}
	}
	return set
}
