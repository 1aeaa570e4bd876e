package trial

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/scenario"
)

// at is a moment so many seconds after the run began.
func at(began time.Time, seconds float64) audit.Moment {
	t := began.Add(time.Duration(seconds * float64(time.Second)))
	return audit.Moment{After: t, By: t}
}

func TestTimesAreFromTheStartOrThePodsCreation(t *testing.T) {
	began := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	var pods []*audit.Pod
	for i, life := range [][2]float64{{-5, 1}, {-5, 2}, {3, 4}, {3, 4.5}} { // created, bound
		pods = append(pods, &audit.Pod{
			Namespace: scenario.Namespace, Name: fmt.Sprint(i), Labels: map[string]string{contender.GangLabel: fmt.Sprintf("g%d", i/2)},
			Created: at(began, life[0]), Bound: at(began, life[1]), Node: "n",
		})
	}
	var r Result
	m := &measured{Trial: Trial{Scenario: scenario.Scenario{Gangs: 2, Size: 2}}, result: &r, began: began}
	m.times(m.gangs(&audit.Timeline{Pods: slices.Concat(pods, []*audit.Pod{{Namespace: "other", Name: "not-ours"}})}))
	if r.Bound != 4 || r.Span != 4.5 || !slices.Equal(r.Binds, []float64{1, 2, 4, 4.5}) {
		t.Errorf("%d bound in %g s at %v", r.Bound, r.Span, r.Binds)
	}
	if r.PodLatency.Max != 2 || r.PodLatency.P50 != 1.5 {
		t.Errorf("latency of pods: %+v", r.PodLatency)
	}
	if r.GangLatency.Max != 2 || r.GangLatency.P50 != 2 {
		t.Errorf("latency of gangs: %+v", r.GangLatency)
	}
}

func TestAResultIsReadAsItWasWritten(t *testing.T) {
	path := t.TempDir() + "/r.json"
	want := Result{Contender: "muster", Round: 2, Span: 3.5, Binds: []float64{1, 3.5}, Faults: []string{"x"}}
	if err := want.Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil || got.Contender != want.Contender || got.Span != want.Span || !slices.Equal(got.Binds, want.Binds) {
		t.Errorf("read %+v, %v", got, err)
	}
	if _, err := Read(path + ".part"); err == nil {
		t.Error("a half-written result was left")
	}
}

// TestASmallRun lets Muster do a little of each kind of scenario on a real control plane:
// as much as costs a scheduler more than the hundredth of a second that is measured.
func TestASmallRun(t *testing.T) {
	if testing.Short() {
		t.Skip("starts clusters: not with -short")
	}
	for _, s := range []scenario.Scenario{
		{Mode: scenario.Restart, Gangs: 35, Size: 4, Nodes: 12, Running: 20},
		{Mode: scenario.Concurrent, Gangs: 40, Size: 4, Nodes: 12},
		{Mode: scenario.Stream, Gangs: 5, Size: 4, Nodes: 12, Held: 80, Seconds: 3},
	} {
		t.Run(string(s.Mode), func(t *testing.T) {
			r := run(t, s)
			if s.Mode == scenario.Stream {
				if r.Bound == 0 || r.Rate != float64(r.Bound)/3 || r.Repeats != 0 {
					t.Errorf("%d bound, %g a second, with %d repeated writes", r.Bound, r.Rate, r.Repeats)
				}
			} else if r.Bound != s.Pods() {
				t.Errorf("%d of %d bound", r.Bound, s.Pods())
			}
			if s.Mode == scenario.Restart && (r.Ready <= 0 || r.ReadyCPU <= 0 || r.FirstCPU <= 0) {
				t.Errorf("it was ready after %g s and %s, and bound the first after %s", r.Ready, r.ReadyCPU, r.FirstCPU)
			}
			if r.GangLatency.Max > r.Span+1e-9 || r.Span <= 0 {
				t.Errorf("gangs took %+v, all of it %g s", r.GangLatency, r.Span)
			}
		})
	}
}

// TestASmallContest has a tenant take back what is its own, ten times as fast as in the
// benchmark.
func TestASmallContest(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a cluster: not with -short")
	}
	s := scenario.Scenario{Name: "contention/tenants", Mode: scenario.Contention, Nodes: 2, Seconds: 6}
	c := run(t, s).Contest
	if c == nil || c.Gangs != len(s.Arrivals()) || c.Awaited == 0 || c.Started != c.Awaited {
		t.Fatalf("it came to %+v", c)
	}
	if c.Waited.Max <= 0 || c.Utilisation <= 0 || c.Utilisation > 1 {
		t.Errorf("it came to %+v", c)
	}
	if (c.Finished == c.Gangs) != (c.EvictedPods == 0) || (c.EvictedPods == 0) != (c.EvictedS == 0) {
		t.Errorf("%d of %d gangs have finished, and %d pods were evicted after %g s", c.Finished, c.Gangs, c.EvictedPods, c.EvictedS)
	}
}

// run lets Muster do a scenario, in which nothing may go wrong.
func run(t *testing.T, s scenario.Scenario) Result {
	t.Helper()
	c, err := contender.Find("muster", contender.Folders{})
	if err != nil {
		t.Fatal(err)
	}
	s.Name = cmp.Or(s.Name, "test")
	r, err := Trial{Scenario: s, Contender: c, Round: 1, Logs: t.ArtifactDir(), Timeout: 2 * time.Minute, Progress: t.Output()}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Failed != "" || len(r.Faults) > 0 {
		t.Errorf("failed %q, faults %v", r.Failed, r.Faults)
	}
	if r.Scheduler.CPU <= 0 || r.Costs["kube-apiserver"].CPU <= 0 || r.Share <= 0 || r.Share > 1.05 {
		t.Errorf("it has cost %+v, of which the scheduler %+v; share %g", r.Costs, r.Scheduler, r.Share)
	}
	return r
}
