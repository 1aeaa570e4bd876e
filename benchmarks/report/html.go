package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"

	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/benchmarks/trial"
)

//go:embed page.html.tmpl
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"seconds": func(x float64) string { return fmt.Sprintf("%.2f", x) },
	"ratio":   ratio,
	"mib":     func(n int64) int64 { return n >> 20 },
	"one":     func(x float64) string { return fmt.Sprintf("%.1f", x) },
	"flags":   func(command []string) string { return strings.Join(command, " \\\n  ") },
}).Parse(pageText))

// pageData is all that the page shows.
type pageData struct {
	Contenders []pageContender
	Cluster    []trial.Process
	Growth     template.HTML
	Loops      []LoopRow
	LoopHeads  []string
	Grids      []Grid
	Tables     []pageTable
	Parts      []part // the legend of the bars
}

// pageContender is a scheduler that has taken part.
type pageContender struct {
	contender.Contender
	Processes []trial.Process
}

// pageTable is a table of the page.
type pageTable struct {
	Table
	Curves, Latencies template.HTML
	Rows              []pageRow
}

// pageRow is a row with its bar.
type pageRow struct {
	Row
	Bar []part
}

// part is a piece of a bar of CPU time.
type part struct {
	Name, Color string
	Millis      float64
	Percent     string
}

// partColors are of the pieces of a bar, from left to right; the scheduler's comes
// first.
var partColors = []struct{ name, color string }{
	{"scheduler", "#0072b2"}, {"kube-apiserver", "#e69f00"}, {"etcd", "#cc79a7"},
	{"kube-controller-manager", "#56b4e9"}, {"kwok", "#b9c6d3"},
}

// WritePage makes one page of everything, which needs nothing beside it, and the
// curves as images.
func (r Report) WritePage(dir string, results []trial.Result) error {
	data := pageData{Contenders: participants(results), Cluster: clusterProcesses(results), Loops: r.Loops, LoopHeads: loopHeads, Grids: r.Grids}
	for _, p := range partColors {
		data.Parts = append(data.Parts, part{Name: p.name, Color: p.color})
	}
	growth, err := r.growth()
	if err != nil {
		return err
	}
	if data.Growth, err = drawing(growth, dir, "growth"); err != nil {
		return err
	}
	for _, t := range r.Tables {
		table, err := newPageTable(t, dir, results)
		if err != nil {
			return fmt.Errorf("draw %s: %w", t.Scenario.Name, err)
		}
		data.Tables = append(data.Tables, table)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, data); err != nil {
		return fmt.Errorf("make the page: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "report.html"), out.Bytes(), 0o644)
}

func newPageTable(t Table, dir string, results []trial.Result) (pageTable, error) {
	table := pageTable{Table: t, Rows: bars(t.Rows)}
	bound, err := curves(t.Scenario, results)
	if err != nil {
		return table, err
	}
	name := fmt.Sprintf("%s-%d-nodes", t.Scenario.Name, t.Scenario.Nodes)
	if table.Curves, err = drawing(bound, dir, name); err != nil {
		return table, err
	}
	if t.Scenario.Mode == scenario.Burst || t.Scenario.Gangs == 1 {
		return table, nil // there is nothing to distribute
	}
	waited, err := latencies(t.Scenario, results)
	if err != nil {
		return table, err
	}
	table.Latencies, err = drawing(waited, dir, name+"-latency")
	return table, err
}

// drawing is a plot as a part of the page; beside it, it is kept as an image.
func drawing(p *plot.Plot, dir, name string) (template.HTML, error) {
	if p == nil {
		return "", nil
	}
	element, err := svg(p)
	if err != nil {
		return "", err
	}
	return template.HTML(element), writePNG(p, dir, name) //nolint:gosec // drawn by ourselves, of numbers and our own names
}

// bars gives every row its bar; the longest has all of the width.
func bars(rows []Row) []pageRow {
	longest := 0.0
	for _, row := range rows {
		longest = max(longest, row.SchedulerCPU+row.ClusterCPU)
	}
	var all []pageRow
	for _, row := range rows {
		p := pageRow{Row: row}
		for _, c := range partColors {
			millis := row.CPU[c.name]
			if c.name == partColors[0].name {
				millis = row.SchedulerCPU
			}
			if millis > 0 {
				p.Bar = append(p.Bar, part{c.name, c.color, millis, fmt.Sprintf("%.1f%%", 100*millis/longest)})
			}
		}
		all = append(all, p)
	}
	return all
}

// participants are the schedulers in the results, with how each was started.
func participants(results []trial.Result) []pageContender {
	var all []pageContender
	for _, c := range contender.All(contender.Folders{}) {
		i := slices.IndexFunc(results, func(r trial.Result) bool { return r.Contender == c.Name })
		if i < 0 {
			continue
		}
		own := slices.DeleteFunc(slices.Clone(results[i].Processes), func(p trial.Process) bool { return !p.Own })
		all = append(all, pageContender{c, own})
	}
	return all
}

// clusterProcesses are those that every scheduler had beside it.
func clusterProcesses(results []trial.Result) []trial.Process {
	if len(results) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(results[0].Processes), func(p trial.Process) bool { return p.Own })
}
