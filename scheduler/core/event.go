package core

import (
	"time"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
)

// Event is something that happened outside of the machine. Events carry their
// time, so that a recorded history replays to the same decisions.
type Event interface{ isEvent() }

// NodeSet tells of a new or changed node.
type NodeSet struct{ Node cluster.Node }

// NodeGone tells that a node was removed.
type NodeGone struct{ Name string }

// ZonesReported tells what a node says of its NUMA zones. How the node aligns pods
// is told before, by NodeSet.
type ZonesReported struct {
	Node   string
	Report cluster.ZoneReport
}

// Member is a pod of a gang, as its source sees it.
type Member struct {
	ID        gang.PodID `json:"id"`
	Namespace string     `json:"namespace"`
	Name      string     `json:"name"`
	Gang      gang.ID    `json:"gang"`
	Role      string     `json:"role"`
	Shape     gang.Shape `json:"shape"`
	Created   time.Time  `json:"created"`
	// Priority of the pod. A gang has that of its member with the highest.
	Priority int64 `json:"priority,omitempty"`
	// Meek says that its priority takes no room from others that run.
	Meek bool `json:"meek,omitempty"`
	// Budgets are the names of the disruption budgets that count it; mostly none.
	Budgets []string `json:"budgets,omitempty"`
}

// PodSet tells of a new or changed pod that is not finished: one that is bound
// to a node, whoever bound it, or one that waits and is a member of a gang.
type PodSet struct {
	// Pod tells what room it takes; Pod.Node is empty while it waits.
	Pod cluster.Pod
	// Member is nil for pods that belong to no gang.
	Member *Member
	// Terminating pods count until they are gone, but are no longer members.
	Terminating bool
}

// End is how a pod ended.
type End string

// How pods end. Deleted pods had not failed before.
const (
	Succeeded End = "Succeeded"
	Failed    End = "Failed"
	Deleted   End = "Deleted"
)

// PodGone tells that a pod ended or was deleted and takes no room any more.
type PodGone struct {
	ID  gang.PodID
	End End
}

// GangSet declares a gang, or changes it.
type GangSet struct{ Gang gang.Gang }

// GangRefused tells that a gang can't be understood as it was sent. Verdict
// says which setting is wrong and how to mend it.
type GangRefused struct {
	ID      gang.ID
	Owner   gang.Object
	Created time.Time
	Verdict gang.Verdict
}

// GangGone tells that a gang ended or was deleted: the driver has ended, the
// PodGroup is gone. All its room is free again, but for pods that still run.
type GangGone struct{ ID gang.ID }

// ReservationFound tells at the start of a reservation that an earlier leader
// stored. It is a claim, checked against its owner before it is used.
type ReservationFound struct {
	Gang  gang.ID
	Owner gang.Object
	Slots []ReservedSlot
	// Leaving says that the gang was going.
	Leaving bool
}

// ReservedSlot is room for one member as a Reservation stores it.
type ReservedSlot struct {
	Role string `json:"role"`
	Node string `json:"node"`
}

// Synced tells that every source has delivered all that existed at the start.
// Nothing is decided before it.
type Synced struct{}

// Assumed tells that kube-scheduler's own cycle has chosen a node for a pod
// that belongs to no gang. Its bind may still fail.
type Assumed struct{ Pod cluster.Pod }

// Forgotten takes an Assumed back.
type Forgotten struct{ ID gang.PodID }

// BudgetSet tells how many more of the pods that a disruption budget counts may be
// evicted now.
type BudgetSet struct {
	Name    string
	Allowed int
}

// BudgetGone tells that a disruption budget was removed.
type BudgetGone struct{ Name string }

// QueueSet declares a queue, or changes it.
type QueueSet struct{ Queue queue.Spec }

// QueueGone tells that a queue was removed. What was charged to it still is.
type QueueGone struct{ Name string }

// NamespaceSet tells which queue gangs of a namespace charge that name none, and that
// all of its gangs may charge; an empty one takes that back.
type NamespaceSet struct{ Name, Queue string }

// AtLatch tells that a member has passed everything but its bind, and waits.
type AtLatch struct {
	ID    gang.PodID
	Epoch Epoch
	// Node on which it will run: one that roams has chosen it.
	Node string
}

// Parked tells that a released member is back in the hold: its cycle failed,
// or the latch was shut. Node and Reason are of the check that failed; Veto is
// false where the member was only turned back because its plan had gone. Node is
// empty where a member that roams found none.
type Parked struct {
	ID     gang.PodID
	Epoch  Epoch
	Veto   bool
	Node   string
	Plugin string
	Reason string
	// Room says that the veto is of a check of room, which the plan has judged too: for
	// a moment kube-scheduler's book knows of pods that ours does not, or the other way
	// round. It does not hold for long.
	Room bool
	// BindFailed says that the latch had opened and the bind itself failed.
	BindFailed bool
}

// ReservationStored acknowledges StoreReservation.
type ReservationStored struct {
	Gang  gang.ID
	Epoch Epoch
	// Err is empty on success.
	Err string
}

// Evicted tells what became of an Evict. On success the member is being deleted,
// or gone already.
type Evicted struct {
	ID gang.PodID
	// Err says why it can't be evicted; it is empty on success.
	Err string
	// Again says that it is tried again by itself: a disruption budget refuses it for
	// now, or the API server is out of reach. That is told once only. Without it the
	// eviction has failed for good.
	Again bool
}

// Tick tells the time when nothing else happens. Deadlines are judged by the
// time of events only.
type Tick struct{}

// Kinds has one event of each kind.
func Kinds() []Event {
	return []Event{
		NodeSet{}, NodeGone{}, ZonesReported{}, PodSet{}, PodGone{}, GangSet{}, GangRefused{}, GangGone{}, ReservationFound{},
		Synced{}, Assumed{}, Forgotten{}, BudgetSet{}, BudgetGone{}, QueueSet{}, QueueGone{}, NamespaceSet{},
		AtLatch{}, Parked{}, ReservationStored{}, Evicted{}, AskFound{}, Tick{},
	}
}

func (NodeSet) isEvent()           {}
func (NodeGone) isEvent()          {}
func (ZonesReported) isEvent()     {}
func (PodSet) isEvent()            {}
func (PodGone) isEvent()           {}
func (GangSet) isEvent()           {}
func (GangRefused) isEvent()       {}
func (GangGone) isEvent()          {}
func (ReservationFound) isEvent()  {}
func (Synced) isEvent()            {}
func (Assumed) isEvent()           {}
func (Forgotten) isEvent()         {}
func (BudgetSet) isEvent()         {}
func (BudgetGone) isEvent()        {}
func (QueueSet) isEvent()          {}
func (QueueGone) isEvent()         {}
func (NamespaceSet) isEvent()      {}
func (AtLatch) isEvent()           {}
func (Parked) isEvent()            {}
func (ReservationStored) isEvent() {}
func (Evicted) isEvent()           {}
func (Tick) isEvent()              {}
