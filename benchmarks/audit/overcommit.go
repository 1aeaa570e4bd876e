package audit

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// OverCommit finds the times in which more was bound to a node than it could
// carry: CPU, memory, every extended resource, and the number of pods. Pods that
// are being deleted count until they have ended or are gone.
//
// A finding is OverCommitted where a bind went beyond the node's allocatable and
// Overdrawn where the node shrank under the pods that it had; each lasts until
// the resource fits again. Nodes whose allocatable is not known are not judged;
// [Timeline.Gaps] counts their pods.
func OverCommit(tl *Timeline) []Finding {
	stays := tl.stays()
	var findings []Finding
	for _, node := range tl.Nodes {
		ledger := nodeLedger{node: node, used: amounts{}, open: map[corev1.ResourceName]*Finding{}}
		for _, event := range nodeEvents(node, stays[node.Name]) {
			ledger.take(event)
		}
		findings = append(findings, ledger.finish(tl.End)...)
	}
	return sortFindings(findings)
}

// nodeLedger adds up what is bound to one node.
type nodeLedger struct {
	node *Node
	used amounts
	open map[corev1.ResourceName]*Finding
	done []Finding
}

func (l *nodeLedger) take(event nodeEvent) {
	switch event.kind {
	case stayBegins:
		l.used.add(event.stay.demand, 1)
	case stayEnds:
		l.used.add(event.stay.demand, -1)
	}
	room := l.node.room(event.at)
	if room == nil {
		l.closeAll(event.at)
		return
	}
	for _, name := range l.used.names() {
		l.judge(event, name, room[name])
	}
}

func (l *nodeLedger) judge(event nodeEvent, name corev1.ResourceName, room int64) {
	if l.used[name] <= room {
		l.close(name, event.at)
		return
	}
	open := l.open[name]
	switch {
	case event.kind == stayBegins && event.stay.demand[name] > 0 && (open == nil || open.Kind == Overdrawn):
		l.close(name, event.at)
		l.open[name] = &Finding{
			Kind: OverCommitted, Object: l.node.Name, At: event.at,
			Detail: fmt.Sprintf("binding pod %s (scheduler %s) brought %s to %s of %s allocatable",
				event.stay.pod, event.stay.pod.Scheduler, name, quantity(name, l.used[name]), quantity(name, room)),
		}
	case open == nil:
		l.open[name] = &Finding{
			Kind: Overdrawn, Object: l.node.Name, At: event.at,
			Detail: fmt.Sprintf("the node's allocatable %s shrank to %s with %s bound",
				name, quantity(name, room), quantity(name, l.used[name])),
		}
	}
}

func (l *nodeLedger) close(name corev1.ResourceName, at time.Time) {
	if finding := l.open[name]; finding != nil {
		finding.Until = at
		l.done = append(l.done, *finding)
		delete(l.open, name)
	}
}

func (l *nodeLedger) closeAll(at time.Time) {
	for name := range l.open {
		l.close(name, at)
	}
}

func (l *nodeLedger) finish(end time.Time) []Finding {
	l.closeAll(end)
	return l.done
}
