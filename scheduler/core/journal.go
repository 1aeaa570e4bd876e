package core

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"time"
)

// A journal is the recorded history of events, one JSON object a line. Replayed
// on a new machine it gives the same decisions, so a user's cluster can be
// looked into elsewhere.

// kinds are the events by the name under which a journal has them.
var kinds = func() map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, e := range []Event{
		NodeSet{}, NodeGone{}, ZonesReported{}, PodSet{}, PodGone{}, GangSet{}, GangRefused{}, GangGone{}, ReservationFound{},
		Synced{}, Assumed{}, Forgotten{}, BudgetSet{}, BudgetGone{},
		QueueSet{}, QueueGone{}, NamespaceSet{}, AtLatch{}, Parked{}, ReservationStored{}, Evicted{}, AskFound{}, Tick{},
	} {
		out[reflect.TypeOf(e).Name()] = reflect.TypeOf(e)
	}
	return out
}()

type line struct {
	At   time.Time       `json:"at"`
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data"`
}

// WriteEvent appends one event to a journal.
func WriteEvent(w io.Writer, e Stamped) error {
	data, err := json.Marshal(e.Event)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	b, err := json.Marshal(line{At: e.At, Kind: reflect.TypeOf(e.Event).Name(), Data: data})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// Replay feeds a journal to a machine and calls each with every event and what
// was decided. A last line that was cut off is left out.
func Replay(r io.Reader, m *Machine, each func(Stamped, []Decision)) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 64<<20)
	for n := 1; scanner.Scan(); n++ {
		e, err := readEvent(scanner.Bytes())
		if err != nil {
			if !scanner.Scan() {
				return nil
			}
			return fmt.Errorf("journal line %d: %w", n, err)
		}
		each(e, m.Step(e.At, e.Event))
	}
	return scanner.Err()
}

func readEvent(b []byte) (Stamped, error) {
	var l line
	if err := json.Unmarshal(b, &l); err != nil {
		return Stamped{}, err
	}
	kind, ok := kinds[l.Kind]
	if !ok {
		return Stamped{}, fmt.Errorf("unknown event %q", l.Kind)
	}
	v := reflect.New(kind)
	if err := json.Unmarshal(l.Data, v.Interface()); err != nil {
		return Stamped{}, fmt.Errorf("%s: %w", l.Kind, err)
	}
	return Stamped{At: l.At, Event: v.Elem().Interface().(Event)}, nil
}
