package core_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/queue"
)

// TestHistoriesOfParts lets random histories happen on a cluster whose queues limit how much
// they hold for members that have no pod yet, and how much is non-preemptible.
func TestHistoriesOfParts(t *testing.T) {
	parts, granted, spared := map[queue.Part]int{}, 0, 0
	staged{
		limits: func(h *history) {
			h.tenants = true
			h.Options.Reclaim = core.Clearing{MaxPods: 8, MaxTries: 100, After: 2 * time.Second, Cooldown: 20 * time.Second, Timeout: time.Minute}
		},
		scene: (*history).squeeze, soonest: 1, latest: 20, steps: 100,
	}.happen(t, func(h *history) {
		for part, n := range h.parts {
			parts[part] += n
		}
		granted, spared = granted+h.granted, spared+h.spared
	})
	text := fmt.Sprintf("after %d steps a gang waited to hold room, after %d for what it claims, after %d one was non-preemptible, and %d times others were to go then",
		parts[queue.Expected], parts[queue.NonPreemptible], granted, spared)
	if t.Log(text); enough() && min(parts[queue.Expected], parts[queue.NonPreemptible], granted, spared) == 0 {
		t.Errorf("not all kinds have occurred: %s", text)
	}
}

// squeeze fills queues with little of each part with applications and with gangs that claim to
// be non-preemptible.
func (h *history) squeeze() {
	limited := func(name, parent string) {
		h.SetQueue(queue.Spec{
			Name: name, Parent: parent, Weight: 1, Backfill: h.chance("backfill", 1), Deserved: coresOf(int64(h.number("cores", 3, 6))),
			MaxExpected: coresOf(int64(h.number("expected", 1, 4))), MaxNonPreemptible: coresOf(int64(h.number("non-preemptible", 2, 6))),
		})
	}
	limited("a", "")
	limited("b", "")
	h.SetQueue(queue.Spec{Name: "c", Parent: "b", Weight: 1, Backfill: h.chance("backfill", 1)})
	h.arrive()
	for range h.number("gangs", 3, 6) {
		var g gang.Gang
		if h.chance("Spark", 1) {
			g = gangtest.Spark(h.name("app"), h.number("executors", 1, 3), gangtest.Shape(1, 1))
			g.Owner.UID = h.name("pod")
		} else {
			g = gangtest.Group(h.name("group"), h.number("minimum", 1, 3))
		}
		g.Created, g.Queue = h.Now, rapid.SampledFrom([]string{"a", "c"}).Draw(h.t, "queue")
		g.NonPreemptible = h.chance("claims", 1)
		g.Runtime = time.Duration(h.number("runtime", 0, 1)) * time.Minute
		h.Declare(g)
		if len(g.Roles) > 0 {
			h.Pod(g.ID, "driver", g.Owner.UID, gangtest.Shape(1, 1))
		}
		for range g.MinMember {
			h.Pod(g.ID, "", h.name("pod"), gangtest.Shape(1, 1))
		}
		h.arrive()
		h.Now = h.Now.Add(time.Second)
	}
}
