package localcluster

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// steps tells a reader what happens, a line a step, with the time it took.
type steps struct {
	mu  sync.Mutex
	out io.Writer
}

func newSteps(out io.Writer) *steps { return &steps{out: out} }

// run does one step and tells how it went.
func (s *steps) run(ctx context.Context, name string, do func(context.Context) error) error {
	started := time.Now()
	err := do(ctx)
	took := time.Since(started).Seconds()
	if err != nil {
		s.logf("%7.1f s  %s: failed", took, name)
		return err
	}
	s.logf("%7.1f s  %s", took, name)
	return nil
}

func (s *steps) logf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = fmt.Fprintf(s.out, format+"\n", args...)
}
