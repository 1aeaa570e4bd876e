package gang_test

import (
	"testing"

	"muster.sh/muster/scheduler/gang"
)

func TestTheNamespaceIsPartOfAGangsName(t *testing.T) {
	if a, b := gang.NewID("spark", "a", "app"), gang.NewID("spark", "b", "app"); a == b || a != "spark/a/app" {
		t.Errorf("%s, %s", a, b)
	}
}

func TestMinIsTheLargerOfTheRolesAndTheWhole(t *testing.T) {
	driver, executor := gang.Role{Name: "driver", Min: 1}, gang.Role{Name: "executor", Min: 3, Expected: true}
	for name, c := range map[string]struct {
		g       gang.Gang
		min     int
		expects bool
	}{
		"nothing at all":                     {gang.Gang{}, 0, false},
		"the roles":                          {gang.Gang{Roles: []gang.Role{driver, executor}}, 4, true},
		"the whole":                          {gang.Gang{MinMember: 7, Roles: []gang.Role{driver, executor}}, 7, true},
		"roles that are more than the whole": {gang.Gang{MinMember: 2, Roles: []gang.Role{driver, executor}}, 4, true},
		"an expected role of which nobody must come": {gang.Gang{Roles: []gang.Role{driver, {Name: "executor", Expected: true}}}, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.g.Min(); got != c.min {
				t.Errorf("min is %d, want %d", got, c.min)
			}
			if got := c.g.Expects(); got != c.expects {
				t.Errorf("expects: %t", got)
			}
		})
	}
	g := gang.Gang{Roles: []gang.Role{driver}}
	if r, ok := g.Role("driver"); !ok || r.Min != 1 {
		t.Errorf("the driver is %+v, %t", r, ok)
	}
	if _, ok := g.Role("ps"); ok {
		t.Error("there is no ps")
	}
}
