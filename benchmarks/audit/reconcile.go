package audit

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/api/v1alpha1"
)

// An API server that is killed may have stored a write without having recorded
// it: nobody was told that it took effect, yet it did. Outage and Reconcile keep
// such a log from telling that a pod held its room when that had ended.

// retrying is for how long after an outage a write is taken to be a second try.
const retrying = 30 * time.Second

// Outage tells the log that the API server was killed at span.From and served
// again at span.Until. What is recorded soon after may be the second try of a
// write that had taken effect before, so that the room which it freed counts as
// free from the kill on.
func (l *Log) Outage(span Span) {
	l.outages = append(l.outages, span)
}

// withoutOutage widens a moment to when its first try may have taken effect.
func (l *Log) withoutOutage(m Moment) Moment {
	for _, outage := range l.outages {
		if m.Known() && m.After.After(outage.From) && m.After.Before(outage.Until.Add(retrying)) {
			m.After = outage.From
		}
	}
	return m
}

// Reconcile tells the log which pods and reservations there are at a time after
// its last record. What it doesn't know has happened at an unknown time since the
// object was last seen.
func (l *Log) Reconcile(at time.Time, pods []corev1.Pod, reservations []v1alpha1.Reservation) error {
	l.sawTime(at)
	listed := make(map[types.UID]bool, len(pods))
	for i := range pods {
		pod, err := observedPod(&pods[i])
		if err != nil {
			return fmt.Errorf("reconcile: %w", err)
		}
		listed[pod.UID] = true
		moment := Moment{By: at}
		if record := l.pods[pod.UID]; record != nil {
			moment.After = record.seen
		}
		l.sawPod(pod, moment)
	}
	for uid, record := range l.pods {
		if !listed[uid] && !record.Gone.Known() && record.known {
			record.Gone = Moment{After: record.seen, By: at}
		}
	}
	l.reconcileReservations(at, reservations)
	return nil
}

func (l *Log) reconcileReservations(at time.Time, reservations []v1alpha1.Reservation) {
	gvr := v1alpha1.ReservationResource
	for key, record := range l.objects {
		exists := slices.ContainsFunc(reservations, func(r v1alpha1.Reservation) bool {
			return r.Namespace == key.namespace && r.Name == key.name
		})
		if key.group != gvr.Group || key.resource != gvr.Resource || exists || len(record.states) == 0 {
			continue
		}
		last := slices.MaxFunc(record.states, func(a, b ObjectState) int { return a.At.By.Compare(b.At.By) }).At
		deleted := slices.ContainsFunc(record.deleted, func(m Moment) bool { return m.By.After(last.By) })
		if !deleted {
			record.deleted = append(record.deleted, Moment{After: last.By, By: at})
		}
	}
}
