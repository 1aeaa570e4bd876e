package audit

import "time"

// Moment is when something happened: later than After and not later than By.
// The zero Moment means that it never happened, as far as the log tells; a zero
// After means that the lower bound is unknown.
type Moment struct {
	After, By time.Time
}

// Known reports whether the thing happened at all.
func (m Moment) Known() bool { return !m.By.IsZero() }

// earliest keeps the moment that was over first; unknown moments lose.
func earliest(a, b Moment) Moment {
	if !a.Known() || b.Known() && b.By.Before(a.By) {
		return b
	}
	return a
}

// Span is a stretch of time.
type Span struct {
	From, Until time.Time
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
