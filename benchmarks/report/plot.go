package report

import (
	"bytes"
	"fmt"
	"image/color"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/benchmarks/trial"
)

const (
	plotWidth  = 18 * vg.Centimeter
	plotHeight = 9 * vg.Centimeter
)

// colors are told apart by people who see no red or green (Okabe and Ito, 2008).
var colors = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff},
	{0xe6, 0x9f, 0x00, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0xb0, 0xa0, 0x00, 0xff}, {0x66, 0x66, 0x66, 0xff},
}

// curves draws how many pods were bound when, a line for each scheduler: its
// median round.
func curves(s scenario.Scenario, results []trial.Result) (*plot.Plot, error) {
	p := newPlot(fmt.Sprintf("%s on %d nodes", s.Name, s.Nodes), "seconds", "pods bound")
	err := p.lines(s, results, func(r trial.Result) []float64 { return r.Binds })
	return p.Plot, err
}

// latencies draws how many gangs had waited at most how long when the last of
// their minimum was bound.
func latencies(s scenario.Scenario, results []trial.Result) (*plot.Plot, error) {
	p := newPlot("How long gangs waited", "seconds at most", "gangs")
	err := p.lines(s, results, func(r trial.Result) []float64 { return r.GangLatencies })
	return p.Plot, err
}

// chart is a plot with a line for each scheduler.
type chart struct{ *plot.Plot }

func newPlot(title, x, y string) chart {
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.X.Min, p.Y.Min = 0, 0
	// Names stand to the right of their lines, so that they may be wider in another
	// font than they were thought to be.
	p.Legend.Left, p.Legend.XOffs = true, plotWidth*3/5
	p.Add(plotter.NewGrid())
	return chart{p}
}

// lines draws a step for each of the values of each scheduler, which are in order.
func (c chart) lines(s scenario.Scenario, results []trial.Result, values func(trial.Result) []float64) error {
	for i, scheduler := range contender.All(contender.Folders{}) {
		r, ok := medianRound(s, scheduler.Name, results)
		if !ok {
			continue
		}
		points := plotter.XYs{{X: 0, Y: 0}}
		for n, at := range values(r) {
			points = append(points, plotter.XY{X: at, Y: float64(n)}, plotter.XY{X: at, Y: float64(n + 1)})
		}
		if err := c.line(i, scheduler.Name, points); err != nil {
			return err
		}
	}
	return nil
}

// line draws the line of the i-th scheduler.
func (c chart) line(i int, name string, points plotter.XYs) error {
	line, err := plotter.NewLine(points)
	if err != nil {
		return fmt.Errorf("draw %s: %w", name, err)
	}
	line.Color, line.Width = colors[i%len(colors)], vg.Points(1.5)
	c.Add(line)
	c.Legend.Add(name, line)
	return nil
}

// medianRound is the round of a scheduler with the median span.
func medianRound(s scenario.Scenario, name string, results []trial.Result) (trial.Result, bool) {
	var rounds []trial.Result
	var spans []float64
	for _, r := range results {
		if r.Scenario == s && r.Contender == name && r.Failed == "" && len(r.Binds) > 0 {
			rounds, spans = append(rounds, r), append(spans, r.Span)
		}
	}
	if len(rounds) == 0 {
		return trial.Result{}, false
	}
	middle := spread(spans).Median
	best := rounds[0]
	for _, r := range rounds[1:] {
		if abs(r.Span-middle) < abs(best.Span-middle) {
			best = r
		}
	}
	return best, true
}

func abs(x float64) float64 { return max(x, -x) }

// svg is a plot as an element of a page.
func svg(p *plot.Plot) (string, error) {
	canvas := vgsvg.New(plotWidth, plotHeight)
	p.Draw(draw.New(canvas))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return "", err
	}
	// What comes before the element has no place within a page.
	text := out.String()
	return text[max(strings.Index(text, "<svg"), 0):], nil
}

// writePNG keeps a plot as an image.
func writePNG(p *plot.Plot, dir, name string) error {
	return p.Save(plotWidth, plotHeight, filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+".png"))
}
