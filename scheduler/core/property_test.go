package core_test

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/core"
)

// minSteps is how many events each history has at least.
const minSteps = 200

// TestHistories lets random histories happen, with every invariant looked at
// after every event, and then lets everything end.
func TestHistories(t *testing.T) {
	seen, passed, booked := map[string]int{}, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(rt)
		h.before = h.Machine.Snap()
		for i := range rapid.IntRange(1, 4).Draw(rt, "nodes") {
			h.Node(fmt.Sprintf("n%d", i), int64(h.number("cores", 2, 6)), 16)
		}
		h.DeliverAll()
		h.Step(core.Synced{})
		for h.steps < minSteps {
			h.act()
		}
		h.windDown()
		h.checkReplay()
		passed, booked = passed+h.passed, booked+h.booked
		for kind, n := range h.Seen {
			seen[kind] += n
		}
	})
	for _, e := range core.Kinds() {
		kind := reflect.TypeOf(e).Name()
		if seen[kind] == 0 && enough() {
			t.Errorf("no event of kind %s has occurred", kind)
		}
	}
	if enough() && (passed == 0 || booked == 0) {
		t.Errorf("%d gangs have passed others, and in %d steps one was booked", passed, booked)
	}
	t.Log(seen, "passed:", passed, "steps with a booking:", booked)
}
