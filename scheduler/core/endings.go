package core

import (
	"cmp"
	"slices"
	"time"

	"muster.sh/muster/scheduler/booking"
)

// startup is how long the members of a gang take to run, at most, once there is room.
const startup = 30 * time.Second

// runtime is how long a gang is expected to run once its members do; zero if nobody
// knows. A declaration that was too short for earlier runs of the same application does
// not count.
func (m *Machine) runtime(g *group) time.Duration {
	return max(g.decl.Runtime, m.past.longest(g))
}

// endOf is when a gang that has room is expected to have ended, if that is known.
func (m *Machine) endOf(g *group) (time.Time, bool) {
	d := m.runtime(g)
	return g.launched.Add(startup + d), d > 0 && !g.launched.IsZero()
}

// overruns says that a gang runs for longer than it has declared.
func (m *Machine) overruns(g *group) bool {
	return g.decl.Runtime > 0 && g.phase == Started && !g.launched.Add(startup+g.decl.Runtime).After(m.now)
}

// endings are the gangs that have room, and of which it is known when they will have
// ended. Of the endless nobody knows for how long they have it.
func (m *Machine) endings() (out []booking.Ending, endless int) {
	for _, g := range m.groups {
		if g.phase != Started && !g.starting() {
			continue
		}
		if at, known := m.endOf(g); known && at.After(m.now) {
			out = append(out, m.ending(g, at))
		} else {
			endless++
		}
	}
	slices.SortFunc(out, func(a, b booking.Ending) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Gang, b.Gang)) })
	return out, endless
}

func (m *Machine) ending(g *group, at time.Time) booking.Ending {
	e := booking.Ending{Gang: g.decl.ID, At: at}
	for _, mem := range g.order {
		if mem.state == bound {
			e.Pods = append(e.Pods, mem.ID)
		}
	}
	for _, s := range m.book.Holding(g.decl.ID).Slots {
		e.Slots = append(e.Slots, s.ID)
	}
	return e
}

// past is how long the last runs of applications took.
type past struct {
	runs map[application]*runs
	// last numbers the runs in their order.
	last uint64
}

type application struct{ namespace, name string }

type runs struct {
	took []time.Duration // the last ones
	at   uint64
}

const (
	// maxRuns are remembered of an application, minRuns of one that declares nothing
	// must be known, and maxApplications are remembered in all.
	maxRuns         = 5
	minRuns         = 2
	maxApplications = 10_000
)

// note remembers that a run of a gang has ended by itself.
func (p *past) note(g *group, now time.Time) {
	if g.decl.Application == "" || g.phase != Started || g.launched.IsZero() {
		return
	}
	if p.runs == nil {
		p.runs = map[application]*runs{}
	}
	of := applicationOf(g)
	r := p.runs[of]
	if r == nil {
		p.forgetOldest()
		r = &runs{}
		p.runs[of] = r
	}
	p.last++
	r.at, r.took = p.last, append(r.took, now.Sub(g.launched))
	r.took = r.took[max(len(r.took)-maxRuns, 0):]
}

func (p *past) forgetOldest() {
	if len(p.runs) < maxApplications {
		return
	}
	var oldest application
	for of, r := range p.runs {
		if known := p.runs[oldest]; known == nil || r.at < known.at {
			oldest = of
		}
	}
	delete(p.runs, oldest)
}

// longest is how long the longest of the runs that are remembered took; zero where there
// are too few of them.
func (p *past) longest(g *group) time.Duration {
	r := p.runs[applicationOf(g)]
	if g.decl.Application == "" || r == nil || len(r.took) < minRuns {
		return 0
	}
	return slices.Max(r.took)
}

func applicationOf(g *group) application {
	_, namespace, _ := g.decl.ID.Split()
	return application{namespace, g.decl.Application}
}
