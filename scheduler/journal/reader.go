package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"muster.sh/muster/scheduler/core"
)

// Reader reads a journal.
type Reader struct {
	Header Header
	in     *bufio.Reader
	lines  int
	end    string
}

// Entry is one event, and what was decided on it.
type Entry struct {
	// Number counts from 1.
	Number int
	core.Stamped
	Decisions []Decision
}

// NewReader reads the header.
func NewReader(r io.Reader) (*Reader, error) {
	out := &Reader{in: bufio.NewReader(r)}
	data, whole, err := out.line()
	switch {
	case err != nil:
		return nil, err
	case !whole:
		return nil, errors.New("line 1 breaks off: nothing is recorded")
	}
	// Of another form nothing but the number is to be understood.
	var of struct {
		Format int `json:"journal"`
	}
	if err := json.Unmarshal(data, &of); err != nil || of.Format == 0 {
		return nil, errors.New("line 1: this is no journal of muster-scheduler")
	}
	if of.Format != Format {
		return nil, fmt.Errorf("line 1: the journal has form %d, and form %d is read: replay it with the version of muster-scheduler that has recorded it", of.Format, Format)
	}
	if err := unmarshal(data, &out.Header); err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	return out, nil
}

// Next returns the next event. Behind the last one the error is io.EOF, and End says why
// it is the last.
func (r *Reader) Next() (Entry, error) {
	if r.end != "" {
		return Entry{}, io.EOF
	}
	data, whole, err := r.line()
	if err != nil {
		return Entry{}, err
	}
	if len(data) == 0 {
		return r.ends("the scheduler was killed, or still runs")
	}
	var l line
	if err = unmarshal(data, &l); err == nil && l.End != "" {
		return r.ends(l.End)
	}
	e := Entry{Number: r.lines - 1, Decisions: l.Decisions}
	if err == nil {
		e.At = l.At
		e.Event, err = eventOf(l.Event, l.Data)
	}
	switch {
	case err != nil && !whole:
		return r.ends(fmt.Sprintf("line %d breaks off: the scheduler was killed, or still runs", r.lines))
	case err != nil:
		return Entry{}, fmt.Errorf("line %d: %w", r.lines, err)
	}
	return e, nil
}

// End says why the journal ends where it does, once that is known.
func (r *Reader) End() string { return r.end }

func (r *Reader) ends(why string) (Entry, error) {
	r.end = why
	return Entry{}, io.EOF
}

// line reads one, and says whether it is whole. At the end there is an empty one.
func (r *Reader) line() (data []byte, whole bool, err error) {
	data, err = r.in.ReadBytes('\n')
	r.lines++
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, fmt.Errorf("line %d: %w", r.lines, err)
	}
	return data, err == nil, nil
}
