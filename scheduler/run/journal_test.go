package run

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/scheduler/core"
)

// leadOnce keeps the journal of one leadership.
func (r *recording) leadOnce(t *testing.T, events ...core.Event) {
	t.Helper()
	w, run := r.begin(t.Context())
	for _, e := range events {
		w.Record(core.Stamped{Event: e}, nil)
	}
	w.Close()
	run()
}

func newTestRecording(path string) *recording {
	c := config.NewSchedulerConfiguration()
	c.Record.File = path
	r := newRecording(c, machineOptions(c))
	return &r
}

// files returns the names in a folder.
func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestTheJournalsOfTheLastLeadershipsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events")
	for i := range oldJournals + 3 {
		newTestRecording(path).leadOnce(t, slices.Repeat([]core.Event{core.Tick{}}, i)...)
	}
	if want, got := []string{"events", "events.1", "events.2", "events.3", "events.4"}, files(t, filepath.Dir(path)); !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}
	for age := range oldJournals + 1 {
		o, _, err := replayFile(oldJournal(path, age), nil)
		if want := oldJournals + 2 - age; err != nil || o.Steps != want || o.Difference != nil {
			t.Errorf("the journal of age %d has %+v, want %d events: %v", age, o, want, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestOneSchedulesWithoutAJournalThatCantBeWritten(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"", dir, filepath.Join(dir, "missing", "events")} {
		w, run := newTestRecording(path).begin(t.Context())
		if w != nil {
			t.Errorf("there is a journal at %q", path)
		}
		run()
	}
	if left := files(t, dir); len(left) > 0 {
		t.Errorf("there are %v", left)
	}
	if _, err := os.Stat(dir + ".1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was taken for a journal: %v", err)
	}
}
