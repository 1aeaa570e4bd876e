// Package gang is the model of work that starts together or not at all: a
// Spark driver with its executors, the workers of a training job, one pod.
// Everything here is a plain value.
package gang

import (
	"strings"
	"time"

	"muster.sh/muster/scheduler/resource"
)

// ID names a gang for its whole life: "<kind>/<namespace>/<name>". The
// namespace is part of it always, so no tenant can speak for another's gang.
type ID string

// PodID is the UID of a pod.
type PodID string

// NewID builds the ID of a gang.
func NewID(kind, namespace, name string) ID {
	return ID(kind + "/" + namespace + "/" + name)
}

// Split returns what NewID was given. The name may have slashes.
func (id ID) Split() (kind, namespace, name string) {
	kind, rest, _ := strings.Cut(string(id), "/")
	namespace, name, _ = strings.Cut(rest, "/")
	return kind, namespace, name
}

// Object points at the Kubernetes object that stands for a gang: reasons are
// shown on it, and what is made for the gang is owned by it.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
}

// Gang is what is known of a gang before any pod of it is placed.
type Gang struct {
	ID ID `json:"id"`
	// Owner is the driver pod of a Spark application, the PodGroup, or the Job or
	// other object of which the members are parts.
	Owner Object `json:"owner"`
	// Queue is the name of the queue that is charged.
	Queue string `json:"queue,omitempty"`
	// Created orders gangs: first come, first served. It is the creation time
	// of the owner, so a restart of the scheduler does not change the order.
	Created time.Time `json:"created"`
	// Roles in the order in which they are to be named to people.
	Roles []Role `json:"roles"`
	// MinMember is the number of members that start together when it is more
	// than the sum of the roles' minimums; members of any role count.
	MinMember int `json:"minMember,omitempty"`
	// MinResources is room that must be free over the whole cluster before the
	// gang starts, that of its minimum members included; mostly empty.
	MinResources resource.Vector `json:"minResources,omitzero"`
	// BelowMinimum is what becomes of the gang when it falls below its minimum; what it
	// does not say is the scheduler's to choose.
	BelowMinimum BelowMinimum `json:"belowMinimum,omitzero"`
	// Topology is for all members together.
	Topology Topology `json:"topology,omitzero"`
	// Moves says what of it may be moved to let others start.
	Moves Moves `json:"moves,omitempty"`
	// Alone says that it is one pod by itself, which goes where its own cycle has it among
	// the nodes with room.
	Alone bool `json:"alone,omitempty"`
	// Runtime is how long it runs at most, as its owner says; zero if he does not.
	Runtime time.Duration `json:"runtime,omitempty"`
	// NonPreemptible says that it claims to keep what its minimum has, whoever else needs it.
	// Whether it does is for its queue to grant.
	NonPreemptible bool `json:"nonPreemptible,omitempty"`
	// Application is what its runs have in common, one after the other, in the namespace;
	// empty for one of which no other runs are known.
	Application string `json:"application,omitempty"`
}

// Moves is what of a gang may be evicted, as long as there is room for it elsewhere.
type Moves string

// What may be moved of a gang.
const (
	// MovesElastic: members above the minimum.
	MovesElastic Moves = ""
	// MovesWhole: these, and all of its members together.
	MovesWhole Moves = "Whole"
	// MovesNothing: nobody.
	MovesNothing Moves = "Nothing"
)

// Role is a kind of member: driver, executor, worker.
type Role struct {
	Name string `json:"name"`
	// Min members of this role start together; more are elastic.
	Min int `json:"min"`
	// Max members may run; below zero there is no limit.
	Max int `json:"max"`
	// Expected says that members may have no pod yet when the gang starts:
	// room of Shape is held for them until they come.
	Expected bool `json:"expected,omitempty"`
	// Shape of an expected member.
	Shape Shape `json:"shape,omitzero"`
	// Shrinks says that a member that was deleted, and had not failed, is not
	// replaced: Spark's dynamic allocation deletes idle executors.
	Shrinks bool `json:"shrinks,omitempty"`
	// Topology is for the members of this role together, within that of the gang.
	Topology Topology `json:"topology,omitzero"`
}

// Role returns the role of that name.
func (g *Gang) Role(name string) (Role, bool) {
	for _, r := range g.Roles {
		if r.Name == name {
			return r, true
		}
	}
	return Role{}, false
}

// Expects says whether room is held for members that have no pod yet.
func (g *Gang) Expects() bool {
	for _, r := range g.Roles {
		if r.Expected && r.Min > 0 {
			return true
		}
	}
	return false
}

// Min returns how many members start together.
func (g *Gang) Min() int {
	sum := 0
	for _, r := range g.Roles {
		sum += r.Min
	}
	return max(sum, g.MinMember)
}
