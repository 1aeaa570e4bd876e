package trace

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const head = "arrival_s,gpus,duration_s,model\n"

func TestJobsAreReadInTheirOrder(t *testing.T) {
	got, err := Read(strings.NewReader(head + "0,8,225343,Transformer\n30,1,2,ResNet-18\r\n30,32,1,\"A, B\"\n"))
	want := []Job{{0, 8, 225343 * time.Second}, {30 * time.Second, 1, 2 * time.Second}, {30 * time.Second, 32, time.Second}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("read %v, %v", got, err)
	}
}

func TestWhatIsNoTraceIsNamedWithItsLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":              {"", "read the names of the columns"},
		"other columns":      {"gpus,arrival_s,duration_s,model\n", `the columns are ["gpus" "arrival_s"`},
		"no number":          {head + "0,1,1,m\n1,two,1,m\n", `line 3: gpus is "two"; it must be a whole number from 1 on`},
		"no GPU":             {head + "0,0,1,m\n", "line 2: gpus"},
		"no time":            {head + "0,1,0,m\n", "line 2: duration_s"},
		"before the first":   {head + "-1,1,1,m\n", "line 2: arrival_s"},
		"in fractions":       {head + "1.5,1,1,m\n", "line 2: arrival_s"},
		"more than there is": {head + "0,1,99999999999,m\n", "line 2: duration_s"},
		"out of order":       {head + "5,1,1,m\n4,1,1,m\n", "line 3: the job came before"},
		"a column too many":  {head + "0,1,1,m,x\n", "line 2"},
	} {
		if _, err := Read(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestTheTracesAreWhole(t *testing.T) {
	jobs := map[string]int{"e13805": 607, "2869ce": 533}
	for _, cluster := range Clusters() {
		got, err := Of(cluster)
		if err != nil || len(got) != jobs[cluster] {
			t.Errorf("%s has %d jobs, %v; want %d", cluster, len(got), err, jobs[cluster])
		}
	}
	if _, err := Of("no-such"); err == nil || !strings.Contains(err.Error(), "e13805") {
		t.Errorf("a cluster that isn't here: %v", err)
	}
}
