// Package v1 has what muster-scheduler answers under /v1, as JSON: why each gang is where
// it is, what each queue has, and what would become of a gang. A field that is not set is
// left out. Fields may be added; none changes its meaning.
package v1

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// GangList answers GET /v1/gangs. The gangs are those that the caller may see, in the
// order of their kinds, namespaces and names.
type GangList struct {
	Items []Gang `json:"items"`
	// Others are the gangs that the caller may not see, on this page and all others.
	Others Others `json:"others,omitzero"`
	// Continue asks for the next page, as the parameter of that name. The last page has
	// none.
	Continue string `json:"continue,omitempty"`
}

// Others counts gangs.
type Others struct {
	Gangs int `json:"gangs"`
	// Verdicts counts them by the code of their verdict.
	Verdicts map[string]int `json:"verdicts"`
}

// Gang is pods that start together. It answers GET /v1/gangs/<namespace>/<name>.
type Gang struct {
	// Kind says by what it was declared: spark, podgroup, job…
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Owner is the object that stands for it: the driver pod, the PodGroup, the Job.
	Owner Object `json:"owner,omitzero"`
	// Queue is the one that is charged.
	Queue string `json:"queue"`
	// Place among those that wait in its queue, from 1 on; unset if it does not wait.
	Place int `json:"place,omitempty"`
	// Phase is Collecting, Waiting, Storing, Starting, Started or Leaving.
	Phase   string    `json:"phase"`
	Created time.Time `json:"created"`
	// Minimum members start together, and so many members are bound to a node.
	Minimum int `json:"minimum"`
	Bound   int `json:"bound"`
	// NonPreemptible says that its queue has granted it that nobody takes what its minimum has.
	NonPreemptible bool    `json:"nonPreemptible,omitempty"`
	Verdict        Verdict `json:"verdict"`
	// Start is what is known of the start of a gang that waits for its turn or for room.
	Start *Start `json:"start,omitempty"`
	// Ends is when one that has started is expected to have ended, if anybody knows.
	Ends time.Time `json:"ends,omitzero"`
	// Slots are the room that it holds. A list of gangs leaves them out.
	Slots []Slot `json:"slots,omitempty"`
}

// Object is a Kubernetes object, in the namespace of the gang.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
}

// Verdict is why a gang is where it is.
type Verdict struct {
	// Code is its kind, and that of the event: the event's reason is Gang and the code.
	Code string `json:"code"`
	// Message says it in one sentence.
	Message string `json:"message"`
	// Since is when it came to be of this kind, or since when this scheduler has known it.
	Since time.Time `json:"since,omitzero"`
	// Role that blocks, with how many of its members there was room for, and how many
	// were wanted.
	Role   string `json:"role,omitempty"`
	Placed int    `json:"placed,omitempty"`
	Wanted int    `json:"wanted,omitempty"`
	// Missing is how much room is lacking in all.
	Missing Amounts `json:"missing,omitempty"`
	// Nodes that were looked at, and what has ruled out how many of them, most first.
	Nodes    int        `json:"nodes,omitempty"`
	RuledOut []RuledOut `json:"ruledOut,omitempty"`
	// WaitingFor is the owner of the gang at the head of the queue, if that is of the
	// same namespace.
	WaitingFor *Object `json:"waitingFor,omitempty"`
}

// Start is what is known of the start of a gang.
type Start struct {
	// At is when it is booked to start, at the latest, on so many Nodes. It is unset where
	// that is not known, and Unknown says why.
	At      time.Time `json:"at,omitzero"`
	Nodes   int       `json:"nodes,omitempty"`
	Unknown string    `json:"unknown,omitempty"`
	// Moved is why it comes later than was said before.
	Moved string `json:"moved,omitempty"`
}

// RuledOut is a constraint with the number of nodes that it has ruled out. A node counts
// once for each resource that it lacks.
type RuledOut struct {
	// Constraint is resource/<name> for a lacking resource, or words such as "tainted".
	Constraint string `json:"constraint"`
	Nodes      int    `json:"nodes"`
}

// Slot is room that is held for one member.
type Slot struct {
	Role string `json:"role,omitempty"`
	Node string `json:"node"`
	// Pod is the member; unset for one that is expected.
	Pod string `json:"pod,omitempty"`
	// Elastic members are above the minimum.
	Elastic bool    `json:"elastic,omitempty"`
	Request Amounts `json:"request"`
}

