package localcluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// steps tells a reader what happens: a line for every step that is done, with
// the time it took, and on a terminal a moving line for those under way.
type steps struct {
	mu   sync.Mutex
	out  io.Writer
	bars *mpb.Progress // nil when out is no terminal
}

func newSteps(out io.Writer) *steps {
	s := &steps{out: out}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		s.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40))
	}
	return s
}

// run does one step and tells how it went.
func (s *steps) run(ctx context.Context, name string, do func(context.Context) error) error {
	return s.tell(ctx, name, mpb.SpinnerStyle().PositionLeft(), func(ctx context.Context, _ *gauge) error { return do(ctx) })
}

// watch does one step that can tell how far it is.
func (s *steps) watch(ctx context.Context, name string, do func(context.Context, *gauge) error) error {
	return s.tell(ctx, name, mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("━").Padding("─"), do)
}

func (s *steps) tell(ctx context.Context, name string, style mpb.BarFillerBuilder, do func(context.Context, *gauge) error) error {
	started := time.Now()
	gauge := s.gauge(name, style)
	err := do(ctx, gauge)
	gauge.end()
	outcome := ""
	if err != nil {
		outcome = ": failed"
	}
	s.logf("%7.1f s  %s%s", time.Since(started).Seconds(), name, outcome)
	return err
}

// logf tells one line, above the moving ones.
func (s *steps) logf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.out
	if s.bars != nil {
		out = s.bars
	}
	_, _ = fmt.Fprintf(out, format+"\n", args...) // a reader that is gone misses nothing
}

// redirect sends all further lines elsewhere, without moving ones.
func (s *steps) redirect(out io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bars != nil {
		s.bars.Wait()
	}
	s.out, s.bars = out, nil
}

// gauge is the moving line of one step; nil where there is none.
type gauge struct {
	bar *mpb.Bar

	mu   sync.Mutex
	note string
}

func (s *steps) gauge(name string, style mpb.BarFillerBuilder) *gauge {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bars == nil {
		return nil
	}
	g := &gauge{}
	g.bar = s.bars.New(0, style,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Elapsed(decor.ET_STYLE_MMSS, decor.WC{W: 7}), decor.Name("    "+name+" ")),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return g.text() })))
	return g
}

// set moves the line: done of total, and what is being done.
func (g *gauge) set(done, total int, note string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	g.note = note
	g.mu.Unlock()
	g.bar.SetTotal(int64(total), false)
	g.bar.SetCurrent(int64(done))
}

func (g *gauge) text() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return " " + g.note
}

func (g *gauge) end() {
	if g != nil {
		g.bar.SetTotal(-1, true)
		g.bar.Abort(true)
	}
}
