package operator

import (
	"slices"
	"testing"
	"time"

	"github.com/kubeflow/spark-operator/v2/api/v1beta2"
	corev1 "k8s.io/api/core/v1"
)

var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

func TestAMilestoneIsReachedOnceWithThoseBeforeIt(t *testing.T) {
	var m moments
	m.reach(running, at(1))
	m.reach(submitted, at(2))
	m.reach(ended, at(3))
	m.reach(ended, at(4))
	if want := (moments{at(1), at(1), at(3)}); m != want {
		t.Errorf("got %v, want %v", m, want)
	}
}

func TestAStateOfAnApplicationIsAMilestone(t *testing.T) {
	for state, want := range map[v1beta2.ApplicationStateType]milestone{
		v1beta2.ApplicationStateNew: -1, v1beta2.ApplicationStateFailedSubmission: -1, v1beta2.ApplicationStateFailed: -1,
		v1beta2.ApplicationStateSubmitted: submitted, v1beta2.ApplicationStateRunning: running,
		v1beta2.ApplicationStateSucceeding: ended, v1beta2.ApplicationStateCompleted: ended,
	} {
		got, ok := ofApplication(state)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q is milestone %d (%t), want %d", state, got, ok, want)
		}
	}
	for phase, want := range map[corev1.PodPhase]milestone{
		corev1.PodPending: submitted, corev1.PodRunning: running, corev1.PodSucceeded: ended, corev1.PodFailed: ended,
	} {
		if got := ofDriver(phase); got != want {
			t.Errorf("%q is milestone %d, want %d", phase, got, want)
		}
	}
}

func TestTheStatusIsBehindTheDriver(t *testing.T) {
	courses := []*course{
		{driver: moments{at(1), at(2), at(5)}, told: moments{at(1), at(5), at(6)}},
		// Its end has not been told, and its run seems to have been told before it was.
		{driver: moments{at(1), at(3), at(9)}, told: moments{at(1), at(2), time.Time{}}},
	}
	if got, want := lags(courses), []time.Duration{0, time.Second, 3 * time.Second}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := courses[1].done(running); got != at(3) {
		t.Errorf("it was done at %s", got)
	}
	if got := courses[1].done(ended); !got.IsZero() {
		t.Errorf("its end was done at %s", got)
	}
}

func TestAQuantileOfTimes(t *testing.T) {
	var all []time.Duration
	for i := range 200 {
		all = append(all, time.Duration(i))
	}
	for part, want := range map[float64]time.Duration{0: 0, .5: 100, .99: 198, 1: 199} {
		if got := quantile(all, part); got != want {
			t.Errorf("%g: %d, want %d", part, got, want)
		}
	}
	if got := quantile(nil, .5); got != 0 {
		t.Errorf("of none: %d", got)
	}
}
