package coretest

import (
	"slices"

	"muster.sh/muster/scheduler/core"
)

// flight is something that is under way: an event, an order, a call of the
// apiserver. What is on one line arrives in order; lines do not wait for each
// other.
type flight struct {
	line string
	land func()
}

// InFlight returns how many things are under way.
func (w *World) InFlight() int { return len(w.flights) }

// Deliver lets the i-th thing that is under way arrive, or rather the oldest
// one on the same line.
func (w *World) Deliver(i int) {
	line := w.flights[i].line
	i = slices.IndexFunc(w.flights, func(f flight) bool { return f.line == line })
	land := w.flights[i].land
	w.flights = slices.Delete(w.flights, i, i+1)
	land()
}

// DeliverAll lets everything arrive, and all that follows.
func (w *World) DeliverAll() {
	for len(w.flights) > 0 {
		w.Deliver(0)
	}
}

// send sets something on its way.
func (w *World) send(line string, land func()) {
	w.flights = append(w.flights, flight{line, land})
}

// tell sets an event on its way to the machine. Unless the world is Async it
// arrives at once.
func (w *World) tell(line string, e core.Event) {
	w.send(line, func() { w.Step(e) })
	if !w.Async {
		w.DeliverAll()
	}
}

// Quiet says whether nothing is under way.
func (w *World) Quiet() bool { return len(w.flights) == 0 }
