package core

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/victims"
)

// movable is all that may be moved now.
func (m *Machine) movable() []victims.Unit {
	var units []victims.Unit
	for _, id := range sortedKeys(m.groups) {
		g := m.groups[id]
		if g.phase != Started || g.decl.Moves == gang.MovesNothing || !m.isSettled(g) {
			continue
		}
		for _, u := range m.elasticUnits(g, moving) {
			u.Again = m.request(g, need{members: []*member{m.members[u.Pods[0].ID]}}).Request
			units = append(units, u)
		}
		if m.mayMoveWhole(g) {
			units = append(units, m.movedWhole(g))
		}
	}
	return units
}

// mayMoveWhole says whether a gang may be moved with all its members. One that holds
// room for members to come gives that back as soon as it goes, which may be all that is
// lacking: nobody needs to be evicted then.
func (m *Machine) mayMoveWhole(g *group) bool {
	return g.decl.Moves == gang.MovesWhole && !g.isNonPreemptible() && m.book.Holding(g.decl.ID).Unclaimed() == 0 &&
		!slices.ContainsFunc(g.order, func(mem *member) bool { return !mem.runs() || !m.mayGo(mem, moving) })
}

// isSettled says whether all of a gang's minimum runs, and nobody is being deleted who
// would have to be made up for.
func (m *Machine) isSettled(g *group) bool {
	return g.declared && g.isWhole() && g.live[bound] == g.all[bound] && m.need(g).empty()
}

// mayGo says whether a bound member has run long enough. One that several budgets count
// the API server never evicts.
func (m *Machine) mayGo(mem *member, by way) bool {
	return len(mem.Budgets) <= 1 && m.ranFor(mem) >= m.clearing(by).MinRuntime
}

// ranFor is how long a member has run at least.
func (m *Machine) ranFor(mem *member) time.Duration { return m.now.Sub(mem.since) }

const (
	// elasticCost is what it costs to move a member that its gang can do without, and
	// wholeCost to move one together with all others, which lose what they have done as
	// well. Each hour for which a member has run costs one more, up to maxHours of them.
	elasticCost = 10
	wholeCost   = 20
	maxHours    = 9
)

func (m *Machine) cost(mem *member, of int64) int64 {
	return of + min(int64(m.ranFor(mem)/time.Hour), maxHours)
}

// elasticUnits are the members above a gang's minimum that may go by themselves.
func (m *Machine) elasticUnits(g *group, by way) []victims.Unit {
	var units []victims.Unit
	for _, s := range m.book.Holding(g.decl.ID).Slots {
		if mem := m.members[s.Claimant]; s.Elastic && mem != nil && mem.runs() && m.mayGo(mem, by) {
			units = append(units, victims.Unit{
				Gang: g.decl.ID, Pods: []victims.Pod{{ID: mem.ID, Budget: budgetOf(mem)}}, Cost: m.cost(mem, elasticCost),
			})
		}
	}
	return units
}

// wholeUnit is a gang with all that is bound of it, and all that it holds.
func (m *Machine) wholeUnit(g *group) victims.Unit {
	u := victims.Unit{Gang: g.decl.ID, Whole: true}
	for _, mem := range g.order {
		if mem.state == bound {
			u.Pods = append(u.Pods, victims.Pod{ID: mem.ID, Budget: budgetOf(mem)})
			u.Cost += m.cost(mem, wholeCost)
		}
	}
	for _, s := range m.book.Holding(g.decl.ID).Slots {
		if mem := m.members[s.Claimant]; mem == nil || mem.state != bound {
			u.Slots = append(u.Slots, s.ID)
		}
	}
	return u
}

// movedWhole is a gang that is placed again once it has gone. It will be near to itself
// only.
func (m *Machine) movedWhole(g *group) victims.Unit {
	u := m.wholeUnit(g)
	u.Again = m.request(g, need{members: g.order}).Request
	u.Again.MinFree, u.Again.Near.On = g.decl.MinResources, nil
	for role, near := range u.Again.NearByRole {
		near.On = nil
		u.Again.NearByRole[role] = near
	}
	return u
}

func budgetOf(mem *member) string {
	if len(mem.Budgets) == 0 {
		return ""
	}
	return mem.Budgets[0]
}

// vacating are the pods that will soon take no room any more: members that are being
// deleted, and for whose room nobody waits.
func (m *Machine) vacating() []gang.PodID {
	var out []gang.PodID
	for _, id := range sortedKeys(m.members) {
		mem := m.members[id]
		if s := m.book.ClaimedBy(id); mem.terminating && mem.state == bound && (s == nil || s.Elastic || m.groups[mem.Gang].phase == Leaving) {
			out = append(out, id)
		}
	}
	return out
}

// tellMoved says who goes for a gang. Gangs of other namespaces are not named: that is
// not this tenant's to know.
func (m *Machine) tellMoved(g *group, by way, units []victims.Unit) string {
	pods, names := map[string]int{}, []string{}
	for _, u := range units {
		name := "other namespaces"
		if of := m.groups[u.Gang].decl.Owner; of.Namespace == g.decl.Owner.Namespace {
			name = tellObject(of)
		}
		if pods[name] == 0 {
			names = append(names, name)
		}
		pods[name] += len(u.Pods)
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%d of %s", pods[name], name)
	}
	why := "pods are moved for which there is room elsewhere: "
	if by == reclaiming {
		why = "pods give way that have less right to it: "
	}
	return why + strings.Join(names, ", ")
}

// tellMover says to a gang for whom its pods go.
func (m *Machine) tellMover(v *move, to gang.ID) string {
	name, g := "a gang of another namespace", m.groups[to]
	if of := v.group.decl.Owner; of.Namespace == g.decl.Owner.Namespace {
		name = tellObject(of)
	}
	switch own, other := m.queueOf(v.group), m.queues.ChargedTo(to); {
	case v.late[to]:
		return fmt.Sprintf("it runs for longer than the %s that it has declared, and %s was to start after it", g.decl.Runtime, name)
	case v.by == moving:
		return "moved to make room for " + name + "; there is room for it elsewhere"
	case own == other:
		return fmt.Sprintf("gives way to %s, which goes first in queue %s", name, own)
	default:
		return fmt.Sprintf("queue %s gives back what it has borrowed from queue %s, for %s", other, own, name)
	}
}

func tellObject(o gang.Object) string { return strings.ToLower(o.Kind) + " " + o.Name }

// tellLate says why a move has taken too long.
func (m *Machine) tellLate(v *move) string {
	if n := len(v.leaving); n > 0 {
		return cmp.Or(v.hindrance, fmt.Sprintf("%d pods had not gone after %s", n, m.clearing(v.by).Timeout))
	}
	return "others that lack members went first"
}
