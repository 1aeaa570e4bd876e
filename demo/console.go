package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"muster.sh/muster/internal/sparkdist"
)

// console shows what happens: lines that stay, and on a terminal, below them,
// what moves meanwhile.
type console struct {
	began    time.Time
	terminal bool

	mu   sync.Mutex
	out  io.Writer
	bars *mpb.Progress // while something moves
}

func newConsole(out *os.File) *console {
	return &console{began: time.Now(), out: out, terminal: term.IsTerminal(int(out.Fd()))}
}

// say prints a line, with the minutes and seconds since the start.
func (c *console) say(format string, args ...any) {
	since := int(time.Since(c.began).Seconds())
	c.print(fmt.Sprintf("    %02d:%02d  %s\n", since/60, since%60, fmt.Sprintf(format, args...)))
}

// print prints text as it is.
func (c *console) print(text string) { _, _ = io.WriteString(c, text) }

// Write implements io.Writer; it prints above what moves.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bars != nil {
		return c.bars.Write(p)
	}
	return c.out.Write(p)
}

// move begins to show moving lines, until end is called. Where nobody watches
// there is nothing to show, and bars is nil.
func (c *console) move() (bars *mpb.Progress, end func()) {
	if !c.terminal {
		return nil, func() {}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bars = mpb.New(mpb.WithOutput(c.out), mpb.WithWidth(40), mpb.WithRefreshRate(250*time.Millisecond))
	return c.bars, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.bars.Shutdown()
		c.bars = nil
	}
}

// state shows one line that set changes, until end is called.
func (c *console) state() (set func(string), end func()) {
	bars, stop := c.move()
	if bars == nil {
		return func(string) {}, stop
	}
	var text atomic.Value
	text.Store("")
	line := bars.New(0, mpb.NopStyle(), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return "           " + text.Load().(string) })))
	return func(s string) { text.Store(s) }, func() { line.Abort(true); stop() }
}

// building shows the steps of building Spark until end is called: a bar for the
// present step, and a line when it has ended.
func (c *console) building() (progress sparkdist.Progress, end func()) {
	bars, end := c.move()
	var bar *mpb.Bar
	return func(e sparkdist.Event) {
		if bars != nil && bar == nil {
			bar = stepBar(bars, e)
		}
		if bar != nil && e.Total > 0 {
			bar.SetCurrent(e.Done)
		}
		if !e.Ended {
			return
		}
		if bar != nil {
			bar.Abort(true)
			bar = nil
		}
		if e.Err == nil {
			c.print(fmt.Sprintf("%7.1f s  %s\n", e.Took.Seconds(), e.Step))
		}
	}, end
}

func stepBar(bars *mpb.Progress, e sparkdist.Event) *mpb.Bar {
	name := mpb.PrependDecorators(decor.Elapsed(decor.ET_STYLE_MMSS, decor.WC{W: 9}), decor.Name("  "+e.Step+" "))
	if e.Total == 0 {
		return bars.AddSpinner(0, name, mpb.BarRemoveOnComplete())
	}
	return bars.AddBar(e.Total, name, mpb.BarRemoveOnComplete(), mpb.AppendDecorators(decor.CountersKibiByte("% .0f / % .0f")))
}
