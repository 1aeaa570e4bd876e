package scenario

import (
	"slices"
	"testing"
	"time"
)

func TestScenariosHaveNamesOfTheirOwnAndFitTheirNodes(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range All() {
		if seen[s.Name] {
			t.Errorf("two are called %s", s.Name)
		}
		seen[s.Name] = true
		if fits := s.Pods()+s.Running <= 16*s.Nodes; fits == (s.Mode == Burst) {
			t.Errorf("%s: that %d pods fit is %t", s.Name, s.Pods()+s.Running, fits)
		}
	}
	for _, s := range Small() {
		if s.Pods() > small {
			t.Errorf("%s is not small", s.Name)
		}
	}
}

// A contest is one only if there is less room than is asked for at some time.
func TestContestsAskForMoreThanThereIs(t *testing.T) {
	for _, s := range contention() {
		room, tenants := s.Nodes*nodeCPUs, s.Tenants()
		names := map[string]bool{}
		asked, awaited, last := 0, 0, time.Duration(0)
		for _, a := range s.Arrivals() {
			if a.At < last {
				t.Errorf("%s: %s comes at %s, after one at %s", s.Name, a.Name, a.At, last)
			}
			last = a.At
			if names[a.Name] || a.Runs <= 0 || a.Size < 1 || a.Size > room/2 {
				t.Errorf("%s: %+v", s.Name, a)
			}
			names[a.Name] = true
			if a.At <= 15*time.Second && a.Runs > 15*time.Second-a.At {
				asked += a.Size // all of these would run at that time
			}
			if a.Awaited {
				awaited++
			}
			if _, known := Priorities[a.Priority]; !known && a.Priority != "" {
				t.Errorf("%s: no priority is called %s", s.Name, a.Priority)
			}
			if (a.Tenant != "") != slices.Contains(tenants, a.Tenant) {
				t.Errorf("%s: no tenant is called %s", s.Name, a.Tenant)
			}
		}
		if asked <= room || awaited == 0 {
			t.Errorf("%s: %d of %d CPUs are asked for, and %d gangs awaited", s.Name, asked, room, awaited)
		}
	}
}
