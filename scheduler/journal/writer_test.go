package journal

import (
	"bytes"
	"strings"
	"testing"

	"muster.sh/muster/scheduler/core"
)

func TestADiskThatHangsTakesNoMemoryWithoutEnd(t *testing.T) {
	var text bytes.Buffer
	w, err := NewWriter(&text, Header{}, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	w.patience = 10 << 10
	for range 100 { // while nothing is written
		w.Record(core.Stamped{Event: core.NodeGone{Name: strings.Repeat("x", 1000)}}, nil)
	}
	why := w.Run()
	if want := "truncated: the disk was too slow, with 10Ki to be written"; why == nil || why.Error() != want {
		t.Errorf("it ends because %v", why)
	}
	if over := text.Len() - w.patience; over > 200 {
		t.Errorf("%d bytes too much were pending", over)
	}
	r, err := NewReader(&text)
	if err != nil {
		t.Fatal(err)
	}
	if report, err := Replay(r, core.NewMachine(r.Header.Options), nil); err != nil || report.Steps < 5 || report.End != why.Error() {
		t.Errorf("%+v, %v", report, err)
	}
}
