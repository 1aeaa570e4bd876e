package run

import "time"

// steadyClock goes on evenly from now on, however the wall clock is set meanwhile: a step
// of that would let every deadline pass at once, or none for a while. Its times are in
// UTC and without a monotonic part, so a journal has exactly those that were decided by.
func steadyClock() func() time.Time {
	start := time.Now()
	return func() time.Time { return start.Add(time.Since(start)).Round(0).UTC() }
}
