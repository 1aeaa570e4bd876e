package audit

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Reservation is room held on named nodes for the members of a gang.
type Reservation struct {
	Namespace, Name string
	// Stored is when the reservation came into force and Released when it ended;
	// a zero Released means that it lasts to the end. One whose slots change is
	// given as several, one after the other.
	Stored, Released Moment
	Slots            []Slot
	// Claims tells whether a pod belongs to the reservation's owner, and in
	// which role.
	Claims func(*Pod) (role string, mine bool)
}

// Slot is room for Count members of one role on one node.
type Slot struct {
	Role, Node string
	Count      int
	Requests   corev1.ResourceList // of each member
}

// StolenRoom finds the pods that were bound on room that a reservation held for
// others: after the bind, what is bound to the node and what is reserved on it
// but not yet claimed exceed its allocatable in a resource that the pod asked
// for. A member of the reservation's owner claims one slot of its role on its
// node if it is no larger than the slot; one without a slot is judged as anyone.
//
// Only reservations that were stored before the bind was asked for are held
// against it.
func StolenRoom(tl *Timeline, reservations []Reservation) []Finding {
	onNode := map[string][]*Reservation{}
	for i := range reservations {
		r := &reservations[i]
		for _, slot := range r.Slots {
			if known := onNode[slot.Node]; !slices.Contains(known, r) {
				onNode[slot.Node] = append(known, r)
			}
		}
	}
	stays := tl.stays()
	var findings []Finding
	for name, held := range onNode {
		if node := tl.nodes[name]; node != nil {
			findings = append(findings, stolenOn(node, stays[name], held)...)
		}
	}
	return sortFindings(findings)
}

func stolenOn(node *Node, stays []stay, held []*Reservation) []Finding {
	used := amounts{}
	var findings []Finding
	for _, event := range nodeEvents(node, stays) {
		switch event.kind {
		case stayEnds:
			used.add(event.stay.demand, -1)
		case stayBegins:
			used.add(event.stay.demand, 1)
			if finding, stolen := judgeBind(node, event.stay, used, stays, held); stolen {
				findings = append(findings, finding)
			}
		}
	}
	return findings
}

// judgeBind judges one bind, with used holding what is bound after it.
func judgeBind(node *Node, bound *stay, used amounts, stays []stay, held []*Reservation) (Finding, bool) {
	room := node.room(bound.from)
	if room == nil {
		return Finding{}, false
	}
	unclaimed := amounts{}
	var robbed *Reservation
	for _, r := range held {
		if !r.holdsAgainst(bound) {
			continue
		}
		left, claimed := r.unclaimed(node.Name, bound, stays)
		if claimed {
			return Finding{}, false
		}
		if len(left) > 0 {
			unclaimed.add(left, 1)
			robbed = r
		}
	}
	for _, name := range bound.demand.names() {
		if bound.demand[name] == 0 || unclaimed[name] == 0 || used[name]+unclaimed[name] <= room[name] {
			continue
		}
		return Finding{
			Kind: Stolen, Object: bound.pod.String(), At: bound.from, Until: bound.from,
			Detail: fmt.Sprintf("bound to %s by scheduler %s with %s of %s: %s are bound and %s still reserved for others (%s/%s) of %s allocatable",
				node.Name, bound.pod.Scheduler, quantity(name, bound.demand[name]), name, quantity(name, used[name]),
				quantity(name, unclaimed[name]), robbed.Namespace, robbed.Name, quantity(name, room[name])),
		}, true
	}
	return Finding{}, false
}

// holdsAgainst reports whether the reservation was certainly in force from before
// the bind was asked for until after it was done.
func (r *Reservation) holdsAgainst(bound *stay) bool {
	return !r.Stored.By.After(bound.pod.Bound.After) &&
		(!r.Released.Known() || r.Released.After.After(bound.from))
}

// unclaimed is what the reservation holds on a node for members that are not
// there at the time of a bind, and whether the pod being bound claims a slot.
func (r *Reservation) unclaimed(node string, bound *stay, stays []stay) (amounts, bool) {
	var slots []Slot
	for _, slot := range r.Slots {
		if slot.Node == node {
			slots = append(slots, slot)
		}
	}
	claimed := false
	for i := range stays {
		s := &stays[i]
		if s != bound && !s.maybeThere(bound.from) {
			continue
		}
		if at := claimedSlot(slots, s, r.Claims); at >= 0 {
			slots[at].Count--
			claimed = claimed || s == bound
		}
	}
	left := amounts{}
	for _, slot := range slots {
		if slot.Count > 0 {
			left.add(amountsOf(slot.Requests), int64(slot.Count))
			left[corev1.ResourcePods] += int64(slot.Count)
		}
	}
	return left, claimed
}

// maybeThere reports whether the pod may have held its room at a time, requests
// in flight counted as done and as not done: a claim must not be denied for them.
func (s *stay) maybeThere(at time.Time) bool {
	freed := earliest(s.pod.Ended, s.pod.Gone)
	return !s.pod.Bound.After.After(at) && (!freed.Known() || !freed.By.Before(at))
}

func claimedSlot(slots []Slot, s *stay, claims func(*Pod) (string, bool)) int {
	role, mine := claims(s.pod)
	if !mine {
		return -1
	}
	return slices.IndexFunc(slots, func(slot Slot) bool {
		return slot.Count > 0 && slot.Role == role && fits(s.demand, amountsOf(slot.Requests))
	})
}

// fits reports whether a pod is no larger than a slot.
func fits(demand, slot amounts) bool {
	for name, n := range demand {
		if name != corev1.ResourcePods && n > slot[name] {
			return false
		}
	}
	return true
}
