package command

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/trial"
)

// names of the scenarios and schedulers of runs, in their order.
func names(runs []trial.Trial) []string {
	var out []string
	for _, r := range runs {
		out = append(out, r.Scenario.Name+" "+r.Contender.Name)
	}
	return out
}

func TestWhoBeginsRotatesFromRoundToRound(t *testing.T) {
	o := runOptions{scenarios: []string{"pre-created/100x20"}, schedulers: []string{"floor", "muster", "kube-scheduler-gang"}, rounds: 3}
	runs, err := o.runs()
	if err != nil {
		t.Fatal(err)
	}
	const s = "pre-created/100x20 "
	want := []string{
		s + "floor", s + "muster", s + "kube-scheduler-gang",
		s + "muster", s + "kube-scheduler-gang", s + "floor",
		s + "kube-scheduler-gang", s + "floor", s + "muster",
	}
	if got := names(runs); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestASchedulerDoesOnlyWhatItCan(t *testing.T) {
	o := runOptions{scenarios: []string{"pre-created/100x20", "pre-created/plain", "spark-burst", "loop"}, schedulers: []string{"kube-scheduler", "coscheduling"}, rounds: 1}
	runs, err := o.runs()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"pre-created/100x20 coscheduling",
		"pre-created/plain-2000 kube-scheduler", "pre-created/plain-2000 coscheduling",
		"spark-burst/200x6 kube-scheduler",
	}
	if got := names(runs); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOtherNumbersOfHeldGangsAreScenariosOfTheirOwn(t *testing.T) {
	o := runOptions{scenarios: []string{"held/"}, schedulers: []string{"muster"}, rounds: 1, held: 50}
	runs, err := o.runs()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"held/0x20 muster", "held/50x20 muster"}; !slices.Equal(names(runs), want) || runs[1].Scenario.Held != 1000 {
		t.Errorf("got %q with %d pods held, want %q", names(runs), runs[1].Scenario.Held, want)
	}
}

func TestWhatIsMisspeltIsNamedAndNothingRuns(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--scenario", "no-such"}, `--scenario: no scenario begins with "no-such"`},
		{[]string{"--scheduler", "no-such"}, `no scheduler is called "no-such"`},
		{[]string{"--rounds", "0"}, "--rounds: must be at least 1"},
		{[]string{"--nodes", "-1"}, "--nodes: must not be below 0"},
		{[]string{"--held", "-1"}, "--held: must not be below 0"},
	} {
		out := filepath.Join(t.TempDir(), "results")
		command := New()
		command.SetOut(&bytes.Buffer{})
		command.SetErr(&bytes.Buffer{})
		command.SetArgs(append([]string{"run", "--out", out}, c.args...))
		err := command.ExecuteContext(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.args, err, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%q: it has begun", c.args)
		}
	}
}

// A command that was killed goes on where it was: here, all is done.
func TestWhatIsDoneIsNotDoneAgain(t *testing.T) {
	out := t.TempDir()
	o := runOptions{scenarios: []string{"concurrent/100x20"}, schedulers: []string{"floor", "muster"}, rounds: 2, out: out}
	runs, err := o.runs()
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range runs {
		result := trial.Result{
			Scenario: r.Scenario, Contender: r.Contender.Name, Round: r.Round, At: time.Now(),
			Bound: 2, Span: float64(i + 1), Binds: []float64{.5, float64(i + 1)},
		}
		if err := result.Write(filepath.Join(out, fileOf(r))); err != nil {
			t.Fatal(err)
		}
	}
	var printed bytes.Buffer
	if err := o.run(t.Context(), &printed); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(printed.String(), "is there already"); n != len(runs) {
		t.Errorf("%d of %d runs were found:\n%s", n, len(runs), printed.String())
	}
	for _, file := range []string{"report.html", "report.json"} {
		if _, err := os.Stat(filepath.Join(out, file)); err != nil {
			t.Error(err)
		}
	}
}

func TestTheListNamesAll(t *testing.T) {
	var printed bytes.Buffer
	command := New()
	command.SetOut(&printed)
	command.SetArgs([]string{"list"})
	if err := command.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	wanted := []string{"pre-created/100x20", "concurrent/1x2000", "growth/5000-nodes", "spark-burst/200x6", "loop/1000x20-held-20000", "held/1000x20", "trace/e13805", "trace-declared/2869ce"}
	for _, c := range contender.All(contender.Folders{}) {
		wanted = append(wanted, c.Name)
	}
	for _, name := range wanted {
		if !strings.Contains(printed.String(), name) {
			t.Errorf("%s is not in the list", name)
		}
	}
}
