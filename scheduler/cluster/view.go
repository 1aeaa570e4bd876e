package cluster

import (
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// View is the free room of every node at one instant, sorted by node name. It
// never changes; who plans on it keeps what the plan takes beside it.
type View struct{ Rows []Row }

// Row is one node of a View. Free may be negative in a resource where the
// node is overdrawn.
type Row struct {
	Node *Node
	Free resource.Vector
	// Ports are the host ports in use.
	Ports map[string]bool
	// Zones are nil where the kubelet refuses no pod for which the node has room.
	Zones *Zones
}

// Times says how often a shape can go onto the row's node, at most limit.
func (r Row) Times(s *gang.Shape, limit int) int {
	if !Takes(r.Node, s) {
		return 0
	}
	if len(s.HostPorts) > 0 {
		limit = min(limit, 1)
	}
	for _, port := range s.HostPorts {
		if r.Ports[port] {
			return 0
		}
	}
	return r.Zones.Times(s.Aligned, nil, int(s.Request.Times(r.Free, int64(limit))))
}

// Total returns what is free over all nodes that take new pods, not counting
// what single nodes are overdrawn by.
func (v View) Total() resource.Vector {
	var sum resource.Vector
	for _, r := range v.Rows {
		if r.Node.Unschedulable || !r.Node.Ready {
			continue
		}
		r.Free.Each(func(name string, value int64) {
			if value > 0 {
				sum = sum.With(name, sum.Get(name)+value)
			}
		})
	}
	return sum
}

// Suits returns the constraints, other than resources, for which a shape can't
// run on a node; none if it can.
func Suits(n *Node, s *gang.Shape) []gang.Constraint {
	var out []gang.Constraint
	if !n.Ready {
		out = append(out, gang.NotReady)
	}
	if cordoned(n, s) {
		out = append(out, gang.Unschedulable)
	}
	if tainted(n, s) {
		out = append(out, gang.Tainted)
	}
	if !s.Admits(n.Name, n.Labels) {
		out = append(out, gang.NodeAffinity)
	}
	return out
}

// Takes says whether Suits would return none.
func Takes(n *Node, s *gang.Shape) bool {
	return n.Ready && !cordoned(n, s) && !tainted(n, s) && s.Admits(n.Name, n.Labels)
}

func cordoned(n *Node, s *gang.Shape) bool {
	return n.Unschedulable && !s.Tolerates(gang.Taint{Key: "node.kubernetes.io/unschedulable", Effect: gang.NoSchedule})
}

func tainted(n *Node, s *gang.Shape) bool {
	for _, taint := range n.Taints {
		if !s.Tolerates(taint) {
			return true
		}
	}
	return false
}
