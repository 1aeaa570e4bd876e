package coretest

import (
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/queue"
)

// SetQueue declares a queue, or changes it.
func (w *World) SetQueue(s queue.Spec) {
	s.Weight = max(s.Weight, 1)
	w.Queues[s.Name] = s
	w.tell("queue/"+s.Name, core.QueueSet{Queue: s})
}

// RemoveQueue removes a queue.
func (w *World) RemoveQueue(name string) {
	delete(w.Queues, name)
	w.tell("queue/"+name, core.QueueGone{Name: name})
}

// SetHome says which queue a namespace charges by default; an empty one takes it back.
func (w *World) SetHome(namespace, name string) {
	w.Homes[namespace] = name
	if name == "" {
		delete(w.Homes, namespace)
	}
	w.tell("namespace/"+namespace, core.NamespaceSet{Name: namespace, Queue: name})
}
