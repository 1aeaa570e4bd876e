package core

import (
	"time"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/resource"
)

// Record is all that is to be told of a gang: its last verdict, where it
// stands, and where its members are or will be.
type Record struct {
	Gang    gang.ID      `json:"gang"`
	Owner   gang.Object  `json:"owner"`
	Queue   string       `json:"queue"`
	Phase   Phase        `json:"phase"`
	Verdict gang.Verdict `json:"verdict"`
	// Since is when the verdict came to be of this kind.
	Since   time.Time `json:"since,omitzero"`
	Created time.Time `json:"created"`
	// NonPreemptible says that its queue has granted it that nobody takes what its minimum has.
	NonPreemptible bool `json:"nonPreemptible,omitempty"`
	// Position in the queue, counted from 1; 0 if the gang does not wait.
	Position int `json:"position,omitempty"`
	Bound    int `json:"bound"`
	Min      int `json:"min"`
	// Start is what is known of the start of a gang that waits; nil if it does not.
	Start *Start `json:"start,omitempty"`
	// Ends is when one that has started is expected to have ended, if anybody knows.
	Ends time.Time `json:"ends,omitzero"`
	// Slots that are held, each with the pod that has claimed it.
	Slots []SlotRecord `json:"slots,omitempty"`
}

// SlotRecord is room held for one member.
type SlotRecord struct {
	Role    string          `json:"role"`
	Node    string          `json:"node"`
	Pod     string          `json:"pod,omitempty"`
	Elastic bool            `json:"elastic,omitempty"`
	Request resource.Vector `json:"request"`
}

// Records returns the record of every gang, by ID.
func (m *Machine) Records() []Record {
	out := make([]Record, 0, len(m.groups))
	for _, id := range sortedKeys(m.groups) {
		out = append(out, m.record(m.groups[id]))
	}
	return out
}

// Record returns the record of one gang.
func (m *Machine) Record(id gang.ID) (Record, bool) {
	g, ok := m.groups[id]
	if !ok {
		return Record{}, false
	}
	return m.record(g), true
}

func (m *Machine) record(g *group) Record {
	r := m.brief(g)
	for _, s := range m.book.Holding(g.decl.ID).Slots {
		slot := SlotRecord{Role: s.Role, Node: s.Node, Elastic: s.Elastic, Request: s.Shape.Request}
		if mem := m.members[s.Claimant]; mem != nil {
			slot.Pod = mem.Name
		}
		r.Slots = append(r.Slots, slot)
	}
	return r
}

// brief is a record without slots.
func (m *Machine) brief(g *group) Record {
	r := Record{
		Gang: g.decl.ID, Owner: g.decl.Owner, Queue: m.queueOf(g), Phase: g.phase, Verdict: m.verdict(g), Created: g.decl.Created,
		Position: m.queues.Position(g.decl.ID), Bound: g.all[bound], Min: g.size(),
		NonPreemptible: g.isNonPreemptible(),
	}
	if r.Verdict.Position > 0 {
		r.Verdict.Position = r.Position
	}
	if g.since.code == r.Verdict.Code {
		r.Since = g.since.at
	}
	r.Start = m.startOf(g)
	if g.phase == Started {
		if at, known := m.endOf(g); known {
			r.Ends = at
		}
	}
	return r
}

// Figures are sums over all gangs, for metrics.
type Figures struct {
	// Gangs by phase.
	Gangs map[Phase]int
	// Unclaimed is the room that is held for members that have not come.
	Unclaimed resource.Vector
}

// Figures returns the sums of this moment.
func (m *Machine) Figures() Figures {
	f := Figures{Gangs: map[Phase]int{}}
	for _, g := range m.groups {
		f.Gangs[g.phase]++
		for _, s := range m.book.Holding(g.decl.ID).Slots {
			if s.Claimant == "" {
				f.Unclaimed = f.Unclaimed.Add(s.Shape.Request)
			}
		}
	}
	return f
}
