package gang

import (
	"cmp"
	"time"
)

// Policy is what becomes of a gang that falls below its minimum while it runs.
type Policy string

// The policies.
const (
	// Continue ends nobody's work: room is held for those that are lost, and after a
	// time the gang goes on with fewer.
	Continue Policy = "continue"
	// Wait holds room for those that are lost. If the gang is not whole again after a
	// time, it goes: what is left of it is evicted.
	Wait Policy = "wait"
	// Go lets the gang go at once.
	Go Policy = "go"
)

// BelowMinimum says what becomes of a gang that falls below its minimum.
type BelowMinimum struct {
	Policy Policy `json:"policy,omitempty"`
	// Timeout is how long room is held for a member that is lost.
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Or returns what is said, and where nothing is, what another says.
func (b BelowMinimum) Or(other BelowMinimum) BelowMinimum {
	return BelowMinimum{cmp.Or(b.Policy, other.Policy), cmp.Or(b.Timeout, other.Timeout)}
}
