package core

import (
	"sync"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// Board is what concurrent code may read of the machine's state. It has one
// writer, the loop; readers never block it or each other. Values on it are
// never changed, only replaced.
type Board struct {
	nodes  sync.Map // node name -> []Held
	zones  sync.Map // node name -> *Zones
	places sync.Map // gang.PodID -> Placement
}

// Held is room on a node that is promised to one member. It counts against
// the node exactly while the pod in Claimant is not among the node's pods; with
// an empty Claimant it always counts.
type Held struct {
	Gang     gang.ID
	Role     string
	Claimant gang.PodID
	Request  resource.Vector
}

// Placement is the only place where a released member may run.
type Placement struct {
	Gang  gang.ID
	Role  string
	Node  string
	Epoch Epoch
	// Roams says that the member's own cycle may choose another node, with room
	// beside all that is promised to others. Members of one gang that roam may take
	// each other's room, and leave theirs.
	Roams bool
	// Except lists nodes that a member which roams may not choose: binds to them
	// have failed, or they were vetoed before it roamed.
	Except []string
	// Check lists nodes on which room is held for members that have no pod
	// yet. The member's own cycle verifies on kube-scheduler's snapshot that
	// nothing on them is overdrawn, before the latch can open.
	Check []string
}

// Zones is what may be counted on of a node's NUMA zones, all that is promised there
// included.
type Zones struct {
	*cluster.Zones
	// Pods are those outside of gangs that it tells of, sorted.
	Pods []gang.PodID
}

// Zones returns what is known of a node's NUMA zones; nil where its kubelet refuses no
// pod for which the node has room.
func (b *Board) Zones(node string) *Zones {
	v, ok := b.zones.Load(node)
	if !ok {
		return nil
	}
	return v.(*Zones)
}

func (b *Board) setZones(node string, z *Zones) {
	if z.Zones == nil {
		b.zones.Delete(node)
		return
	}
	b.zones.Store(node, z)
}

// Held returns the room that is promised on a node.
func (b *Board) Held(node string) []Held {
	v, ok := b.nodes.Load(node)
	if !ok {
		return nil
	}
	return v.([]Held)
}

// Placement returns where a pod may run. Without one a member of a gang may
// run nowhere.
func (b *Board) Placement(pod gang.PodID) (Placement, bool) {
	v, ok := b.places.Load(pod)
	if !ok {
		return Placement{}, false
	}
	return v.(Placement), true
}

func (b *Board) setHeld(node string, held []Held) {
	if len(held) == 0 {
		b.nodes.Delete(node)
		return
	}
	b.nodes.Store(node, held)
}

func (b *Board) setPlacement(pod gang.PodID, p Placement) { b.places.Store(pod, p) }

func (b *Board) dropPlacement(pod gang.PodID) { b.places.Delete(pod) }
