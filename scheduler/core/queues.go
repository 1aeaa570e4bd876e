package core

import (
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// QueueRecord is all that is to be told of a queue and its gangs.
type QueueRecord struct {
	queue.Record
	// Gangs that are declared, without those of queues below it, by the kind of their
	// verdict.
	Gangs map[gang.Code]int `json:"gangs,omitempty"`
	// Pending is what those of them need to start that wait for it.
	Pending resource.Vector `json:"pending,omitzero"`
}

// QueueRecords returns the records of all queues, by name.
func (m *Machine) QueueRecords() []QueueRecord {
	records := m.queues.Records()
	out, at := make([]QueueRecord, len(records)), make(map[string]*QueueRecord, len(records))
	for i, r := range records {
		out[i] = QueueRecord{Record: r, Gangs: map[gang.Code]int{}}
		at[r.Name] = &out[i]
	}
	for _, g := range m.groups {
		r := at[m.queueOf(g)]
		if r == nil || !g.declared {
			continue
		}
		r.Gangs[m.code(g)]++
		if g.phase == Waiting {
			r.Pending = r.Pending.Add(m.need(g).sum())
		}
	}
	return out
}
