package gang

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"muster.sh/muster/scheduler/resource"
)

// Code is the kind of a verdict. A condition or an event is written once per
// kind and not for every new count.
type Code string

// The kinds of verdict, from the outside in.
const (
	// Collecting: members or the declaration of the gang are still to come.
	Collecting Code = "Collecting"
	// Refused: what the user sent can't be understood; the detail says which
	// key, and the cure. The gang waits until it is changed, and blocks nobody.
	Refused Code = "Refused"
	// TooBig: the minimum would not fit into the empty cluster.
	TooBig Code = "TooBig"
	// Barred: the gang may not use the queue that it names, or nobody may.
	Barred Code = "Barred"
	// BackedOff: room was held in vain for members of its tenant, which waits now.
	BackedOff Code = "BackedOff"
	// NeverInQueue: the minimum is more than its queue may ever have.
	NeverInQueue Code = "NeverInQueue"
	// OverQuota: its queue has no quota left for the minimum.
	OverQuota Code = "OverQuota"
	// Behind: the gang would not be refused, but earlier ones wait for room.
	Behind Code = "Behind"
	// NoRoom: there is too little free room now.
	NoRoom Code = "NoRoom"
	// MakingRoom: others are being moved so that the gang can start.
	MakingRoom Code = "MakingRoom"
	// Vetoed: a constraint that only the members' own cycles can judge
	// (volumes, pod affinity, claims) said no.
	Vetoed Code = "Vetoed"
	// NotStored: there is room, but the Reservation that would make it outlive
	// this process could not be stored, several times in a row.
	NotStored Code = "NotStored"
	// Reserved: room is held for the whole minimum; members are starting.
	Reserved Code = "Reserved"
	// Running: the whole minimum is bound.
	Running Code = "Running"
	// Short: the gang was whole and has lost members of its minimum.
	Short Code = "Short"
	// Leaving: the gang fell below its minimum and goes; its members are being evicted.
	Leaving Code = "Leaving"
	// Kept: the gang is to go, and can't: a disruption budget refuses an eviction, say.
	Kept Code = "Kept"
)

// Constraint is a reason for which a node can't take one more member.
type Constraint string

// Constraints that are not resources. A lacking resource is the constraint
// "resource/<name>".
const (
	NotReady      Constraint = "not ready"
	Unschedulable Constraint = "cordoned"
	Tainted       Constraint = "tainted"
	NodeAffinity  Constraint = "node selector or affinity"
	HostPort      Constraint = "host port in use"
	Unaligned     Constraint = "no NUMA zone with enough of all"
	ZonesUnknown  Constraint = "NUMA zones not reported yet"
	Excluded      Constraint = "vetoed by the member's own cycle"
)

// Lacks is the constraint of a resource of which a node has too little free.
func Lacks(resourceName string) Constraint { return Constraint("resource/" + resourceName) }

// Verdict is why a gang is where it is. It is made by who decides and only
// shown elsewhere.
type Verdict struct {
	Code Code `json:"code"`
	// Role that blocks, if one does.
	Role string `json:"role,omitempty"`
	// Placed and Wanted members of that role.
	Placed int `json:"placed,omitempty"`
	Wanted int `json:"wanted,omitempty"`
	// Nodes looked at, and how many of them each constraint ruled out. A node
	// is counted once per resource that it lacks.
	Nodes    int                `json:"nodes,omitempty"`
	RuledOut map[Constraint]int `json:"ruledOut,omitempty"`
	Missing  resource.Vector    `json:"missing,omitzero"`
	// Queue that is charged, where that matters.
	Queue string `json:"queue,omitempty"`
	// Position in the queue, from 1 on, and the owner of the gang at its head.
	// One of another namespace is not named: that is not this tenant's to know.
	Position   int    `json:"position,omitempty"`
	WaitingFor Object `json:"waitingFor,omitzero"`
	// Detail is a sentence that the fields above can't say, such as the key of
	// a setting and its cure.
	Detail string `json:"detail,omitempty"`
}

// Because returns the verdict with a detail, unless it has one or there is none.
func (v Verdict) Because(detail string) Verdict {
	v.Detail = cmp.Or(v.Detail, detail)
	return v
}

// String says the verdict in one sentence.
func (v Verdict) String() string {
	var b strings.Builder
	switch v.Code {
	case Collecting:
		b.WriteString("waiting for members of the gang to appear")
	case Refused:
		b.WriteString("refused")
	case TooBig:
		b.WriteString("larger than the whole cluster")
	case Behind:
		fmt.Fprintf(&b, "number %d in queue %s", v.Position, v.Queue)
		if w := v.WaitingFor; w.Name != "" {
			fmt.Fprintf(&b, ", behind %s %s", strings.ToLower(w.Kind), w.Name)
		}
	case Barred:
		b.WriteString("it can't be charged to its queue")
	case BackedOff:
		b.WriteString("no room is held for members to come")
	case NeverInQueue:
		b.WriteString("larger than its queue may ever be")
	case OverQuota:
		b.WriteString("no quota left")
	case NoRoom:
		b.WriteString("not enough room")
	case MakingRoom:
		b.WriteString("room is made for it")
	case Vetoed:
		b.WriteString("no node passes the checks of the members' own cycle")
	case NotStored:
		b.WriteString("its Reservation can't be stored")
	case Reserved:
		b.WriteString("room is reserved, members are starting")
	case Running:
		b.WriteString("the whole minimum is running")
	case Short:
		b.WriteString("below its minimum")
	case Leaving:
		b.WriteString("its members are being evicted")
	case Kept:
		b.WriteString("its members are to be evicted, and one can't be")
	}
	v.describeRole(&b)
	if v.Detail != "" {
		b.WriteString(": " + v.Detail)
	}
	return b.String()
}

func (v Verdict) describeRole(b *strings.Builder) {
	if v.Wanted == 0 {
		return
	}
	fmt.Fprintf(b, ": %d of %d %s placed", v.Placed, v.Wanted, cmp.Or(v.Role, "members"))
	if !v.Missing.IsZero() {
		fmt.Fprintf(b, ", %s missing in all", v.Missing)
	}
	if len(v.RuledOut) > 0 {
		fmt.Fprintf(b, "; of %d nodes: %s", v.Nodes, v.ruledOut())
	}
}

func (v Verdict) ruledOut() string {
	keys := make([]Constraint, 0, len(v.RuledOut))
	for c := range v.RuledOut {
		keys = append(keys, c)
	}
	slices.SortFunc(keys, func(a, b Constraint) int {
		if d := v.RuledOut[b] - v.RuledOut[a]; d != 0 {
			return d
		}
		return strings.Compare(string(a), string(b))
	})
	parts := make([]string, len(keys))
	for i, c := range keys {
		name := string(c)
		if r, ok := strings.CutPrefix(name, "resource/"); ok {
			name = "too little " + r
		}
		parts[i] = fmt.Sprintf("%d %s", v.RuledOut[c], name)
	}
	return strings.Join(parts, ", ")
}
