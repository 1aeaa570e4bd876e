package audit

import (
	"cmp"
	"slices"
	"time"
)

// Kind says what was found.
type Kind string

// What the auditors find. All but Overdrawn are faults of who bound the pods.
const (
	Stranded      Kind = "stranded gang"
	OverCommitted Kind = "over-commit"
	Stolen        Kind = "stolen room"
	// Overdrawn is a node that shrank under the pods that it already had.
	Overdrawn Kind = "overdrawn node"
)

// Finding is one fault.
type Finding struct {
	Kind   Kind
	Object string // the gang, node or pod at fault
	At     time.Time
	Until  time.Time // equals At where the fault is an act and not a state
	Detail string    // one sentence, with numbers
}

// Lasted is how long the fault lasted.
func (f Finding) Lasted() time.Duration { return f.Until.Sub(f.At) }

// Lasted sums how long faults lasted; for stranded gangs these are the
// gang-seconds in which they held room that was of no use to anyone.
func Lasted(findings []Finding) time.Duration {
	var sum time.Duration
	for _, finding := range findings {
		sum += finding.Lasted()
	}
	return sum
}

func sortFindings(findings []Finding) []Finding {
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Object, b.Object),
			cmp.Compare(a.Detail, b.Detail))
	})
	return findings
}
