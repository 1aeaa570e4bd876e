package source

import (
	"strings"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// reservation is a stored Reservation as it was found at the start.
type reservation = v1alpha1.Reservation

// discard asks for the removal of a Reservation that nobody can claim.
type discard struct{ namespace, name string }

func (discard) isErrand() {}

// maxSlots bounds what one Reservation is believed to hold.
const maxSlots = 100_000

// claimReservations posts the reservations that were found at the start and
// have the owner that they name, and discards the others. Whatever a
// Reservation says, the gang is declared from its owner.
func (c *collector) claimReservations() {
	for i := range c.reservations {
		r := &c.reservations[i]
		id := gang.ID(r.Spec.Gang)
		owner := c.ownerOf(id)
		if owner.UID == "" || !ofNamespace(id, r.Namespace) || owner.UID != string(r.Spec.Owner.UID) {
			c.ask(discard{r.Namespace, r.Name})
			continue
		}
		c.emit(core.ReservationFound{Gang: id, Owner: owner, Slots: slots(r.Spec.Slots), Leaving: r.Spec.Leaving})
	}
	c.reservations = nil
}

// ownerOf returns the object that stands for a gang that is known.
func (c *collector) ownerOf(id gang.ID) gang.Object {
	switch {
	case c.apps[id] != nil:
		return c.apps[id].driver
	case c.clients[id] != nil:
		return c.clients[id].owner
	case c.groups[id] != nil && c.groups[id].declared != nil:
		return c.groups[id].declared.gang.Owner
	}
	return gang.Object{}
}

// ofNamespace says whether a gang is one of a namespace.
func ofNamespace(id gang.ID, namespace string) bool {
	parts := strings.SplitN(string(id), "/", 3)
	return len(parts) == 3 && parts[1] == namespace
}

func slots(in []v1alpha1.ReservedSlots) []core.ReservedSlot {
	var out []core.ReservedSlot
	for _, s := range in {
		for range s.Count {
			if len(out) == maxSlots {
				return out
			}
			out = append(out, core.ReservedSlot{Role: s.Role, Node: s.Node})
		}
	}
	return out
}
