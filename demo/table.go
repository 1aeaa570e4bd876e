package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// outcome is one line of the table at the end.
type outcome struct {
	application string
	members     int
	waited, ran int // seconds
	places      string
	result      string
	check       string // "ok", or what is wrong
}

// renderTable lays the outcomes out in columns that fit what is in them.
func renderTable(outcomes []outcome) string {
	rows := [][]string{{"application", "gang", "waited", "ran", "executors on", "result", "check"}}
	for _, o := range outcomes {
		rows = append(rows, []string{
			o.application, fmt.Sprint(o.members), fmt.Sprintf("%d s", o.waited), fmt.Sprintf("%d s", o.ran), o.places, o.result, o.check,
		})
	}
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	numeric := map[int]bool{1: true, 2: true, 3: true}
	var b strings.Builder
	for n, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if numeric[i] {
				cell, pad = pad+cell, ""
			}
			line.WriteString("  " + cell + pad)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		if n == 0 {
			for _, w := range width {
				b.WriteString("  " + strings.Repeat("─", w))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}
