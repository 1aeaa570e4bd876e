package audit

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/api/v1alpha1"
)

// Shape tells how much room a reservation holds for each member of a role; nil
// if that isn't known.
type Shape func(spec v1alpha1.ReservationSpec, role string) corev1.ResourceList

// Reservations reads Muster's own Reservation objects from the log, those of
// Spark applications, which are owned by the driver pod.
//
// A Reservation is stored before the driver is bound and may outlive it. It holds
// room only in between: before, the plan may still be given up, and when the
// driver has ended or is being deleted nobody is expected any more.
//
// A Reservation doesn't say how much room a member needs. It is what shape says;
// where shape is nil or returns nil, it is what the first member of that role
// asked for when it came. That of a gang that goes holds no room. A role of which no member ever came is an error then.
func Reservations(tl *Timeline, shape Shape) ([]Reservation, error) {
	var reservations []Reservation
	for _, object := range tl.Objects {
		if object.Group != v1alpha1.GroupVersion.Group || object.Resource != v1alpha1.ReservationResource.Resource {
			continue
		}
		for i, state := range object.States {
			reservation, err := reservationOf(tl, object, state, shape)
			if err != nil {
				return nil, fmt.Errorf("reservation %s/%s: %w", object.Namespace, object.Name, err)
			}
			reservation.Released = earliest(reservation.Released, object.replaced(i))
			if reservation.Stored.Known() {
				reservations = append(reservations, reservation)
			}
		}
	}
	return reservations, nil
}

func reservationOf(tl *Timeline, object *Object, state ObjectState, shape Shape) (Reservation, error) {
	out := Reservation{Namespace: object.Namespace, Name: object.Name}
	var spec v1alpha1.ReservationSpec
	if err := json.Unmarshal(state.Spec, &spec); err != nil {
		return out, fmt.Errorf("read spec: %w", err)
	}
	if spec.Leaving {
		return out, nil
	}
	if spec.Owner.Kind != "Pod" {
		return out, fmt.Errorf("owner %s %s is no driver pod", spec.Owner.Kind, spec.Owner.Name)
	}
	var driver *Pod
	for _, pod := range tl.Pods {
		if pod.UID == spec.Owner.UID {
			driver = pod
		}
	}
	if driver == nil {
		return out, fmt.Errorf("owner %s with UID %s is not in the log", spec.Owner.Name, spec.Owner.UID)
	}
	if !driver.Bound.Known() {
		return out, nil
	}
	out.Stored = state.At
	if driver.Bound.By.After(state.At.By) {
		out.Stored = driver.Bound
	}
	out.Released = earliest(earliest(driver.Ended, driver.Gone), driver.Deleting)
	out.Claims = driver.claims
	for _, slots := range spec.Slots {
		requests := roleRequests(tl, spec, slots.Role, driver, shape)
		if requests == nil {
			return out, fmt.Errorf("nothing tells what its role %q needs: no such member was created", slots.Role)
		}
		out.Slots = append(out.Slots, Slot{Role: slots.Role, Node: slots.Node, Count: int(slots.Count), Requests: requests})
	}
	return out, nil
}

// claims tells whether a pod is of the Spark application of this driver.
func (p *Pod) claims(other *Pod) (role string, mine bool) {
	app := p.Labels[sparkSelectorLabel]
	if other.UID == p.UID || other.Namespace == p.Namespace && app != "" && other.Labels[sparkSelectorLabel] == app {
		return other.Labels[sparkRoleLabel], true
	}
	return "", false
}

func roleRequests(tl *Timeline, spec v1alpha1.ReservationSpec, role string, driver *Pod, shape Shape) corev1.ResourceList {
	if shape != nil {
		if requests := shape(spec, role); requests != nil {
			return requests
		}
	}
	for _, pod := range tl.Pods {
		if has, mine := driver.claims(pod); mine && has == role {
			return pod.Requests
		}
	}
	return nil
}

// replaced is when the i-th state ended: by the next one, or by a deletion.
func (o *Object) replaced(i int) Moment {
	var ends Moment
	if i+1 < len(o.States) {
		ends = o.States[i+1].At
	}
	for _, deleted := range o.Deleted {
		if !deleted.By.Before(o.States[i].At.By) {
			ends = earliest(ends, deleted)
		}
	}
	return ends
}
