package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/journal"
	"muster.sh/muster/scheduler/queue"
)

const plenty = 1 << 30

// story is the journal of a world in which one gang starts, another waits for room, and
// a third for its members.
func story(t testing.TB) string {
	t.Helper()
	var text bytes.Buffer
	w := coretest.New()
	j, err := journal.NewWriter(&text, journal.Header{Muster: "v1.2.3", Options: w.Options, Strategy: "Pack"}, plenty)
	if err != nil {
		t.Fatal(err)
	}
	w.Observe = j.Record
	w.Node("n0", 4, 16)
	w.Step(core.Synced{})
	for _, name := range []string{"first", "second"} {
		w.Group(name, 3, gangtest.Shape(1, 1))
	}
	w.Declare(gangtest.Group("third", 3))
	w.Pass(time.Minute)
	j.Close()
	if err := j.Run(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func replay(text string, behind func(*journal.Entry) bool) (*journal.Report, *core.Machine, error) {
	r, err := journal.NewReader(strings.NewReader(text))
	if err != nil {
		return nil, nil, err
	}
	m := core.NewMachine(r.Header.Options)
	report, err := journal.Replay(r, m, behind)
	return report, m, err
}

func TestAReplayComesToTheSameDecisions(t *testing.T) {
	report, m, err := replay(story(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Difference != nil || report.Differing != 0 {
		t.Errorf("%d events differ: %v", report.Differing, report.Difference)
	}
	if report.Events["GangSet"] != 3 || report.Decisions["Release"] != 3 || report.Decisions["OpenLatch"] != 1 {
		t.Errorf("events %v, decisions %v", report.Events, report.Decisions)
	}
	if report.End != "the scheduler was stopped" || !report.From.Equal(gangtest.Epoch0) || report.To.Sub(report.From) < time.Minute {
		t.Errorf("from %s to %s, where %s", report.From, report.To, report.End)
	}
	if first, second := m.Named("default", "first"), m.Named("default", "second"); first[0].Phase != core.Started || second[0].Verdict.Code != gang.NoRoom {
		t.Errorf("in the end %+v, %+v", first, second)
	}
}

func TestWhatQueuesLimitAndGangsClaimIsRecorded(t *testing.T) {
	var text bytes.Buffer
	w := coretest.New()
	j, err := journal.NewWriter(&text, journal.Header{Options: w.Options}, plenty)
	if err != nil {
		t.Fatal(err)
	}
	w.Observe = j.Record
	w.Node("n0", 4, 16)
	w.Step(core.Synced{})
	w.SetQueue(queue.Spec{Name: queue.Default, MaxExpected: queue.LimitsOf(map[string]int64{"cpu": 0}), MaxNonPreemptible: queue.LimitsOf(map[string]int64{"cpu": 1000})})
	g := gangtest.Group("kept", 1)
	g.NonPreemptible = true
	w.Declare(g)
	w.Pod(g.ID, "", "kept-0", gangtest.Shape(1, 1))
	w.App("app", 1, gangtest.Shape(1, 1))
	j.Close()
	if err := j.Run(); err != nil {
		t.Fatal(err)
	}
	report, m, err := replay(text.String(), nil)
	if err != nil || report.Difference != nil {
		t.Fatalf("%v, %v", report, err)
	}
	if kept, app := m.Named("default", "kept"), m.Named("default", "app"); !kept[0].NonPreemptible || app[0].Verdict.Code != gang.NeverInQueue {
		t.Errorf("in the end %+v, %+v", kept, app)
	}
}

func TestAReplayEndsBehindWhatIsAskedFor(t *testing.T) {
	report, m, err := replay(story(t), func(e *journal.Entry) bool { return e.Number > 3 })
	if err != nil {
		t.Fatal(err)
	}
	if report.Steps != 3 || len(m.Records()) != 1 || report.End != "no more was asked for" {
		t.Errorf("after %d events, where %s, there are %v", report.Steps, report.End, m.Records())
	}
}

func TestTheFirstDifferenceIsNamed(t *testing.T) {
	text := story(t)
	for name, c := range map[string]struct {
		old, new string
		want     []string
	}{
		"another decision":         {`"kind":"OpenLatch"`, `"kind":"ShutLatch"`, []string{"recorded:\n  ShutLatch {", "replayed:\n  OpenLatch {"}},
		"another content":          {`"Pod":"first-0"`, `"Pod":"first-9"`, []string{`Release {"Gang":"podgroup/default/first","Pod":"first-9"`, `"Pod":"first-0"`}},
		"another option":           {`"CollectTimeout":10000000000`, `"CollectTimeout":3600000000000`, []string{"Tick at 2030-01-01T00:01:00Z", "recorded:\n  Explain", "replayed: no decision"}},
		"an event of another kind": {`"event":"Synced"`, `"event":"Tick"`, []string{"replayed: no decision"}},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(text, c.old) {
				t.Fatalf("the journal has no %s:\n%s", c.old, text)
			}
			report, _, err := replay(strings.Replace(text, c.old, c.new, 1), nil)
			if err != nil {
				t.Fatal(err)
			}
			if report.Difference == nil || report.Differing == 0 {
				t.Fatalf("%d events differ, the first is %v", report.Differing, report.Difference)
			}
			for _, want := range c.want {
				if got := report.Difference.String(); !strings.Contains(got, want) {
					t.Errorf("%s\nlacks %q", got, want)
				}
			}
		})
	}
}

func TestHowAJournalEnds(t *testing.T) {
	text := story(t)
	lines := strings.SplitAfter(text, "\n")
	events := len(lines) - 3 // beside the header, the end, and nothing behind it
	killed := strings.Join(lines[:events+1], "")
	for name, c := range map[string]struct {
		text  string
		steps int
		end   string
	}{
		"stopped":                   {text, events, "the scheduler was stopped"},
		"killed":                    {killed, events, "the scheduler was killed, or still runs"},
		"killed within a line":      {killed[:len(killed)-20], events - 1, fmt.Sprintf("line %d breaks off: the scheduler was killed", events+1)},
		"killed before the newline": {strings.TrimSuffix(killed, "\n"), events, "the scheduler was killed"},
		"with a tail of zeroes":     {killed + "\x00\x00\x00", events, fmt.Sprintf("line %d breaks off", events+2)},
		"killed at once":            {lines[0], 0, "the scheduler was killed"},
	} {
		t.Run(name, func(t *testing.T) {
			report, _, err := replay(c.text, nil)
			if err != nil || report.Steps != c.steps || !strings.HasPrefix(report.End, c.end) || report.Difference != nil {
				t.Errorf("%+v, %v", report, err)
			}
		})
	}
}

func TestWhatCantBeReadIsRefusedWithItsLine(t *testing.T) {
	text := story(t)
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                        {"", "line 1 breaks off"},
		"half a header":                  {text[:20], "line 1 breaks off"},
		"what is no JSON":                {"kind: Pod\n", "line 1: this is no journal"},
		"other JSON":                     {"{\"kind\":\"Pod\"}\n", "line 1: this is no journal"},
		"another form":                   {strings.Replace(text, `"journal":1`, `"journal":2`, 1), "line 1: the journal has form 2, and form 1 is read"},
		"an option of a newer version":   {strings.Replace(text, `"MaxAttempts"`, `"MostAttempts"`, 1), `line 1: json: unknown field "MostAttempts"`},
		"a line that is broken":          {strings.Replace(text, `"event":"Synced"`, `"event":"Synced`, 1), "line 3: invalid character"},
		"an event of a newer version":    {strings.Replace(text, `"event":"Synced"`, `"event":"Merged"`, 1), `line 3: unknown event "Merged"`},
		"a field of a newer version":     {strings.Replace(text, `{"Node":{`, `{"Node":{"planet":"x",`, 1), `line 2: NodeSet: json: unknown field "planet"`},
		"data of another type":           {strings.Replace(text, `{"Node":{`, `{"Node":[{`, 1), "line 2: "},
		"two objects where there is one": {strings.Replace(text, `}`+"\n", `}{}`+"\n", 1), "line 1: "},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := replay(c.text, nil); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// node is an event of some bytes.
func node(name string, size int) core.Stamped {
	e := coretest.NodeEvent(name, 4, 16)
	e.Node.Labels = map[string]string{"x": strings.Repeat("x", size)}
	return core.Stamped{At: gangtest.Epoch0, Event: e}
}

func TestAJournalStopsAtItsLargestSize(t *testing.T) {
	var text bytes.Buffer
	const limit = 10_000
	w, err := journal.NewWriter(&text, journal.Header{}, limit)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		w.Record(node(fmt.Sprintf("n%d", i), 1000), nil)
	}
	w.Record(node("a small one does not fill the hole", 0), nil)
	w.Close()
	why := w.Run()
	if why == nil || why.Error() != "truncated: the journal has reached its largest size of 10000" {
		t.Errorf("it ends because %v", why)
	}
	if over := text.Len() - limit; over > 200 {
		t.Errorf("it is %d bytes too long", over)
	}
	report, _, err := replay(text.String(), nil)
	if err != nil || report.End != why.Error() || report.Steps < 5 || report.Steps > 9 {
		t.Errorf("%+v, %v", report, err)
	}
}

// disk takes some bytes.
type disk struct {
	bytes.Buffer
	room int
}

var errFull = errors.New("no space left on device")

func (d *disk) Write(p []byte) (int, error) {
	n, _ := d.Buffer.Write(p[:min(len(p), d.room)])
	if d.room -= n; n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestAFullDiskEndsTheJournalAndNothingElse(t *testing.T) {
	d := &disk{room: 5000}
	w, err := journal.NewWriter(d, journal.Header{}, plenty)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		w.Record(node(fmt.Sprintf("n%d", i), 1000), nil)
	}
	if why := w.Run(); !errors.Is(why, errFull) {
		t.Errorf("it ends because %v", why)
	}
	w.Record(node("later", 0), nil)
	w.Close()
	report, _, err := replay(d.String(), nil)
	if err != nil || report.Steps == 0 || !strings.Contains(report.End, "breaks off") {
		t.Errorf("%+v, %v", report, err)
	}
}

// What is recorded is written at once: a process that is killed loses nothing but
// what was being decided.
func TestWhatIsRecordedIsWrittenAtOnce(t *testing.T) {
	in, out := io.Pipe()
	w, err := journal.NewWriter(out, journal.Header{}, plenty)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.Run() }()
	r, err := journal.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		w.Record(node(fmt.Sprintf("n%d", i), 0), []core.Decision{core.DropReservation{Gang: "g"}})
		e, err := r.Next()
		if err != nil || e.Number != i+1 || e.Event.(core.NodeSet).Node.Name != fmt.Sprintf("n%d", i) || len(e.Decisions) != 1 {
			t.Fatalf("%+v, %v", e, err)
		}
	}
	w.Close()
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last event: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestNothingIsRecordedWithoutAJournal(t *testing.T) {
	var w *journal.Writer
	w.Record(core.Stamped{Event: core.Tick{}}, nil)
	w.Close()
}
