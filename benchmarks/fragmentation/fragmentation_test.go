package fragmentation

import (
	"bytes"
	"strings"
	"testing"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/resource"
)

func TestEqualSeedsGiveEqualStreams(t *testing.T) {
	for _, m := range Mixes {
		t.Run(m.Name, func(t *testing.T) {
			if sum := m.none + m.part + m.one + m.two + m.four + m.eight; sum != 100 {
				t.Errorf("the parts of the mix add up to %d", sum)
			}
			a, b := Fill(Policies[0], m, 30, 7), Fill(Policies[0], m, 30, 7)
			if a != b {
				t.Errorf("%+v, and once more %+v", a, b)
			}
			if c := Fill(Policies[0], m, 30, 8); c == a {
				t.Errorf("another seed gives %+v too", c)
			}
		})
	}
}

func TestNoPolicyPlacesMoreThanThereIs(t *testing.T) {
	for _, p := range Policies {
		t.Run(p.Name, func(t *testing.T) {
			r := Fill(p, Mixes[0], 50, 1)
			if r.Allocated <= 0.5 || r.Allocated > 1 || r.Refused == 0 {
				t.Errorf("%+v: the cluster was not filled, or overfilled", r)
			}
		})
	}
}

func TestPoliciesChooseAsDescribed(t *testing.T) {
	node := func(cores, gpus int64) cluster.Row {
		all := resource.Vector{MilliCPU: 64_000, Memory: 256 << 30, Pods: 110}.With(wholeGPU, 8)
		free := resource.Vector{MilliCPU: cores * 1000, Memory: 128 << 30, Pods: 110}.With(wholeGPU, gpus)
		return cluster.Row{Node: &cluster.Node{Ready: true, Allocatable: all}, Free: free}
	}
	// Roomy, nearly out of GPUs, and with GPUs for which there are few cores.
	rows := []cluster.Row{node(64, 8), node(32, 1), node(6, 6)}
	pod := &gang.Shape{Request: needs(4, 8).With(wholeGPU, 1)}
	workload := []planner.Sample{{Shape: gang.Shape{Request: needs(4, 8).With(wholeGPU, 1)}, Weight: 1}}
	for name, want := range map[string]int{"first-fit": 0, "best-fit": 1, "dot-product": 1, "fgd": 0} {
		for _, p := range Policies {
			if p.Name != name {
				continue
			}
			if got := p.place(rows, pod, workload); got != want {
				t.Errorf("%s chooses node %d, want %d", name, got, want)
			}
		}
	}
}

func TestTheCommandSaysWhatItDoesNotKnow(t *testing.T) {
	for args, want := range map[string]string{
		"--policy=worst-fit": "--policy=worst-fit is not known; there are first-fit,",
		"--mix=odd":          "--mix=odd is not known; there are single,",
		"--seeds=0":          "must be at least 1",
	} {
		c := NewCommand()
		c.SetArgs([]string{args})
		c.SetOut(&bytes.Buffer{})
		c.SetErr(&bytes.Buffer{})
		if err := c.Execute(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}

func TestTheCommandPrintsATable(t *testing.T) {
	var out bytes.Buffer
	c := NewCommand()
	c.SetArgs([]string{"--nodes=30", "--seeds=2", "--mix=single", "--policy=first-fit,muster-fragmentation"})
	c.SetOut(&out)
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) != 3 || !strings.Contains(lines[1], "single") {
		t.Errorf("printed\n%s", out.String())
	}
}
