package main

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// row is one row of an answer: what it is about, and counts or sums.
type row struct {
	key     string
	numbers []int64
}

// String is the row as app/flights.py prints it.
func (r row) String() string {
	var b strings.Builder
	b.WriteString(r.key)
	for _, n := range r.numbers {
		b.WriteString(" " + strconv.FormatInt(n, 10))
	}
	return b.String()
}

// countAnd counts a known value and sums it. An unknown one still makes its key
// appear, as it does in SQL.
func countAnd(value *int64) []int64 {
	if value == nil {
		return []int64{0, 0}
	}
	return []int64{1, *value}
}

// tally sums the numbers that of gives for each flight, by key, and returns them
// sorted by key. A flight without numbers doesn't count.
func tally(all []flight, of func(flight) (key string, numbers []int64)) []row {
	sums := map[string][]int64{}
	for _, f := range all {
		key, numbers := of(f)
		if numbers == nil {
			continue
		}
		if sums[key] == nil {
			sums[key] = make([]int64, len(numbers))
		}
		for i, n := range numbers {
			sums[key][i] += n
		}
	}
	rows := make([]row, 0, len(sums))
	for _, key := range slices.Sorted(maps.Keys(sums)) {
		rows = append(rows, row{key, sums[key]})
	}
	return rows
}

// busiestPlanes are the ten planes with the most flights; of equals, those first
// in the alphabet.
func busiestPlanes(all []flight) []row {
	planes := tally(all, func(f flight) (string, []int64) {
		if f.tailnum == "" {
			return "", nil
		}
		return f.tailnum, []int64{1}
	})
	slices.SortStableFunc(planes, func(a, b row) int { return cmp.Compare(b.numbers[0], a.numbers[0]) })
	return planes[:min(10, len(planes))]
}

// greatest returns the key and the score of the row that scores highest, the
// first of equals.
func greatest(rows []row, score func(row) float64) (key string, best float64) {
	for i, r := range rows {
		if s := score(r); i == 0 || s > best {
			key, best = r.key, s
		}
	}
	return key, best
}

// count is the score of rows that hold a count.
func count(r row) float64 { return float64(r.numbers[0]) }

// mean is the score of rows that hold a count and a sum; nothing has the mean 0.
func mean(r row) float64 {
	if r.numbers[0] == 0 {
		return 0
	}
	return float64(r.numbers[1]) / float64(r.numbers[0])
}

// compare tells how Spark's rows differ from the right ones; empty means that
// they are equal.
func compare(want []row, got []string) string {
	missing := map[string]int{}
	for _, r := range want {
		missing[r.String()]++
	}
	for _, line := range got {
		if missing[line] == 0 {
			return "row " + strconv.Quote(line) + " is wrong"
		}
		if missing[line]--; missing[line] == 0 {
			delete(missing, line)
		}
	}
	if len(missing) > 0 {
		absent := slices.Sorted(maps.Keys(missing))[0]
		return "row " + strconv.Quote(absent) + " is missing"
	}
	return ""
}
