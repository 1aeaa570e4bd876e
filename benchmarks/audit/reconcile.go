package audit

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Reconcile tells the log which pods there are at a time after its last record.
//
// An API server that is killed may have stored a write without having recorded
// it: nobody was told that it took effect, yet it did. A log with such a gap says
// for ever that a pod holds its room which ended long ago. What a list of all pods
// shows in such cases has happened at an unknown time since the pod was last seen.
func (l *Log) Reconcile(at time.Time, pods []corev1.Pod) error {
	l.sawTime(at)
	listed := make(map[string]bool, len(pods))
	for i := range pods {
		pod, err := observedPod(&pods[i])
		if err != nil {
			return fmt.Errorf("reconcile: %w", err)
		}
		listed[string(pod.UID)] = true
		moment := Moment{By: at}
		if record := l.pods[pod.UID]; record != nil {
			moment.After = record.seen
		}
		l.sawPod(pod, moment)
	}
	for uid, record := range l.pods {
		if !listed[string(uid)] && !record.Gone.Known() && record.known {
			record.Gone = Moment{After: record.seen, By: at}
		}
	}
	return nil
}
