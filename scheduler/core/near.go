package core

import (
	"slices"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/planner"
)

// keepNear puts into a request how near to each other the gang's members are to be,
// and where those are that have room already.
func (m *Machine) keepNear(g *group, r *planner.Request) {
	if len(g.decl.Topology.Levels) > 0 {
		r.Near = planner.Near{Topology: g.decl.Topology, On: m.nodesOf(g, nil)}
	}
	for i := range g.decl.Roles {
		role := &g.decl.Roles[i]
		if len(role.Topology.Levels) == 0 {
			continue
		}
		if r.NearByRole == nil {
			r.NearByRole = map[string]planner.Near{}
		}
		r.NearByRole[role.Name] = planner.Near{Topology: role.Topology, On: m.nodesOf(g, role)}
	}
}

// nodesOf returns the nodes on which a gang holds room, for one role or for all.
func (m *Machine) nodesOf(g *group, role *gang.Role) []string {
	var nodes []string
	for _, s := range m.book.Holding(g.decl.ID).Slots {
		if role == nil || s.Role == role.Name {
			nodes = append(nodes, s.Node)
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}
