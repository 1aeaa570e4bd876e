package queue

import (
	"fmt"
	"slices"
)

// Of is the queue that a gang charges which names one, or none.
func (t *Tree) Of(named, namespace string) string {
	switch home := t.homes[namespace]; {
	case named != "":
		return named
	case home != "":
		return home
	default:
		return Default
	}
}

// Priority is how much of a priority counts in a queue.
func (t *Tree) Priority(queue string, priority int64) int64 {
	for at := t.nodes[queue]; at != nil; at = at.parent {
		if at.MaxPriority != nil {
			priority = min(priority, *at.MaxPriority)
		}
	}
	return priority
}

// Bars says why gangs of a namespace can't use a queue; nothing if they can. It does not
// tell of other tenants.
func (t *Tree) Bars(name, namespace string) string {
	n := t.nodes[name]
	switch {
	case n == nil || (!n.declared && name != Default && n != t.root):
		return fmt.Sprintf("queue %s does not exist; create it, or name another", name)
	case n == t.root || len(n.children) > 0:
		return fmt.Sprintf("queue %s has queues below it; name one of these", name)
	case !t.admits(n, namespace):
		return fmt.Sprintf("namespace %s may not use queue %s; name another, or ask an administrator for the right", namespace, name)
	case n.problem != "":
		return fmt.Sprintf("queue %s is refused: %s", name, n.problem)
	}
	for at := n; at != nil; at = at.parent {
		if at.Closed {
			return fmt.Sprintf("queue %s is closed", at.Name)
		}
	}
	return ""
}

// admits says whether a namespace may use a queue: it is the namespace's home, or the
// queue lists it, or the nearest queue above that lists any, or none does.
func (t *Tree) admits(n *node, namespace string) bool {
	if t.homes[namespace] == n.Name {
		return true
	}
	for at := n; at != nil; at = at.parent {
		if len(at.Namespaces) > 0 {
			return slices.Contains(at.Namespaces, namespace)
		}
	}
	return true
}
