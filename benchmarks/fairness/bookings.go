package fairness

import (
	"strings"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// bookings watches how the booking of the first gang that waits moves.
type bookings struct {
	of gang.ID
	at time.Time
	// overran counts those that came later because somebody ran longer than was expected,
	// passed those where gangs started whose turn it was earlier, moved all others.
	overran, passed, moved int
}

// note looks at the booking after a step.
func (b *bookings) note(m *core.Machine) {
	of, start, booked := m.Booked()
	if !booked {
		of = ""
	}
	if of == b.of && !b.at.IsZero() && (start.At.IsZero() || start.At.After(b.at)) {
		switch {
		case strings.Contains(start.Moved, "longer than was expected"):
			b.overran++
		case strings.Contains(start.Moved, "go before"):
			b.passed++
		default:
			b.moved++
		}
	}
	b.of, b.at = of, start.At
}
