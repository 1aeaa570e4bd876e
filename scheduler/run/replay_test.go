package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang/gangtest"
)

// recordedStory is the journal of a scheduler that starts one gang, and another a minute
// later, when there is room for it.
func recordedStory(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events")
	r := newTestRecording(path)
	r.header.Muster = "v1.2.3"
	j, run := r.begin(t.Context())
	w := coretest.NewWith(r.header.Options)
	w.Observe = j.Record
	w.Node("n0", 4, 16)
	w.Step(core.Synced{})
	for _, name := range []string{"first", "second"} {
		w.Group(name, 3, gangtest.Shape(1, 1))
	}
	w.Pass(time.Minute)
	w.Node("n1", 4, 16)
	j.Close()
	run()
	return path
}

func replayed(args ...string) (string, error) {
	var out bytes.Buffer
	cmd := NewCommand()
	cmd.SetOut(&out)
	cmd.SetArgs(append([]string{"replay"}, args...))
	err := cmd.Execute()
	return out.String(), err
}

func TestAReplayTellsWhetherTheDecisionsAreTheSame(t *testing.T) {
	out, err := replayed(recordedStory(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Recorded by:     muster-scheduler v1.2.3, and replayed by ",
		"Time:            2030-01-01T00:00:00Z to 2030-01-01T00:01:00Z (1m0s)\n",
		"Ends:            the scheduler was stopped\n",
		"2 GangSet", "2 NodeSet", "2 OpenLatch", "6 Release",
		"Same decisions:  yes\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%s\nlacks %q", out, want)
		}
	}
}

func TestAReplayExplainsAGangAtAMoment(t *testing.T) {
	path := recordedStory(t)
	for until, want := range map[string]string{
		"":                     "whole minimum is running",
		"2030-01-01T00:00:30Z": "not enough room: 1 of 3 members placed",
		"16":                   "not enough room: 1 of 3 members placed",
	} {
		out, err := replayed(path, "--until="+until, "--explain=default/second")
		if err != nil || !strings.Contains(out, "\nGang:") || !strings.Contains(out, want) {
			t.Errorf("until %q: %v\n%s\nlacks %q", until, err, out, want)
		}
	}
}

func TestAReplayForPrograms(t *testing.T) {
	out, err := replayed(recordedStory(t), "-o=json", "--explain=default/first")
	if err != nil {
		t.Fatal(err)
	}
	var o outcome
	if err := json.Unmarshal([]byte(out), &o); err != nil {
		t.Fatal(err)
	}
	if o.Recorder != "v1.2.3" || o.Differing != 0 || o.Steps == 0 || o.Decisions["Release"] != 6 || len(o.Gangs) != 1 || o.Gangs[0].Phase != core.Started {
		t.Errorf("%s", out)
	}
}

func TestHowAReplayEnds(t *testing.T) {
	path := recordedStory(t)
	recorded, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, changed string) string {
		if !bytes.Contains(recorded, []byte(old)) {
			t.Fatalf("the journal has no %s", old)
		}
		path := filepath.Join(t.TempDir(), "events")
		if err := os.WriteFile(path, bytes.Replace(recorded, []byte(old), []byte(changed), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"other decisions":             {[]string{change("OpenLatch", "ShutLatch")}, 1, "other decisions"},
		"no file":                     {[]string{path + ".9"}, 2, "no such file"},
		"no argument":                 {nil, 2, "name one file"},
		"two files":                   {[]string{path, path}, 2, "name one file"},
		"a broken line":               {[]string{change(`"event":"Synced"`, `"event":Synced`)}, 2, "line 3: invalid character"},
		"a strategy that is not ours": {[]string{change(`"strategy":"Pack"`, `"strategy":"Guess"`)}, 2, `the strategy "Guess" is not known`},
		"a moment that is none":       {[]string{path, "--until=noon"}, 2, `--until: "noon" is neither`},
		"a gang without namespace":    {[]string{path, "--explain=first"}, 2, "NAMESPACE/NAME"},
		"a gang that there is not":    {[]string{path, "--explain=default/x"}, 2, "there is no gang x in namespace default"},
		"a gang that is to come":      {[]string{path, "--explain=default/second", "--until=3"}, 2, "after event 3 there is no gang second"},
		"another output":              {[]string{path, "-o=yaml"}, 2, "neither text nor json"},
		"another flag":                {[]string{path, "--since=noon"}, 2, "unknown flag"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := replayed(c.args...)
			if err == nil || ExitCode(err) != c.code || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if differs := strings.Contains(out, "Same decisions:  no, 1 events differ; the first is\nevent "); differs != (c.code == 1) {
				t.Errorf("it tells %q", out)
			}
		})
	}
	if ExitCode(errors.New("the lease was lost")) != 1 {
		t.Error("an error of the scheduler is none of a replay")
	}
}

// What a journal has of a strategy is its name in the configuration.
func TestEveryStrategyCanBeReplayed(t *testing.T) {
	for name := range strategies {
		r := newTestRecording(filepath.Join(t.TempDir(), "events"))
		r.header.Strategy = string(name)
		r.leadOnce(t, slices.Repeat([]core.Event{core.Tick{}}, 2)...)
		if _, err := replayed(r.File); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
