package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Reservation is the room that is held for members of a gang that have no pod
// yet, such as the executors of a Spark driver that has only just started. The
// scheduler stores one before it binds the first member, so that a restart
// cannot lose the room; it removes it when the gang ends. It is owned by the
// object that stands for the gang and goes with it. It also remembers that a gang
// goes, until nothing of it is left.
//
// It is the scheduler's own memory. Nobody else is to write it, and the
// scheduler checks what it finds against the owner before it uses it.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=reservations,scope=Namespaced,categories=muster
// +kubebuilder:printcolumn:name="Gang",type=string,JSONPath=`.spec.gang`
// +kubebuilder:printcolumn:name="Owner",type=string,JSONPath=`.spec.owner.name`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Reservation struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is held.
	Spec ReservationSpec `json:"spec"`
}

// ReservationSpec tells for whom room is held, and where.
type ReservationSpec struct {
	// Gang is the scheduler's name of the gang: kind/namespace/name.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Gang string `json:"gang"`
	// Owner is the object that stands for the gang, in the namespace of the
	// Reservation. Its UID tells it from a later object of the same name.
	Owner ReservationOwner `json:"owner"`
	// Leaving says that the gang fell below its minimum and goes: what is left of it is
	// being evicted, and nothing is held for it.
	//
	// +optional
	Leaving bool `json:"leaving,omitempty"`
	// Slots are the room of each member, counted by role and node.
	//
	// +listType=map
	// +listMapKey=role
	// +listMapKey=node
	// +optional
	Slots []ReservedSlots `json:"slots,omitempty"`
}

// ReservationOwner names one object in the namespace of the Reservation.
type ReservationOwner struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Name       string    `json:"name"`
	UID        types.UID `json:"uid"`
}

// ReservedSlots is room for members of one role on one node. How much room a
// member needs is not stored: it is worked out anew from the owner, so that an
// altered Reservation cannot claim more than the gang is entitled to.
type ReservedSlots struct {
	// Role of the members, such as executor.
	Role string `json:"role"`
	// Node that has the room.
	Node string `json:"node"`
	// Count of members.
	//
	// +kubebuilder:validation:Minimum=1
	Count int32 `json:"count"`
}

// ReservationList is a list of Reservations.
//
// +kubebuilder:object:root=true
type ReservationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Reservation `json:"items"`
}
