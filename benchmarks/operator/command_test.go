package operator

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestTheTableHasAColumnForEachOperator(t *testing.T) {
	o := options{run: Run{Applications: 30, Live: 7}}
	var out bytes.Buffer
	err := o.write(&out, all(""), []Figures{
		{Accepted: time.Second, Submitted: 3 * time.Second, SubmitCPU: 300 * time.Millisecond, Resident: 64 << 20},
		{Accepted: 30 * time.Second, Submitted: time.Minute, Left: map[string]int{"services": 2, "configmaps": 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"30 applications of a driver and an executor, while 7 others run", "spark-operator: Kubeflow's",
		"muster spark-operator submitted in a minute, whose drivers find no node 1800 60", "all submitted after 3s 1m0s",
		"submitted in a minute 600 30", "until all were submitted 10ms 0s", "resident 64 MiB 0 MiB",
		"left after deletion none 1 configmaps, 2 services",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in it:\n%s", want, out.String())
		}
	}
}

func TestWhatIsMisspeltIsNamed(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--operator", "no-such"}, `--operator: no operator is called "no-such" here; there are [muster spark-operator]`},
		{[]string{"--applications", "0"}, "--applications=0 must be above 0"},
		{[]string{"--live", "-1"}, "--live=-1 not below"},
	} {
		command := NewCommand()
		command.SilenceUsage, command.SilenceErrors = true, true
		command.SetArgs(c.args)
		if err := command.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.args, err, c.want)
		}
	}
}
