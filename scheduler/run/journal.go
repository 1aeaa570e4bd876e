package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"

	"k8s.io/klog/v2"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/journal"
)

// oldJournals is how many journals of earlier leaderships are kept.
const oldJournals = 4

// recording is how the journal of a leadership is kept.
type recording struct {
	config.Record
	header journal.Header
}

func newRecording(c *config.SchedulerConfiguration, o core.Options) recording {
	return recording{c.Record, journal.Header{Muster: ownVersion(), Options: o, Strategy: string(c.Placement.Strategy)}}
}

// begin begins the journal of this leadership, whose machine has seen nothing yet, and
// returns what writes it until it is closed. Without a journal, or where it can't be
// written, there is none: that is no reason not to schedule.
func (r *recording) begin(ctx context.Context) (w *journal.Writer, run func()) {
	if r.File == "" {
		return nil, func() {}
	}
	logger := klog.LoggerWithValues(klog.FromContext(ctx), "file", r.File)
	file, err := createJournal(r.File)
	if err == nil {
		w, err = journal.NewWriter(file, r.header, r.MaxSize.Value())
	}
	if err != nil {
		logger.Error(err, "Nothing is recorded")
		return nil, func() {}
	}
	return w, func() {
		if err := errors.Join(w.Run(), file.Close()); err != nil {
			logger.Error(err, "No more is recorded")
		}
	}
}

// createJournal makes a file that only its owner may read: it names all work of the
// cluster. The journal that was there gets the suffix .1, that one .2, and the oldest
// goes.
func createJournal(path string) (*os.File, error) {
	if old, err := os.Lstat(path); err == nil && !old.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is there already, and is no file", path)
	}
	for i := oldJournals; i > 0; i-- {
		if err := os.Rename(oldJournal(path, i-1), oldJournal(path, i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("keep the journal before: %w", err)
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

func oldJournal(path string, age int) string {
	if age == 0 {
		return path
	}
	return fmt.Sprintf("%s.%d", path, age)
}

// ownVersion is that of this build, as far as the go command was told.
func ownVersion() string {
	info, known := debug.ReadBuildInfo()
	if !known {
		return "unknown"
	}
	return cmp.Or(info.Main.Version, "unknown")
}
