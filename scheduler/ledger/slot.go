// Package ledger holds room for members of gangs: slots on named nodes, over
// the node table. What is planned is entered as one transaction, all of it or
// none; that transaction is also the only what-if there is.
package ledger

import (
	"fmt"

	"muster.sh/muster/scheduler/gang"
)

// SlotID numbers slots; none is used twice.
type SlotID uint64

// Slot is room on a node that is held for one member of a gang. It counts
// against the node exactly while its claimant is not recorded on that node:
// before the member is bound, and again once it has died, in whatever order
// these events are seen.
type Slot struct {
	ID       SlotID
	Gang     gang.ID
	Role     string
	Node     string
	Shape    gang.Shape
	Claimant gang.PodID
	// Elastic slots hold a member above the minimum. They are given up with
	// their member.
	Elastic bool
}

// OverdrawnError says that a transaction asked for more than a node has.
type OverdrawnError struct {
	Node string
	Slot Slot
}

func (e *OverdrawnError) Error() string {
	return fmt.Sprintf("node %s has no room left for a %s of %s", e.Node, e.Slot.Role, e.Slot.Gang)
}
