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
		if r := at[m.queueOf(g)]; r != nil && g.declared {
			r.Gangs[m.code(g)]++
		}
	}
	return out
}

// Pending is, by queue, what those gangs of its own ask for that wait for their start: all
// members that are there, and those that are expected.
func (m *Machine) Pending() map[string]resource.Vector {
	out := map[string]resource.Vector{}
	for _, g := range m.groups {
		if g.phase == Waiting {
			name := m.queueOf(g)
			out[name] = out[name].Add(g.asks())
		}
	}
	return out
}

func (g *group) asks() resource.Vector {
	var v resource.Vector
	for _, mem := range g.order {
		if mem.state != bound && !mem.terminating {
			v = v.Add(mem.Shape.Request)
		}
	}
	for _, r := range g.decl.Roles {
		if r.Expected {
			v = v.Add(r.Shape.Request.Scale(int64(max(g.minimum(r)-g.waiting[r.Name], 0))))
		}
	}
	return v
}