// Amounts are quantities of resources as Kubernetes writes them.
type Amounts map[string]string

// QueueList answers GET /v1/queues: those that are declared, and the default queue, by
// name.
type QueueList struct {
	Items    []Queue `json:"items"`
	Continue string  `json:"continue,omitempty"`
}

// The states of queues.
const (
	QueueOpen    = "Open"
	QueueClosed  = "Closed"
	QueueRefused = "Refused"
)

// Queue is what a tenant may use.
type Queue struct {
	Name string `json:"name"`
	// Parent is unset at the top.
	Parent string `json:"parent,omitempty"`
	// State is Open, Closed or Refused, and Problem why it is refused, and how to mend it.
	State   string `json:"state"`
	Problem string `json:"problem,omitempty"`
	Weight  int64  `json:"weight"`
	// Priority goes before any share.
	Priority int64 `json:"priority,omitempty"`
	// Guaranteed is lent to nobody, Deserved what the share is measured by, Capability the
	// most that the queue may use.
	Guaranteed Amounts `json:"guaranteed,omitempty"`
	Deserved   Amounts `json:"deserved,omitempty"`
	Capability Amounts `json:"capability,omitempty"`
	// Used is what it and those below it are charged for, Borrowed what of that is more
	// than they deserve.
	Used     Amounts `json:"used,omitempty"`
	Borrowed Amounts `json:"borrowed,omitempty"`
	// Expected is what of it is held for members that have no pod yet, and MaxExpected the
	// most that it may be.
	Expected    Amounts `json:"expected,omitempty"`
	MaxExpected Amounts `json:"maxExpected,omitempty"`
	// NonPreemptible is what of it nobody may take, and MaxNonPreemptible the most that it may
	// be.
	NonPreemptible    Amounts `json:"nonPreemptible,omitempty"`
	MaxNonPreemptible Amounts `json:"maxNonPreemptible,omitempty"`
	// Pending is what those of its own gangs ask for that wait for their start.
	Pending Amounts `json:"pending,omitempty"`
	// Share is the greatest part that it uses of anything that it deserves.
	Share float64 `json:"share"`
	// Waiting gangs of its own, and all of them by the code of their verdict.
	Waiting int            `json:"waiting"`
	Gangs   map[string]int `json:"gangs,omitempty"`
}

// WhatIf asks, as the body of POST /v1/whatif, what would become of a gang if it came now.
type WhatIf struct {
	Namespace string `json:"namespace"`
	// Queue is the one that it names; without one it charges that of its namespace.
	Queue string `json:"queue,omitempty"`
	// Priority is the value of its PriorityClass.
	Priority int32 `json:"priority,omitempty"`
	// Members start together.
	Members []Members `json:"members"`
}

// Members are a number of pods of one template.
type Members struct {
	Role  string `json:"role,omitempty"`
	Count int    `json:"count"`
	// Template is as in a Job. Kubernetes' defaults are added, those of LimitRanges and of
	// admission webhooks are not.
	Template corev1.PodTemplateSpec `json:"template"`
}

// Foretold answers POST /v1/whatif.
type Foretold struct {
	// Starts says that it would start at once, with its members on the nodes of Placings.
	Starts   bool      `json:"starts"`
	Placings []Placing `json:"placings,omitempty"`
	// Verdict is why it would wait.
	Verdict *Verdict `json:"verdict,omitempty"`
	// Queue is the one that would be charged, and Ahead how many wait in it that would go
	// before.
	Queue string `json:"queue"`
	Ahead int    `json:"ahead"`
}

// Placing is a number of members of a role on a node.
type Placing struct {
	Role  string `json:"role,omitempty"`
	Node  string `json:"node"`
	Count int    `json:"count"`
}

// Problem is why there is no answer, as application/problem+json (RFC 9457).
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail says how to mend it.
	Detail string `json:"detail,omitempty"`
	// Leader is the holder of the Lease, where another replica leads: the name of its
	// pod, "_" and a number.
	Leader string `json:"leader,omitempty"`
}

// Error says the problem in one sentence.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}
