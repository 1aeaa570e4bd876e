package scenario

import "time"

// Arrival is a gang that comes at a moment of a scenario of contention or of a trace.
type Arrival struct {
	// At is when it comes, from the scenario's begin on.
	At   time.Duration
	Name string
	// Size is how many pods it has, of which each asks for so many GPUs.
	Size, GPUs int
	// Runs is how long its pods run, and Says how long it says that they do; zero: it
	// doesn't say.
	Runs, Says time.Duration
	// Tenant is whose queue it charges; empty: there is one for all.
	Tenant string
	// Priority is its PriorityClass; empty: none.
	Priority string
	// Awaited is set where its start is what is measured.
	Awaited bool
}

// Arrivals are the gangs of a scenario of contention or of a trace, in the order in which
// they come; others have none.
func (s Scenario) Arrivals() []Arrival {
	if s.Mode == Trace {
		return s.replay()
	}
	return s.contending()
}
