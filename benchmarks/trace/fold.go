package trace

import (
	"cmp"
	"slices"
	"time"
)

// Fold makes a short and busy time of a long one. A window of the trace is cut into spans,
// which come all at once, as if each were the work of one team and all teams shared a
// cluster; and time goes faster, for arrivals and lifetimes alike.
type Fold struct {
	// Spans are how many spans of the length Span a window has.
	Spans int
	Span  time.Duration
	// In is what becomes of a span.
	In time.Duration
	// Least and Most bound the lifetimes that jobs have then.
	Least, Most time.Duration
}

// day is from one window that is looked at to the next.
const day = 24 * time.Hour

// Factor is how many times as fast all goes.
func (f Fold) Factor() float64 { return float64(f.Span) / float64(f.In) }

// Busiest folds the window, of those that begin with a day of the trace and end before it
// does, whose jobs then use most GPU time; of several the first.
func (f Fold) Busiest(jobs []Job) []Job {
	if len(jobs) == 0 {
		return nil
	}
	best := f.Window(jobs, 0)
	last := jobs[len(jobs)-1].At
	for from := day; from+time.Duration(f.Spans)*f.Span <= last+day; from += day {
		if folded := f.Window(jobs, from); Work(folded) > Work(best) {
			best = folded
		}
	}
	return best
}

// Window folds the window that begins at a time, and returns its jobs in the order in which
// they come then.
func (f Fold) Window(jobs []Job, from time.Duration) []Job {
	until := from + time.Duration(f.Spans)*f.Span
	var folded []Job
	for _, j := range jobs {
		if j.At < from || j.At >= until {
			continue
		}
		j.At = f.shorten((j.At - from) % f.Span)
		j.Runs = min(max(f.shorten(j.Runs), f.Least), f.Most)
		folded = append(folded, j)
	}
	slices.SortStableFunc(folded, func(a, b Job) int { return cmp.Compare(a.At, b.At) })
	return folded
}

// shorten is what becomes of a time, to the millisecond.
func (f Fold) shorten(d time.Duration) time.Duration {
	return time.Duration(float64(d) / f.Factor()).Truncate(time.Millisecond)
}

// Work is the GPU time that jobs use, all GPUs together.
func Work(jobs []Job) time.Duration {
	var sum time.Duration
	for _, j := range jobs {
		sum += time.Duration(j.GPUs) * j.Runs
	}
	return sum
}
