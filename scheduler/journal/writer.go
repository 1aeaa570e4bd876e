package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/resource"
)

var errStopped = errors.New("the scheduler was stopped")

// Writer writes a journal. Who records does not wait for the disk: Record encodes, and
// Run writes, in another goroutine. A nil Writer records nothing.
type Writer struct {
	out   io.Writer
	limit int64
	// patience is how much may be pending, in bytes: a slow disk takes no memory
	// without end.
	patience int
	// wake has something in it while there is something to write.
	wake chan struct{}

	mu      sync.Mutex
	pending bytes.Buffer
	size    int64
	// over is why nothing more is recorded; nil while it goes on.
	over error
}

// NewWriter begins a journal that takes at most limit bytes, and a line that says so.
func NewWriter(out io.Writer, h Header, limit int64) (*Writer, error) {
	w := &Writer{out: out, limit: limit, patience: 64 << 20, wake: make(chan struct{}, 1)}
	h.Format = Format
	if err := w.append(h); err != nil {
		return nil, err
	}
	return w, nil
}

// Record appends an event and what was decided on it. After the first that can't be
// recorded none is: a history with a hole replays to something else.
func (w *Writer) Record(e core.Stamped, out []core.Decision) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over != nil {
		return
	}
	l, err := lineOf(e, out)
	if err == nil {
		err = w.append(l)
	}
	if err != nil {
		w.finish(err)
	}
}

// append appends a line, unless that would be too much.
func (w *Writer) append(v any) error {
	before := w.pending.Len()
	if err := json.NewEncoder(&w.pending).Encode(v); err != nil {
		return err
	}
	w.size += int64(w.pending.Len() - before)
	switch {
	case w.size > w.limit:
		w.pending.Truncate(before)
		return fmt.Errorf("truncated: the journal has reached its largest size of %s", resource.Format(resource.Memory, w.limit))
	case w.pending.Len() > w.patience:
		w.pending.Truncate(before)
		return fmt.Errorf("truncated: the disk was too slow, with %s to be written", resource.Format(resource.Memory, int64(w.patience)))
	}
	w.signal()
	return nil
}

// finish appends the last line.
func (w *Writer) finish(why error) {
	w.over = why
	_ = json.NewEncoder(&w.pending).Encode(line{End: why.Error()}) // a buffer takes all, and a string can be encoded
	w.signal()
}

func (w *Writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Close ends the journal. What was recorded before is still written, by Run.
func (w *Writer) Close() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over == nil {
		w.finish(errStopped)
	}
}

// Run writes what is recorded until the journal ends. Unless that is because of Close,
// the error says why.
func (w *Writer) Run() error {
	for range w.wake {
		chunk, over := w.take()
		if _, err := w.out.Write(chunk); err != nil {
			w.abandon(err)
			return err
		}
		if errors.Is(over, errStopped) {
			return nil
		}
		if over != nil {
			return over
		}
	}
	return nil
}

func (w *Writer) take() (chunk []byte, over error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	chunk = w.pending.Bytes()
	w.pending = bytes.Buffer{}
	return chunk, w.over
}

// abandon ends a journal that can't be written any more.
func (w *Writer) abandon(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over, w.pending = err, bytes.Buffer{}
}
