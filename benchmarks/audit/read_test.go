package audit_test

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"muster.sh/muster/benchmarks/audit"
)

// fault is a log with one over-commit in it.
func fault(t *testing.T) *logBuilder {
	return newLog(t).node("n", "cpu=1,pods=9").create("a").create("b").
		at(1).bind("a", "n").at(2).bind("b", "n").at(3).remove("a").at(4).finish("a").at(9).create("end")
}

var theFault = []found{{audit.OverCommitted, "n", 2, 4, "pod ns/b"}}

func read(t *testing.T, text string) *audit.Timeline {
	t.Helper()
	log, err := audit.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return log.Timeline()
}

func TestTheOrderOfLinesDoesNotMatter(t *testing.T) {
	b := fault(t)
	slices.Reverse(b.lines)
	tl := b.timeline()
	checkFound(t, audit.OverCommit(tl), theFault)
	if !tl.Start.Equal(epoch) || !tl.End.Equal(second(9.004)) {
		t.Errorf("the log spans %s to %s", tl.Start, tl.End)
	}
}

func TestARecordCutOffAtTheEndIsTolerated(t *testing.T) {
	b := fault(t)
	for _, cut := range []int{1, 60, 400} {
		text := strings.TrimSuffix(b.text(), "\n")
		tl := read(t, text+"\n"+b.lines[0][:cut])
		checkFound(t, audit.OverCommit(tl), theFault)
		if tl.Truncated != 1 || len(tl.Gaps) != 0 {
			t.Errorf("cut at %d: truncated %d, gaps %v", cut, tl.Truncated, tl.Gaps)
		}
	}
}

func TestARecordCutOffByAKilledServerIsToleratedAndTheNextOneRead(t *testing.T) {
	b := fault(t)
	half := len(b.lines) / 2
	text := strings.Join(b.lines[:half], "\n") + "\n" + b.lines[0][:300] + strings.Join(b.lines[half:], "\n")
	tl := read(t, text)
	checkFound(t, audit.OverCommit(tl), theFault)
	if tl.Truncated != 1 || len(tl.Gaps) != 0 {
		t.Errorf("truncated %d, gaps %v", tl.Truncated, tl.Gaps)
	}
}

func TestALineThatIsNoRecordIsAGap(t *testing.T) {
	for _, line := range []string{"no JSON", strings.Repeat("\x00", 4096), `{"kind":"Ev`} {
		b := fault(t)
		b.lines = slices.Insert(b.lines, 2, line)
		tl := b.timeline()
		checkFound(t, audit.OverCommit(tl), theFault)
		if len(tl.Gaps) != 1 || !strings.HasPrefix(tl.Gaps[0], "1 lines") {
			t.Errorf("line %.20q: gaps %v", line, tl.Gaps)
		}
	}
}

func TestAnEmptyLogIsAGap(t *testing.T) {
	if gaps := read(t, "").Gaps; len(gaps) != 1 {
		t.Errorf("gaps: %v", gaps)
	}
}

func TestRotatedFilesAreReadWithTheLiveOne(t *testing.T) {
	lines := fault(t).lines
	dir := t.TempDir()
	write := func(name string, lines ...string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("audit-2026-03-14T12-00-01.000.log", lines[:2]...)
	gzipped(t, filepath.Join(dir, "audit-2026-03-14T12-00-02.000.log.gz"), lines[2:4])
	write("audit.log", lines[4:]...)
	write("audit-of-another-server.log", "no record")
	write("other.log", "no record")

	log, err := audit.Open(filepath.Join(dir, "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	tl := log.Timeline()
	checkFound(t, audit.OverCommit(tl), theFault)
	if len(tl.Gaps) != 0 {
		t.Errorf("gaps: %v", tl.Gaps)
	}
}

func gzipped(t *testing.T, path string, lines []string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zipper := gzip.NewWriter(file)
	if _, err := zipper.Write([]byte(strings.Join(lines, "\n") + "\n")); err != nil {
		t.Fatal(err)
	}
	if err := zipper.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAMissingLogSaysHowToGetOne(t *testing.T) {
	_, err := audit.Open(filepath.Join(t.TempDir(), "audit.log"))
	if err == nil || !strings.Contains(err.Error(), "--audit-log-path") {
		t.Errorf("error: %v", err)
	}
}

func TestAPolicyThatKeepsNoObjectsIsAGap(t *testing.T) {
	b := newLog(t).node("n", "cpu=1,pods=9")
	b.write("patch", "status", "a", 200, nil, nil)
	gaps := b.timeline().Gaps
	if len(gaps) != 1 || !strings.Contains(gaps[0], "RequestResponse") {
		t.Errorf("gaps: %v", gaps)
	}
}

func TestPodsOnUnknownNodesAreAGapUnlessTheNodesAreGiven(t *testing.T) {
	b := newLog(t).create("a", requests("cpu=2")).at(1).bind("a", "n").at(9).create("end")
	tl := b.timeline()
	if len(tl.Gaps) != 1 || !strings.Contains(tl.Gaps[0], `for example "n"`) {
		t.Errorf("gaps: %v", tl.Gaps)
	}
	log := b.read()
	log.AddNode(node("n", "cpu=1,pods=9"))
	tl = log.Timeline()
	if len(tl.Gaps) != 0 {
		t.Errorf("gaps: %v", tl.Gaps)
	}
	checkFound(t, audit.OverCommit(tl), []found{{audit.OverCommitted, "n", 1, 9, "cpu to 2 of 1"}})
}

func TestDryRunsAndFirstStagesHaveNoEffect(t *testing.T) {
	b := newLog(t).node("n", "cpu=1,pods=9").create("a").create("b").at(1).bind("a", "n").at(2).bind("b", "n").at(9).create("end")
	dry := strings.Replace(b.lines[4], "/api/v1/of-no-interest", "/api/v1/x?dryRun=All", 1)
	received := strings.Replace(b.lines[4], "ResponseComplete", "RequestReceived", 1)
	if dry == b.lines[4] || received == b.lines[4] {
		t.Fatal("the log is not as this test expects")
	}
	for _, line := range []string{dry, received} {
		b.lines[4] = line
		checkFound(t, audit.OverCommit(b.timeline()), nil)
	}
}
