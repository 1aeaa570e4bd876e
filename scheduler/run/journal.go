package run

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"sync"

	"k8s.io/klog/v2"

	"muster.sh/muster/scheduler/core"
)

// journal records every event of the loop, for a replay elsewhere. A nil
// journal records nothing.
type journal struct {
	mu   sync.Mutex
	file *os.File
	out  *bufio.Writer
}

// openJournal begins a journal in a new file. An empty path means none. It
// holds names, labels and sizes of all work in the cluster, so only its owner
// may read it.
func openJournal(path string) (*journal, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("record events: %w", err)
	}
	return &journal{file: file, out: bufio.NewWriter(file)}, nil
}

// write records an event. After the first failure it records nothing more: a
// history with a hole replays to something else.
func (j *journal) write(ctx context.Context, e core.Stamped) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.out == nil {
		return
	}
	if err := core.WriteEvent(j.out, e); err != nil {
		klog.FromContext(ctx).Error(err, "Recording of events has ended")
		j.out = nil
	}
}

// close writes out what was recorded last.
func (j *journal) close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	var err error
	if j.out != nil {
		err = j.out.Flush()
		j.out = nil
	}
	if closeErr := j.file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("record events: %w", err)
	}
	return nil
}
