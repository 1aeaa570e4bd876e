package source

import (
	v1 "k8s.io/api/core/v1"

	"muster.sh/muster/scheduler/gang"
)

// ended is how a member has ended.
type ended struct {
	phase v1.PodPhase
	role  string
}

// countDone notes what had been done when a member came and there was no other. That
// is of interest where core has not seen it: before the first member that this
// process sees, or that declares the gang anew. It is forgotten when a PodGroup is
// run once more.
func (g *group) countDone() {
	now := g.succeeded()
	switch {
	case len(g.roles) == 0:
		g.done = now
	case len(now) == 0, g.declared != nil && total(now) >= g.declared.gang.Min():
		g.done = nil
	}
}

// succeeded counts, by role, the members that have ended well and still exist.
func (g *group) succeeded() map[string]int {
	counts := map[string]int{}
	for _, e := range g.ended {
		if e.phase == v1.PodSucceeded {
			counts[e.role]++
		}
	}
	return counts
}

// leaveOutDone takes what has been done out of a minimum: the rest must not wait
// for it. Where the whole minimum of a PodGroup was done, that was an earlier run.
func (g *group) leaveOutDone(e *gang.Gang) {
	done := total(g.done)
	if done >= e.Min() && !declaredByMembers(kindOf(e.ID)) {
		return
	}
	for i := range e.Roles {
		r := &e.Roles[i]
		r.Min = max(r.Min-g.done[r.Name], 0)
	}
	e.MinMember = max(e.MinMember-done, 1)
}

func total(counts map[string]int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}
