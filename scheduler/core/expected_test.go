package core_test

import (
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/queue"
)

// squeezed is a world of sixteen cores in whose queues room is held for so many executors
// without a pod, of one core each.
func squeezed(limit int64, strict bool) *coretest.World {
	w := world(4, 4)
	w.SetQueue(queue.Spec{Name: queue.Default, Backfill: !strict, MaxExpected: coresOf(limit)})
	return w
}

func TestAGangWaitsWhileItsQueueHoldsTooMuchForMembersToCome(t *testing.T) {
	for name, strict := range map[string]bool{"in a queue that lets others pass": false, "in a strict queue": true} {
		t.Run(name, func(t *testing.T) {
			w := squeezed(4, strict)
			first, second := app(w, "first", 3), app(w, "second", 2)
			wantBound(t, w, first, 1)
			wantVerdict(t, w, second, gang.OverQuota,
				"no quota left: queue default may hold 4 of cpu for members that have no pod yet, of which 3 is held, and the gang would hold 2 more")
			wantBound(t, w, groupOf(w, "group", 2, gang.BelowMinimum{}), 2) // all of its pods are there
			third := app(w, "third", 1)
			wantBound(t, w, third, map[bool]int{false: 1, true: 0}[strict])
			executors(w, first, "first", 1, 3)
			wantBound(t, w, first, 4)
			wantBound(t, w, second, 1)
			wantBound(t, w, third, 1)
		})
	}
}

func TestAGangThatExpectsMoreThanItsQueueMayEverHoldBlocksNobody(t *testing.T) {
	w := squeezed(4, true)
	large, small := app(w, "large", 5), app(w, "small", 4)
	wantVerdict(t, w, large, gang.NeverInQueue, "queue default may hold 4 of cpu at most for members that have no pod yet, and the gang would hold 5")
	wantBound(t, w, small, 1)
	executors(w, small, "small", 1, 4)
	w.SetQueue(queue.Spec{Name: queue.Default, MaxExpected: coresOf(5)})
	wantBound(t, w, large, 1)
}

func TestTheLimitOfAQueueAboveCountsForThoseBelow(t *testing.T) {
	w := world(4, 4)
	w.SetQueue(queue.Spec{Name: "top", MaxExpected: coresOf(3)})
	w.SetQueue(queue.Spec{Name: "a", Parent: "top"})
	w.SetQueue(queue.Spec{Name: "b", Parent: "top"})
	var ids []gang.ID
	for _, name := range []string{"a", "b"} {
		g := gangtest.Spark("of-"+name, 2, one)
		w.Now = w.Now.Add(time.Second)
		g.Queue, g.Created = name, w.Now
		w.Declare(g)
		w.Pod(g.ID, "driver", g.Owner.Name, one)
		ids = append(ids, g.ID)
	}
	wantBound(t, w, ids[0], 1)
	wantVerdict(t, w, ids[1], gang.OverQuota, "queue top may hold 3 of cpu for members that have no pod yet, of which 2 is held")
}

// What a gang has lost of its minimum is expected again, whatever its queue may hold.
func TestTheRoomOfLostMembersIsHeldAboveTheLimit(t *testing.T) {
	w := squeezed(3, false)
	first := app(w, "first", 3)
	executors(w, first, "first", 1, 3)
	second := app(w, "second", 3)
	wantBound(t, w, second, 1)
	cordoned := w.Nodes[w.Bound["first-exec-1"]]
	w.End("first-exec-1", core.Failed)
	cordoned.Unschedulable = true
	w.SetNode(cordoned) // and so it is held elsewhere
	if r, _ := w.Machine.Record(first); len(r.Slots) != 4 {
		t.Errorf("it holds %v", r.Slots)
	}
	third := app(w, "third", 1)
	wantVerdict(t, w, third, gang.OverQuota, "of which 4 is held, and the gang would hold 1 more")
	executors(w, first, "first", 4, 4)
	wantBound(t, w, first, 4)
	wantBound(t, w, third, 0)
	executors(w, second, "second", 1, 3)
	wantBound(t, w, third, 1)
}
