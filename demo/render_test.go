package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"

	"muster.sh/muster/internal/sparkdist"
	"muster.sh/muster/internal/sparksubmit"
)

func TestTable(t *testing.T) {
	got := renderTable([]outcome{
		{"arrival-delays", 4, 2, 38, "node-1 ×2, node-2", "16 airlines, latest F9 by 21.9 min", "ok"},
		{"cancellations", 4, 104, 7, "node-2 ×3", "", "only 2 of 3 executors registered"},
	})
	want, err := os.ReadFile("testdata/table.golden")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("table is\n%s\nwant\n%s", got, want)
	}
}

func TestArgumentsOfSparkSubmit(t *testing.T) {
	client := &sparksubmit.Client{Dist: sparkdist.Dist{ImageName: "muster.local/spark:test"}, API: "https://127.0.0.1:6443", Dir: "/d"}
	s := submitter{spark: client, scheduler: musterScheduler, events: "/e"}
	app := application{question{name: "cancellations"}, size{
		driverCPU: resource.MustParse("1"), executorCPU: resource.MustParse("300m"), heap: "512m", executors: 3,
	}}
	args := client.Arguments(s.submission(app))
	want, err := os.ReadFile("testdata/arguments.golden")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(args, "\n") + "\n"; got != string(want) {
		t.Errorf("arguments are\n%s\nwant\n%s", got, want)
	}
	t.Run("the default scheduler needs no name", func(t *testing.T) {
		s.scheduler = defaultScheduler
		got := client.Arguments(s.submission(app))
		if len(got) != len(args)-2 || slices.ContainsFunc(got, func(a string) bool { return strings.Contains(a, "scheduler.name") }) {
			t.Errorf("arguments are %q, want the same without a scheduler's name", got)
		}
	})
}

// TestSizes checks on nodes of every size what the demo relies on: four drivers
// leave no room for any executor, and two whole applications fit in whatever way
// they are placed.
func TestSizes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		node := rapid.Int64Range(1000, 512000).Draw(t, "thousandths of a CPU")
		s, err := sizeFor(node, 64<<30)
		if err != nil {
			t.Fatal(err)
		}
		driver, executor := s.driverCPU.MilliValue(), s.executorCPU.MilliValue()
		if node%2 == 0 && 2*node-leastApps*driver >= executor {
			t.Fatalf("beside %d drivers of %d an executor of %d fits", leastApps, driver, executor)
		}
		if gang := driver + int64(s.executors)*executor; gangsAtOnce*gang > 2*node || (gangsAtOnce+1)*gang <= 2*node {
			t.Fatalf("not exactly %d gangs of %d fit on two nodes of %d", gangsAtOnce, gang, node)
		}
		// The first application anywhere it fits, then the second greedily.
		free := []int64{node, node}
		place := func(what string, cpu int64) {
			var fits []int
			for i, f := range free {
				if f >= cpu {
					fits = append(fits, i)
				}
			}
			if len(fits) == 0 {
				t.Fatalf("a %s of %d fits on none of %v", what, cpu, free)
			}
			free[rapid.SampledFrom(fits).Draw(t, what)] -= cpu
		}
		place("driver", driver)
		for range s.executors {
			place("executor", executor)
		}
		roomiest := 0
		if free[1] > free[0] {
			roomiest = 1
		}
		if free[roomiest] < driver {
			t.Fatalf("the second driver of %d fits on none of %v", driver, free)
		}
		free[roomiest] -= driver
		for range s.executors {
			place("executor of the second", executor)
		}
	})
	t.Run("nodes that are too small are refused", func(t *testing.T) {
		if _, err := sizeFor(500, 64<<30); err == nil {
			t.Error("half a CPU is taken")
		}
		if _, err := sizeFor(2000, 2<<30); err == nil {
			t.Error("2 GiB are taken")
		}
	})
}

func TestAnswerInADriversLog(t *testing.T) {
	const log = "26/11/24 INFO SparkContext: Running\nRESULT distances ATL 1 762\nRESULT distances BQN 1 1576\nRESULT other X 1\n26/11/24 INFO end"
	rows, err := answerIn(strings.NewReader(log), "distances")
	if want := []string{"ATL 1 762", "BQN 1 1576"}; err != nil || !slices.Equal(rows, want) {
		t.Errorf("rows are %q (%v), want %q", rows, err, want)
	}
}

func TestEventLog(t *testing.T) {
	const log = `{"Event":"SparkListenerExecutorAdded","Timestamp":1,"Executor ID":"1","Executor Info":{"Host":"10.0.0.1"}}
{"Event":"SparkListenerExecutorAdded","Timestamp":2,"Executor ID":"2","Executor Info":{"Host":"10.0.0.2"}}
{"Event":"SparkListenerExecutorAdded","Timestamp":3,"Executor ID":"2","Executor Info":{"Host":"10.0.0.2"}}
{"Event":"SparkListenerTaskEnd","Task Info":{"Executor ID":"1","Failed":false}}
{"Event":"SparkListenerTaskEnd","Task Info":{"Executor ID":"2","Failed":true}}
`
	got, err := readEventLog(strings.NewReader(log + `{"Event":"SparkListenerApplicationEnd","Timestamp":9}` + "\n"))
	if want := (eventLog{registered: 2, worked: 1, ended: true}); err != nil || got != want {
		t.Errorf("read %+v (%v), want %+v", got, err, want)
	}
	t.Run("one that breaks off has no end", func(t *testing.T) {
		got, err := readEventLog(strings.NewReader(log))
		if err != nil || got.ended {
			t.Errorf("read %+v (%v), want no end", got, err)
		}
	})
	t.Run("one with a broken line is refused", func(t *testing.T) {
		if _, err := readEventLog(strings.NewReader(log + "{")); err == nil {
			t.Error("no error")
		}
	})
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		ok   bool
	}{
		{"nothing is needed", nil, true},
		{"the other scheduler", []string{"--scheduler", "default-scheduler", "--apps", "8"}, true},
		{"an unknown scheduler", []string{"--scheduler", "volcano"}, false},
		{"too few applications to fill the cluster", []string{"--apps", "3"}, false},
		{"more applications than questions", []string{"--apps", "9"}, false},
		{"no time", []string{"--timeout", "0s"}, false},
		{"a stray word", []string{"now"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseOptions(c.args); (err == nil) != c.ok {
				t.Errorf("error is %v, want one: %v", err, !c.ok)
			}
		})
	}
}
