package audit

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Utilisation is the part of a resource of all nodes that pods held, on average over a
// span of time. Nodes count as they are when it begins.
func Utilisation(tl *Timeline, name corev1.ResourceName, over Span) float64 {
	var room int64
	for _, node := range tl.Nodes {
		room += node.room(over.From)[name]
	}
	var held float64
	for _, stays := range tl.stays() {
		for _, s := range stays {
			held += float64(s.demand[name]) * s.within(over).Seconds()
		}
	}
	if room == 0 || !over.Until.After(over.From) {
		return 0
	}
	return held / (float64(room) * over.Until.Sub(over.From).Seconds())
}

// within is how much of a span it lasted.
func (s stay) within(over Span) time.Duration {
	until := over.Until
	if !s.until.IsZero() && s.until.Before(until) {
		until = s.until
	}
	return max(until.Sub(later(s.from, over.From)), 0)
}

// Evicted are the pods that somebody deleted while they had room, and how long they had
// had it by then, together: work that was lost, where it is not kept elsewhere.
func Evicted(tl *Timeline) (pods int, lost time.Duration) {
	for _, p := range tl.Pods {
		if !p.Bound.Known() || !p.Deleting.Known() || p.Ended.Known() && !p.Ended.By.After(p.Deleting.By) {
			continue
		}
		pods++
		lost += max(p.Deleting.By.Sub(p.Bound.By), 0)
	}
	return pods, lost
}
