package operator

import (
	"slices"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
)

// milestone is how far an application has come, or its driver.
type milestone int

const (
	submitted milestone = iota
	running
	ended
	milestones
)

// moments are when milestones were seen to be reached; zero for those that were not.
type moments [milestones]time.Time

// reach notes a milestone, and those before it that were passed unseen.
func (m *moments) reach(to milestone, now time.Time) {
	for i := range to + 1 {
		if m[i].IsZero() {
			m[i] = now
		}
	}
}

// ofApplication is the milestone that an application tells of itself, if any.
func ofApplication(state v1beta2.ApplicationStateType) (milestone, bool) {
	switch state {
	case v1beta2.ApplicationStateSubmitted:
		return submitted, true
	case v1beta2.ApplicationStateRunning:
		return running, true
	case v1beta2.ApplicationStateSucceeding, v1beta2.ApplicationStateCompleted:
		return ended, true
	}
	return 0, false
}

// ofDriver is the milestone that a driver pod tells of an application.
func ofDriver(phase corev1.PodPhase) milestone {
	switch phase {
	case corev1.PodRunning:
		return running
	case corev1.PodSucceeded, corev1.PodFailed:
		return ended
	}
	return submitted
}

// course is what was seen of one application: what it told of itself, and what its driver
// told of it.
type course struct {
	told, driver moments
}

// done is when a milestone was reached by both; zero if it was not.
func (c *course) done(m milestone) time.Time {
	if c.told[m].IsZero() || c.driver[m].IsZero() {
		return time.Time{}
	}
	if c.told[m].After(c.driver[m]) {
		return c.told[m]
	}
	return c.driver[m]
}

// lag is by how much an application's status was behind its driver's. The two are seen by
// watches of their own, so that it may seem to have been ahead.
func (c *course) lag(m milestone) time.Duration { return max(0, c.told[m].Sub(c.driver[m])) }

// lags are how far behind the status was when drivers began to run and when they ended, in
// order.
func lags(courses []*course) []time.Duration {
	var out []time.Duration
	for _, c := range courses {
		for _, m := range []milestone{running, ended} {
			if !c.done(m).IsZero() {
				out = append(out, c.lag(m))
			}
		}
	}
	slices.Sort(out)
	return out
}

// quantile of times in order; zero if there are none.
func quantile(sorted []time.Duration, part float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}
