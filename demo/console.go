package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"muster.sh/muster/internal/sparkdist"
)

// console shows what happens: lines that stay, each with the time since the
// start, and below them, on a terminal, bars and a line of current state.
type console struct {
	began time.Time
	bars  *mpb.Progress // nil where nobody watches

	mu  sync.Mutex
	out io.Writer
	buf string // a line that isn't complete yet
}

func newConsole(out *os.File) *console {
	c := &console{began: time.Now(), out: out}
	if term.IsTerminal(int(out.Fd())) {
		c.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithRefreshRate(250*time.Millisecond))
		c.out = c.bars // prints above the bars
	}
	return c
}

// say prints a line.
func (c *console) say(format string, args ...any) {
	c.print(fmt.Sprintf("%7.1f s  %s\n", time.Since(c.began).Seconds(), fmt.Sprintf(format, args...)))
}

// print prints text as it is.
func (c *console) print(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.WriteString(c.out, text)
}

// Write says the lines that others write, with no time but their own.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf += string(p)
	for {
		line, rest, whole := strings.Cut(c.buf, "\n")
		if !whole {
			return len(p), nil
		}
		c.buf = rest
		if _, err := fmt.Fprintf(c.out, "           %s\n", line); err != nil {
			return 0, err
		}
	}
}

// state keeps one line below all others, which set changes, until remove is
// called.
func (c *console) state() (set func(string), remove func()) {
	if c.bars == nil {
		return func(string) {}, func() {}
	}
	var text atomic.Value
	text.Store("")
	line := c.bars.New(0, mpb.NopStyle(), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return "           " + text.Load().(string) })))
	set = func(s string) { text.Store(s) }
	return set, func() { line.Abort(true); line.Wait() }
}

// building shows the steps of building Spark: a bar where the size of a step is
// known, and a line when it has ended.
func (c *console) building() sparkdist.Progress {
	var bar *mpb.Bar
	return func(e sparkdist.Event) {
		switch {
		case e.Ended && bar != nil:
			bar.Abort(true)
			bar.Wait()
			bar = nil
		case c.bars != nil && bar == nil:
			bar = c.stepBar(e)
		case bar != nil && e.Total > 0:
			bar.SetCurrent(e.Done)
		}
		if e.Ended && e.Err == nil {
			c.say("%s (%.1f s)", e.Step, e.Took.Seconds())
		}
	}
}

func (c *console) stepBar(e sparkdist.Event) *mpb.Bar {
	name := mpb.PrependDecorators(decor.Name("           "+e.Step+" "), decor.Elapsed(decor.ET_STYLE_GO))
	if e.Total == 0 {
		return c.bars.AddSpinner(0, name, mpb.BarRemoveOnComplete())
	}
	return c.bars.AddBar(e.Total, name, mpb.BarRemoveOnComplete(),
		mpb.AppendDecorators(decor.CountersKibiByte("% .0f / % .0f")))
}

// close ends the bars; what is printed later goes straight to out.
func (c *console) close(out io.Writer) {
	if c.bars == nil {
		return
	}
	c.bars.Shutdown()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bars, c.out = nil, out
}
