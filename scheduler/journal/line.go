// Package journal keeps the events that a machine was given, with what it decided on
// each, and replays them: on a new machine the same events give the same decisions, so
// what a scheduler did in one place can be looked into in another.
//
// A journal is text, one JSON object a line: a Header, an entry for each event, and at
// last why it ends. That is missing where the process was killed.
package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"muster.sh/muster/scheduler/core"
)

// Format is the version of the form of a journal. One of another form can't be read.
const Format = 1

// Header begins a journal. It has all that decides besides the events.
type Header struct {
	Format int `json:"journal"`
	// Muster is the version of the scheduler.
	Muster  string       `json:"muster"`
	Options core.Options `json:"options"`
	// Strategy is the name of Options.Strategy, which is code.
	Strategy string `json:"strategy"`
}

// line is one of an event, or the last.
type line struct {
	At        time.Time       `json:"at,omitzero"`
	Event     string          `json:"event,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	Decisions []Decision      `json:"decisions,omitempty"`
	// End says why the journal ends.
	End string `json:"end,omitempty"`
}

// Decision is one as a journal has it, by its kind.
type Decision struct {
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data"`
}

func lineOf(e core.Stamped, out []core.Decision) (l line, err error) {
	l.At, l.Event = e.At, nameOf(e.Event)
	if l.Data, err = json.Marshal(e.Event); err != nil {
		return l, fmt.Errorf("%s: %w", l.Event, err)
	}
	l.Decisions, err = decisionsOf(out)
	return l, err
}

func decisionsOf(out []core.Decision) ([]Decision, error) {
	var all []Decision
	for _, d := range out {
		data, err := json.Marshal(d)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", nameOf(d), err)
		}
		all = append(all, Decision{nameOf(d), data})
	}
	return all, nil
}

func nameOf(v any) string { return reflect.TypeOf(v).Name() }

// kinds of events by their names.
var kinds = func() map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, e := range core.Kinds() {
		out[nameOf(e)] = reflect.TypeOf(e)
	}
	return out
}()

func eventOf(kind string, data json.RawMessage) (core.Event, error) {
	is, known := kinds[kind]
	if !known {
		return nil, fmt.Errorf("unknown event %q", kind)
	}
	v := reflect.New(is)
	if err := unmarshal(data, v.Interface()); err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return v.Elem().Interface().(core.Event), nil
}

// unmarshal reads one value. What it does not know may decide, so it is an error.
func unmarshal(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("there is more than one value")
	}
	return nil
}
