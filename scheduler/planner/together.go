package planner

import "muster.sh/muster/scheduler/resource"

// together is the row that gets all members of want w, if they ask for devices and there is
// one that has room for all: the fullest of those that are begun already, or else one of
// which they take all devices. It is -1 if there is none.
//
// A gang ends as a whole. Spread over the gaps of many nodes it would keep each of these
// from becoming whole again, and large gangs wait for whole nodes.
func (p *plan) together(w int) int {
	want := &p.wants[w]
	best, least := -1, levels
	if want.Count < 2 || !hasDevices(&want.Shape.Request) {
		return best
	}
	for _, i := range p.usable[w] {
		if p.fits(w, i, want.Count) < want.Count || !p.isBegun(w, i) && !p.fillUp(w, i) {
			continue
		}
		if level := p.emptiness(w, i); level < least && p.times(w, i, want.Count) == want.Count {
			best, least = i, level
		}
	}
	return best
}

// isBegun says that devices of row i are in use, of those that want w asks for.
func (p *plan) isBegun(w, i int) bool {
	return freeDevices(p.free(i), &p.view.Rows[i].Node.Allocatable, p.wants[w].Shape.Request.Extra) < deviceLevels
}

// fillUp says that the members of want w would take all free devices of row i.
func (p *plan) fillUp(w, i int) bool {
	free, count := p.free(i), int64(p.wants[w].Count)
	for _, a := range p.wants[w].Shape.Request.Extra {
		if resource.IsDevice(a.Name) && free.Get(a.Name) != a.Value*count {
			return false
		}
	}
	return true
}
