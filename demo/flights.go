package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
)

// flight is one line of the data set, as far as a question needs it. A nil
// pointer is a value that the data set doesn't know.
type flight struct {
	year, month, day, hour                         int
	depTime, depDelay, arrDelay, airTime, distance *int64
	carrier, tailnum, origin, dest                 string
}

// readFlights reads the data set. unknown values are written NA in it.
func readFlights(path string) ([]flight, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the flights: %w", err)
	}
	defer f.Close()
	flights, err := parseFlights(f)
	if err != nil {
		return nil, fmt.Errorf("read the flights in %s: %w", path, err)
	}
	return flights, nil
}

func parseFlights(r io.Reader) ([]flight, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	header, err := in.Read()
	if err != nil {
		return nil, err
	}
	line := record{at: map[string]int{}}
	for i, name := range slices.Clone(header) {
		line.at[name] = i
	}
	var all []flight
	for {
		line.fields, err = in.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		f := flight{
			year: line.number("year"), month: line.number("month"), day: line.number("day"), hour: line.number("hour"),
			depTime: line.maybe("dep_time"), depDelay: line.maybe("dep_delay"), arrDelay: line.maybe("arr_delay"),
			airTime: line.maybe("air_time"), distance: line.maybe("distance"),
			carrier: line.text("carrier"), tailnum: line.text("tailnum"), origin: line.text("origin"), dest: line.text("dest"),
		}
		if line.err != nil {
			return nil, line.err
		}
		all = append(all, f)
	}
}

// record reads the fields of one line by name, and keeps the first error.
type record struct {
	at     map[string]int
	fields []string
	err    error
}

// text is empty where the value is unknown.
func (r *record) text(name string) string {
	i, ok := r.at[name]
	if !ok {
		r.fail(fmt.Errorf("there is no column %q", name))
		return ""
	}
	if r.fields[i] == "NA" {
		return ""
	}
	return r.fields[i]
}

func (r *record) maybe(name string) *int64 {
	text := r.text(name)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		r.fail(fmt.Errorf("column %q: %w", name, err))
	}
	return &n
}

func (r *record) number(name string) int {
	n := r.maybe(name)
	if n == nil {
		r.fail(fmt.Errorf("column %q has no value", name))
		return 0
	}
	return int(*n)
}

func (r *record) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}
