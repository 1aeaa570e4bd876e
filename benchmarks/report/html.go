package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"

	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/trial"
)

//go:embed page.html.tmpl
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"seconds": func(x float64) string { return fmt.Sprintf("%.2f", x) },
	"ratio":   ratio,
	"mib":     func(n int64) int64 { return n >> 20 },
	"one":     func(x float64) string { return fmt.Sprintf("%.1f", x) },
	"percent": func(x, of float64) string { return fmt.Sprintf("%.1f%%", 100*x/max(of, 1e-9)) },
}).Parse(pageText))

// pageTable is a table of the page.
type pageTable struct {
	Table
	Curves template.HTML
	MaxCPU float64
}

// WritePage makes one page of everything, which needs nothing beside it, and the
// curves as images.
func (r Report) WritePage(dir string, results []trial.Result) error {
	data := struct {
		Contenders []contender.Contender
		Tables     []pageTable
		Loops      []LoopRow
		LoopHeads  []string
	}{Contenders: contender.All(), Loops: r.Loops, LoopHeads: loopHeads}
	for _, t := range r.Tables {
		drawn, err := curves(t.Scenario, results)
		if err != nil {
			return err
		}
		element, err := svg(drawn)
		if err != nil {
			return fmt.Errorf("draw %s: %w", t.Scenario.Name, err)
		}
		if err := writePNG(drawn, dir, fmt.Sprintf("%s-%d-nodes", t.Scenario.Name, t.Scenario.Nodes)); err != nil {
			return fmt.Errorf("draw %s: %w", t.Scenario.Name, err)
		}
		p := pageTable{Table: t, Curves: template.HTML(element)} //nolint:gosec // drawn by ourselves, of numbers and our own names
		for _, row := range t.Rows {
			p.MaxCPU = max(p.MaxCPU, row.SchedulerCPU+row.ClusterCPU)
		}
		data.Tables = append(data.Tables, p)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, data); err != nil {
		return fmt.Errorf("make the page: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "report.html"), out.Bytes(), 0o644)
}
