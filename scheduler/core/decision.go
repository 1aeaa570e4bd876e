package core

import (
	"muster.sh/muster/scheduler/gang"
)

// Epoch numbers the plans that were made. Orders carry the epoch of their
// plan and acknowledgements return it, so that a late answer is recognised.
type Epoch uint64

// Decision is an order of the machine to the world. Orders of one step are to
// be begun in the order given; the room that they rely on is on the Board
// before the first of them is handed out.
type Decision interface{ isDecision() }

// Release hands a held member to kube-scheduler. Its Placement, with the only
// node that it may run on, is on the Board.
type Release struct {
	Gang  gang.ID
	Pod   gang.PodID
	Epoch Epoch
}

// OpenLatch lets every member of a gang that waits at the latch with this
// epoch, or comes to it later, be bound.
type OpenLatch struct {
	Gang  gang.ID
	Epoch Epoch
}

// ShutLatch turns back every member that waits at the latch with this epoch,
// or comes to it later: it goes back to the hold as Parked.
type ShutLatch struct {
	Gang   gang.ID
	Epoch  Epoch
	Reason string
}

// StoreReservation makes the room held for a gang outlive this process: that of
// the roles of which members are expected. It is acknowledged by
// ReservationStored, and no member is released before. With Epoch 0 it only
// brings an object already stored up to date.
type StoreReservation struct {
	Gang  gang.ID
	Owner gang.Object
	Epoch Epoch
	Slots []ReservedSlot
	// Leaving makes it outlive this process that the gang goes, with nothing held.
	Leaving bool
}

// DropReservation removes what StoreReservation stored.
type DropReservation struct{ Gang gang.ID }

// Evict has a bound member evicted, as soon as its disruption budget allows. It is
// acknowledged by Evicted, and tried again until it is done, Spare takes it back,
// or it fails for good.
//
// It is not stored, but that the gang goes is: a new leader decides anew who of it is
// still to be evicted. Evicting a pod a second time changes nothing.
type Evict struct {
	Gang   gang.ID
	Pod    gang.PodID
	Reason string
}

// Spare takes an Evict back that is not done yet.
type Spare struct {
	Gang gang.ID
	Pod  gang.PodID
}

// Explain publishes why a gang is where it is. It is decided only when the
// verdict's kind changes, so each costs at most one write per object.
type Explain struct {
	Gang    gang.ID
	Owner   gang.Object
	Verdict gang.Verdict
	// Waiting are the members that have a pod and wait.
	Waiting []gang.PodID
}

// Status reports a gang's counts for the status of its owner.
type Status struct {
	Gang  gang.ID
	Owner gang.Object
	Phase Phase
	// Members that are there, those bound among them, and the minimum.
	Members, Bound, Min int
}

func (Release) isDecision()          {}
func (OpenLatch) isDecision()        {}
func (ShutLatch) isDecision()        {}
func (StoreReservation) isDecision() {}
func (DropReservation) isDecision()  {}
func (Evict) isDecision()            {}
func (Spare) isDecision()            {}
func (Explain) isDecision()          {}
func (Status) isDecision()           {}
