package numa

import (
	"slices"

	"muster.sh/muster/scheduler/resource"
)

// pool is what init containers leave of one resource that is counted, by zone.
type pool struct {
	resource string
	byZone   []int64
	// unknown says that it is not known what of it, or of the zones, is left.
	unknown bool
}

// pool finds what is left of a resource, and makes an empty one.
func (a *admission) pool(name string) *pool {
	i := slices.IndexFunc(a.pools, func(p pool) bool { return p.resource == name })
	if i < 0 {
		i = len(a.pools)
		a.pools = append(a.pools, pool{resource: name, byZone: make([]int64, len(a.left))})
	}
	return &a.pools[i]
}

func (p *pool) sum() int64 {
	var sum int64
	for _, n := range p.byZone {
		sum += n
	}
	return sum
}

func (p *pool) zones() Mask {
	var m Mask
	for z, n := range p.byZone {
		if n > 0 {
			m |= 1 << z
		}
	}
	return m
}

func (a *admission) allocateCounted(role Role, want resource.Amount, from Mask) *Refusal {
	p := a.pool(want.Name)
	left := a.left.sum(a.t.all(), want.Name)
	switch {
	case left+p.sum() < want.Value:
		return a.t.refusal(want.Name)
	case want.Name != resource.CPU:
		a.drawDevices(role, p, want.Value, from)
	case !a.t.wholeCores(want.Value):
		return a.t.refusal(want.Name)
	case a.t.FullCores > 0 && p.unknown:
		return a.t.doubt(want)
	case a.t.FullCores > 0 && left < want.Value:
		// What init containers leave does not count for whole cores.
		return a.t.refusal(want.Name)
	default:
		a.drawCPUs(role, p, want.Value, from)
	}
	return nil
}

// wholeCores says whether so many CPUs are whole cores, or need not be.
func (t *Topology) wholeCores(cpus int64) bool {
	return t.FullCores == 0 || cpus%(1000*t.FullCores) == 0
}

// drawDevices takes what can be reused first. A plugin may have its own idea of
// which are best together, so only what has to come from a zone surely does.
func (a *admission) drawDevices(role Role, p *pool, want int64, from Mask) {
	reused := min(want, p.sum())
	again, sure := spread(p.byZone, reused, a.t.all())
	a.note(p, sure)
	fresh, sure := spread(a.counts(p.resource), want-reused, from)
	a.note(p, sure)
	for z := range fresh {
		a.draw(role, p, z, fresh[z], again[z])
	}
}

// drawCPUs takes from the CPUs that can be reused and those left alike, by where
// they are in sockets and cores. The same request to the same CPUs gets the same
// ones, and who gets all gets all; else it is not known which are reused.
func (a *admission) drawCPUs(role Role, p *pool, want int64, from Mask) {
	free := a.counts(resource.CPU)
	for z := range free {
		free[z] += p.byZone[z]
	}
	parts, sure := spread(free, want, from)
	a.note(p, sure)
	for z, part := range parts {
		reusable := p.byZone[z]
		again := max(part-(free[z]-reusable), 0)
		switch {
		case part == 0 || reusable == 0 || part == free[z]:
			// None, or nothing to reuse, or all.
		case part == reusable:
			again = part
		default:
			a.note(p, false)
		}
		a.draw(role, p, z, part-again, again)
	}
}

// draw takes fresh pieces from a zone, and some again of those left by init
// containers. An init container leaves all of them to the next.
func (a *admission) draw(role Role, p *pool, zone int, fresh, again int64) {
	if fresh > 0 {
		a.block(Block{Zones: 1 << zone, Resource: p.resource, Amount: fresh})
	}
	if role == Init {
		p.byZone[zone] += fresh
	} else {
		p.byZone[zone] -= again
	}
}

// note keeps that what was taken may have come from elsewhere.
func (a *admission) note(p *pool, sure bool) {
	p.unknown = p.unknown || !sure
	a.uncertain = a.uncertain || !sure
}

// counts is what each zone has left of a resource.
func (a *admission) counts(name string) []int64 {
	out := make([]int64, len(a.left))
	for z := range out {
		out[z] = max(a.left[z].Left.Get(name), 0)
	}
	return out
}

// spread takes pieces from some zones as far as they have them, and then from
// the others. It is sure of the result where all is taken, or where only one
// zone has any; else it drains the lowest first.
func spread(free []int64, want int64, from Mask) (parts []int64, sure bool) {
	parts, sure = make([]int64, len(free)), true
	for _, zones := range [...]Mask{from, ^from} {
		var sum int64
		having := 0
		for z, n := range free {
			if zones.has(z) && n > 0 {
				sum += n
				having++
			}
		}
		if want > 0 && want < sum && having > 1 {
			sure = false
		}
		for z, n := range free {
			if zones.has(z) {
				parts[z] = min(n, want)
				want -= parts[z]
			}
		}
	}
	return parts, sure
}
