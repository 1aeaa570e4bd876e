package audit

import (
	"cmp"
	"slices"
	"time"
)

// stay is the time for which a pod certainly held room on its node: from the
// completion of its bind until the request that freed the room was received.
type stay struct {
	pod    *Pod
	demand amounts
	from   time.Time
	until  time.Time // zero: to the end
}

// stays lists, for each node, the stays of its pods in the order of their begin.
// A pod that is being deleted holds its room until it ended or is gone.
func (tl *Timeline) stays() map[string][]stay {
	byNode := map[string][]stay{}
	for _, pod := range tl.Pods {
		if !pod.Bound.Known() || pod.Requests == nil {
			continue
		}
		s := stay{pod: pod, demand: pod.demand(), from: pod.Bound.By}
		if freed := earliest(pod.Ended, pod.Gone); freed.Known() {
			if s.until = freed.After; !s.until.After(s.from) {
				continue
			}
		}
		byNode[pod.Node] = append(byNode[pod.Node], s)
	}
	for _, stays := range byNode {
		slices.SortFunc(stays, func(a, b stay) int {
			return cmp.Or(a.from.Compare(b.from), cmp.Compare(a.pod.String(), b.pod.String()), cmp.Compare(a.pod.UID, b.pod.UID))
		})
	}
	return byNode
}

// nodeEvent is a change on a node: a stay begins or ends, or the node's own room
// changes (no stay).
type nodeEvent struct {
	at   time.Time
	kind nodeEventKind
	stay *stay
}

type nodeEventKind int

// In the order in which events of the same instant are taken: room is freed
// before it is used.
const (
	stayEnds nodeEventKind = iota
	roomChanges
	stayBegins
)

// nodeEvents lists what happened on a node, in order.
func nodeEvents(node *Node, stays []stay) []nodeEvent {
	var events []nodeEvent
	for i := range stays {
		s := &stays[i]
		events = append(events, nodeEvent{s.from, stayBegins, s})
		if !s.until.IsZero() {
			events = append(events, nodeEvent{s.until, stayEnds, s})
		}
	}
	for _, step := range node.steps {
		if !step.at.By.IsZero() {
			// One tick on, when the write is over and the old room no longer counts.
			events = append(events, nodeEvent{step.at.By.Add(1), roomChanges, nil})
		}
	}
	slices.SortStableFunc(events, func(a, b nodeEvent) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.kind, b.kind))
	})
	return events
}
