package report

import (
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"muster.sh/muster/benchmarks/contender"
)

// growth draws what a pod costs the schedulers on ever more nodes; nil if there are
// no such runs.
func (r Report) growth() (*plot.Plot, error) {
	tables := slices.DeleteFunc(slices.Clone(r.Tables), func(t Table) bool { return !t.Scenario.IsGrowth() })
	if len(tables) < 2 {
		return nil, nil
	}
	slices.SortFunc(tables, func(a, b Table) int { return a.Scenario.Nodes - b.Scenario.Nodes })
	p := newPlot("Cost growth, "+tables[0].Scenario.What(), "nodes", "scheduler CPU per pod, ms")
	for i, c := range contender.All(contender.Folders{}) {
		var points plotter.XYs
		for _, t := range tables {
			for _, row := range t.Rows {
				if row.Contender == c.Name && row.Span.Median > 0 {
					points = append(points, plotter.XY{X: float64(t.Scenario.Nodes), Y: row.SchedulerCPU})
				}
			}
		}
		if len(points) < 2 {
			continue
		}
		if err := p.line(i, c.Name, points); err != nil {
			return nil, err
		}
	}
	return p.Plot, nil
}
