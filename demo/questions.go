package main

import (
	"fmt"
	"strconv"
	"time"
)

// question is one thing to find out about the flights. Spark answers it in
// app/flights.py; the answer here is computed with neither Spark nor Python, from
// the same file, and must be equal to the last digit.
type question struct {
	// name is known to app/flights.py, and names the application.
	name string
	// answer returns the rows that app/flights.py prints, in any order.
	answer func([]flight) []row
	// headline is the answer in a few words.
	headline func([]row) string
}

var questions = []question{
	{
		name: "arrival-delays",
		answer: func(all []flight) []row {
			return tally(all, func(f flight) (string, []int64) { return f.carrier, countAnd(f.arrDelay) })
		},
		headline: func(rows []row) string {
			key, n := greatest(rows, mean)
			return fmt.Sprintf("%d airlines, latest %s by %.1f min", len(rows), key, n)
		},
	},
	{
		name: "monthly-flights",
		answer: func(all []flight) []row {
			return tally(all, func(f flight) (string, []int64) {
				return f.origin + " " + strconv.Itoa(f.month), []int64{1}
			})
		},
		headline: func(rows []row) string {
			key, n := greatest(rows, count)
			return fmt.Sprintf("%d airport months, most %s with %.0f", len(rows), key, n)
		},
	},
	{
		name: "cancellations",
		answer: func(all []flight) []row {
			return tally(all, func(f flight) (string, []int64) {
				if f.depTime != nil {
					return "", nil
				}
				return strconv.Itoa(f.month), []int64{1}
			})
		},
		headline: func(rows []row) string {
			key, n := greatest(rows, count)
			return fmt.Sprintf("%d months, worst month %s with %.0f", len(rows), key, n)
		},
	},
	{
		name: "distances",
		answer: func(all []flight) []row {
			return tally(all, func(f flight) (string, []int64) { return f.dest, countAnd(f.distance) })
		},
		headline: func(rows []row) string {
			key, n := greatest(rows, mean)
			return fmt.Sprintf("%d airports, farthest %s at %.0f miles", len(rows), key, n)
		},
	},
	{
		name: "departure-delays",
		answer: func(all []flight) []row {
			return tally(all, func(f flight) (string, []int64) { return strconv.Itoa(f.hour), countAnd(f.depDelay) })
		},
		headline: func(rows []row) string {
			key, n := greatest(rows, mean)
			return fmt.Sprintf("%d hours, latest from %s:00 by %.1f min", len(rows), key, n)
		},
	},
	{
		name:   "busiest-planes",
		answer: busiestPlanes,
		headline: func(rows []row) string {
			key, n := greatest(rows, count)
			return fmt.Sprintf("%d planes, first %s with %.0f flights", len(rows), key, n)
		},
	},
	{
		name: "air-speeds",
		answer: func(all []flight) []row {
			return tally(all, func(f flight) (string, []int64) {
				if f.airTime == nil || f.distance == nil {
					return "", nil
				}
				return f.carrier, []int64{*f.distance, *f.airTime}
			})
		},
		headline: func(rows []row) string {
			key, n := greatest(rows, func(r row) float64 { return 60 * float64(r.numbers[0]) / float64(r.numbers[1]) })
			return fmt.Sprintf("%d airlines, fastest %s at %.0f mph", len(rows), key, n)
		},
	},
	{
		name: "weekly-flights",
		answer: func(all []flight) []row {
			return tally(all, func(f flight) (string, []int64) {
				_, week := time.Date(f.year, time.Month(f.month), f.day, 0, 0, 0, 0, time.UTC).ISOWeek()
				return strconv.Itoa(week), []int64{1}
			})
		},
		headline: func(rows []row) string {
			key, n := greatest(rows, count)
			return fmt.Sprintf("%d weeks, busiest %s with %.0f flights", len(rows), key, n)
		},
	},
}
