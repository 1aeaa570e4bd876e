package scenario

import "testing"

func TestScenariosHaveNamesOfTheirOwnAndFitTheirNodes(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range All() {
		if seen[s.Name] {
			t.Errorf("two are called %s", s.Name)
		}
		seen[s.Name] = true
		if fits := s.Pods() <= 16*s.Nodes; fits == (s.Mode == Burst) {
			t.Errorf("%s: that %d pods fit is %t", s.Name, s.Pods(), fits)
		}
	}
	for _, s := range Small() {
		if s.Pods() > small {
			t.Errorf("%s is not small", s.Name)
		}
	}
}
