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
	seen := map[string]int{}
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
		for kind, n := range h.Seen {
			seen[kind] += n
		}
	})
	for _, e := range core.Kinds() {
		kind := reflect.TypeOf(e).Name()
		// The few histories of a short run may well lack the rarest kinds.
		if seen[kind] == 0 && !testing.Short() {
			t.Errorf("no event of kind %s has occurred", kind)
		}
	}
	t.Log(seen)
}
