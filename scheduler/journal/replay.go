package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"muster.sh/muster/scheduler/core"
)

// Report tells of a replay.
type Report struct {
	// Steps is the number of events, and the time is of the first and the last.
	Steps int       `json:"steps"`
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"`
	// Events and Decisions are counted by kind. Decisions are those of the replay.
	Events    map[string]int `json:"events"`
	Decisions map[string]int `json:"decisions"`
	// End says why the replay ends where it does.
	End string `json:"end"`
	// Differing events had other decisions in the replay; Difference is the first.
	Differing  int         `json:"differing"`
	Difference *Difference `json:"difference,omitempty"`
}

// Difference is one event with its decisions, which are not the same.
type Difference struct {
	Event    int        `json:"event"`
	Kind     string     `json:"kind"`
	At       time.Time  `json:"at"`
	Recorded []Decision `json:"recorded"`
	Replayed []Decision `json:"replayed"`
}

// Replay gives the events of a journal to a machine that has seen nothing, up to the
// first that is behind what is to be replayed; nil means all. A difference is no error.
func Replay(r *Reader, m *core.Machine, behind func(*Entry) bool) (*Report, error) {
	report := &Report{Events: map[string]int{}, Decisions: map[string]int{}}
	for {
		e, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			report.End = r.End()
			return report, nil
		case err != nil:
			return nil, err
		case behind != nil && behind(&e):
			report.End = "no more was asked for"
			return report, nil
		}
		replayed, err := decisionsOf(m.Step(e.At, e.Event))
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", e.Number, err)
		}
		report.note(&e, replayed)
	}
}

func (r *Report) note(e *Entry, replayed []Decision) {
	r.Steps++
	if r.From.IsZero() {
		r.From = e.At
	}
	r.To = e.At
	r.Events[nameOf(e.Event)]++
	for _, d := range replayed {
		r.Decisions[d.Kind]++
	}
	if slices.EqualFunc(e.Decisions, replayed, same) {
		return
	}
	if r.Differing++; r.Difference == nil {
		r.Difference = &Difference{e.Number, nameOf(e.Event), e.At, e.Decisions, replayed}
	}
}

func same(a, b Decision) bool { return a.Kind == b.Kind && bytes.Equal(a.Data, b.Data) }

// String tells the event, and each decision on a line.
func (d *Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "event %d, %s at %s", d.Event, d.Kind, d.At.Format(time.RFC3339Nano))
	for _, side := range []struct {
		name string
		made []Decision
	}{{"recorded", d.Recorded}, {"replayed", d.Replayed}} {
		fmt.Fprintf(&b, "\n%s:", side.name)
		if len(side.made) == 0 {
			b.WriteString(" no decision")
		}
		for _, made := range side.made {
			fmt.Fprintf(&b, "\n  %s %s", made.Kind, made.Data)
		}
	}
	return b.String()
}
