package audit

import (
	"slices"
	"time"
)

// Gang is a set of pods of which a minimum must run together.
type Gang struct {
	Namespace, Name string
	// Min is how many members must be bound for any of them to be of use.
	Min int
	// Expects is true where members are created by another member once that one
	// runs, as a Spark driver creates its executors: until they exist nobody can
	// bind them.
	Expects bool
	// Members are all pods of the gang, in the order of their creation.
	Members []*Pod
	// Objects name what else was written for the gang, for the count of writes.
	Objects []ObjectName
}

// String returns namespace/name.
func (g Gang) String() string { return g.Namespace + "/" + g.Name }

// ObjectName names an object of any kind. Resource is the plural, followed by
// "." and its API group unless that is the core group.
type ObjectName struct {
	Resource, Namespace, Name string
}

// Select makes a gang of the pods that match.
func Select(tl *Timeline, namespace, name string, min int, matches func(*Pod) bool) Gang {
	gang := Gang{Namespace: namespace, Name: name, Min: min}
	for _, pod := range tl.Pods {
		if pod.Namespace == namespace && matches(pod) {
			gang.Members = append(gang.Members, pod)
		}
	}
	return gang
}

// GangTimes are the milestones of a gang; those not reached are zero.
type GangTimes struct {
	Gang      Gang
	Created   time.Time // its first member
	Whole     time.Time // its minimum exists
	FirstBind time.Time
	MinBound  time.Time // its minimum is bound
	MinRuns   time.Time // its minimum runs
	Ended     time.Time // no member is left that isn't ended or gone
}

// StartLatency is the time from the first member's creation until the minimum
// was bound; false if that never happened.
func (t GangTimes) StartLatency() (time.Duration, bool) {
	return t.MinBound.Sub(t.Created), !t.MinBound.IsZero()
}

// Spread is the time from the first bind to the one that completed the minimum;
// false if that never happened. For a gang that expects members it includes the
// time that they took to be created.
func (t GangTimes) Spread() (time.Duration, bool) {
	return t.MinBound.Sub(t.FirstBind), !t.MinBound.IsZero()
}

// Times returns the milestones of each gang.
func Times(gangs []Gang) []GangTimes {
	times := make([]GangTimes, 0, len(gangs))
	for _, gang := range gangs {
		created := gang.times(func(p *Pod) Moment { return p.Created })
		bound := gang.times(func(p *Pod) Moment { return p.Bound })
		running := gang.times(func(p *Pod) Moment { return p.Running })
		ended := gang.times(func(p *Pod) Moment { return earliest(p.Ended, p.Gone) })
		t := GangTimes{
			Gang:      gang,
			Created:   nth(created, 1),
			Whole:     nth(created, gang.Min),
			FirstBind: nth(bound, 1),
			MinBound:  nth(bound, gang.Min),
			MinRuns:   nth(running, gang.Min),
		}
		if len(gang.Members) > 0 {
			t.Ended = nth(ended, len(gang.Members))
		}
		times = append(times, t)
	}
	return times
}

// times lists when a milestone was reached, by those that reached it, in order.
func (g Gang) times(milestone func(*Pod) Moment) []time.Time {
	var times []time.Time
	for _, pod := range g.Members {
		if m := milestone(pod); m.Known() {
			times = append(times, m.By)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// nth returns the n-th time, counted from 1; zero if there are fewer.
func nth(times []time.Time, n int) time.Time {
	if n < 1 || n > len(times) {
		return time.Time{}
	}
	return times[n-1]
}
