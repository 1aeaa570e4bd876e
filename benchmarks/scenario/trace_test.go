package scenario

import (
	"strings"
	"testing"
	"time"
)

func TestTracesAskForAboutAsMuchAsThereIs(t *testing.T) {
	for _, s := range traces() {
		arrivals := s.Arrivals()
		large, last := 0, time.Duration(0)
		for _, a := range arrivals {
			if a.At < last || a.At >= 2*time.Minute {
				t.Errorf("%s: %s comes at %s, after one at %s", s.Name, a.Name, a.At, last)
			}
			last = a.At
			if a.Runs < time.Second || a.Runs > time.Minute || a.GPUs < 1 || a.GPUs > NodeGPUs || a.Size > s.Nodes*NodeGPUs/a.GPUs {
				t.Errorf("%s: %+v", s.Name, a)
			}
			if s.Declared != (a.Says == a.Runs) || !s.Declared && a.Says != 0 {
				t.Errorf("%s: %s runs for %s and says %s", s.Name, a.Name, a.Runs, a.Says)
			}
			if a.Large() {
				large++
			}
		}
		if len(arrivals) < 200 || large < 10 {
			t.Errorf("%s has %d gangs, %d of them large", s.Name, len(arrivals), large)
		}
		if offered := s.Offered(); offered < .95 || offered > 1 {
			t.Errorf("%s asks for %.3f of all GPUs", s.Name, offered)
		}
		if len(s.Tenants()) > 0 || s.Pods() > 0 {
			t.Errorf("%s has tenants, or gangs that are all alike", s.Name)
		}
	}
}

func TestWhoDeclaresIsOtherwiseAsWhoDoesNot(t *testing.T) {
	all := map[string]Scenario{}
	for _, s := range traces() {
		all[s.Name] = s
	}
	for _, cluster := range []string{"e13805", "2869ce"} {
		silent, declared := all["trace/"+cluster].Arrivals(), all["trace-declared/"+cluster].Arrivals()
		if len(silent) != len(declared) || len(silent) == 0 {
			t.Fatalf("%s: %d and %d gangs", cluster, len(silent), len(declared))
		}
		for i, a := range declared {
			if a.Says = 0; a != silent[i] {
				t.Errorf("%s: %+v and %+v", cluster, a, silent[i])
			}
		}
	}
}

func TestAShorterTraceIsItsBeginning(t *testing.T) {
	s := traces()[0]
	whole := s.Arrivals()
	s.Seconds = 30
	begin := s.Arrivals()
	if n := len(begin); n == 0 || n == len(whole) || begin[n-1].At >= 30*time.Second || whole[n].At < 30*time.Second || begin[n-1] != whole[n-1] {
		t.Errorf("it has %d of %d gangs", n, len(whole))
	}
	if s.Name = "trace/no-such"; len(s.Arrivals()) != 0 {
		t.Error("a cluster that isn't there has gangs")
	}
}

func TestAJobHasAPodForEachGPUOrForEachNode(t *testing.T) {
	for gpus, want := range map[int][2]int{1: {1, 1}, 4: {4, 1}, 8: {8, 1}, 12: {2, 6}, 16: {2, 8}, 24: {3, 8}, 32: {4, 8}} {
		if size, each := pods(gpus); size != want[0] || each != want[1] {
			t.Errorf("%d GPUs are %d pods of %d", gpus, size, each)
		}
		size, each := pods(gpus)
		if large := (Arrival{Size: size, GPUs: each}).Large(); large != (gpus > NodeGPUs) {
			t.Errorf("that a job of %d GPUs is large is %t", gpus, large)
		}
	}
}

func TestATraceSaysWhatItIs(t *testing.T) {
	for _, s := range traces() {
		what := s.What()
		for _, want := range []string{s.Cluster(), "5040 times as fast", "gangs", " % of all GPUs"} {
			if !strings.Contains(what, want) {
				t.Errorf("%q lacks %q", what, want)
			}
		}
		if strings.Contains(what, "who say") != s.Declared {
			t.Errorf("%s: %q", s.Name, what)
		}
		if shape := s.Shape(); shape != NodeShape+",nvidia.com/gpu=8" {
			t.Errorf("its nodes are %s", shape)
		}
	}
	if shape := sparkBurst().Shape(); shape != NodeShape {
		t.Errorf("nodes of others are %s", shape)
	}
}
