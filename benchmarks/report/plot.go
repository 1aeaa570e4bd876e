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
	{0xe6, 0x9f, 0x00, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0x66, 0x66, 0x66, 0xff},
}

// curves draws how many pods were bound when, a line for each scheduler: its
// median round.
func curves(s scenario.Scenario, results []trial.Result) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = fmt.Sprintf("%s on %d nodes", s.Name, s.Nodes)
	p.X.Label.Text, p.Y.Label.Text = "seconds", "pods bound"
	p.X.Min, p.Y.Min = 0, 0
	p.Legend.Top, p.Legend.Left = false, false
	p.Add(plotter.NewGrid())
	for i, c := range contender.All() {
		r, ok := medianRound(s, c.Name, results)
		if !ok {
			continue
		}
		points := plotter.XYs{{X: 0, Y: 0}}
		for n, at := range r.Binds {
			points = append(points, plotter.XY{X: at, Y: float64(n)}, plotter.XY{X: at, Y: float64(n + 1)})
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", c.Name, err)
		}
		line.Color, line.Width = colors[i%len(colors)], vg.Points(1.5)
		p.Add(line)
		p.Legend.Add(c.Name, line)
	}
	return p, nil
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
