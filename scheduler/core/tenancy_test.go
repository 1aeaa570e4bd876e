package core_test

import (
	"fmt"
	"testing"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

func coresOf(n int64) queue.Limits { return queue.LimitsOf(map[string]int64{resource.CPU: n * 1000}) }

// inQueue declares a gang of a queue, and creates its pods, of a core each.
func inQueue(w *coretest.World, name, q string, members, pods int) gang.ID {
	g := gangtest.Group(name, members)
	g.Queue, g.Created = q, w.Now
	w.Pass(1e9)
	w.Declare(g)
	for i := range pods {
		w.Pod(g.ID, "", fmt.Sprintf("%s-%d", name, i), gangtest.Shape(1, 1))
	}
	return g.ID
}

func code(w *coretest.World, id gang.ID) gang.Code {
	r, _ := w.Machine.Record(id)
	return r.Verdict.Code
}

func TestAGangWaitsForTheQuotaOfItsQueueAndOthersGo(t *testing.T) {
	w := coretest.Cluster(4, 4)
	w.SetQueue(queue.Spec{Name: "a", Capability: coresOf(5)})
	first, second := inQueue(w, "first", "a", 3, 3), inQueue(w, "second", "a", 3, 3)
	never, other := inQueue(w, "never", "a", 6, 6), inQueue(w, "other", "b", 2, 2)
	w.SetQueue(queue.Spec{Name: "b"})
	for id, want := range map[gang.ID]gang.Code{
		first: gang.Running, second: gang.OverQuota, never: gang.Behind, other: gang.Running,
	} {
		if got := code(w, id); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
	w.Remove(first)
	for i := range 3 {
		w.End(fmt.Sprintf("first-%d", i), core.Succeeded)
	}
	if code(w, second) != gang.Running || code(w, never) != gang.NeverInQueue {
		t.Errorf("second is %s, never %s", code(w, second), code(w, never))
	}
	w.SetQueue(queue.Spec{Name: "a", Capability: coresOf(9)})
	if code(w, never) != gang.Running {
		t.Errorf("with more quota it is %s", code(w, never))
	}
}

func TestRoomThatIsExpectedIsCharged(t *testing.T) {
	w := coretest.Cluster(4, 4)
	w.SetQueue(queue.Spec{Name: "default", Capability: coresOf(4)})
	w.App("spark", 3, gangtest.Shape(1, 1))
	small := inQueue(w, "small", "", 1, 1)
	if code(w, small) != gang.OverQuota {
		t.Errorf("it is %s beside executors that have not come", code(w, small))
	}
}

func TestMembersAboveTheMinimumStayWithinTheQuota(t *testing.T) {
	w := coretest.Cluster(4, 4)
	w.SetQueue(queue.Spec{Name: "a", Capability: coresOf(4)})
	id := inQueue(w, "g", "a", 2, 6)
	if n := w.BoundOf(id); n != 4 {
		t.Errorf("%d run", n)
	}
	w.SetQueue(queue.Spec{Name: "a", Capability: coresOf(5)})
	if n := w.BoundOf(id); n != 5 {
		t.Errorf("%d run with more quota", n)
	}
}

func TestTheRightToAQueueIsNotThePodsToTake(t *testing.T) {
	w := coretest.Cluster(1, 4)
	w.SetQueue(queue.Spec{Name: "a", Namespaces: []string{"team"}})
	id := inQueue(w, "g", "a", 1, 1)
	if code(w, id) != gang.Barred || w.BoundOf(id) != 0 {
		t.Errorf("it is %s", code(w, id))
	}
	w.SetHome("default", "a")
	if code(w, id) != gang.Running {
		t.Errorf("with the right it is %s", code(w, id))
	}
}

func TestPriorityCountsUpToWhatTheQueueAllows(t *testing.T) {
	limit := int64(5)
	w := coretest.Cluster(1, 1)
	w.SetQueue(queue.Spec{Name: "default", MaxPriority: &limit})
	holds := inQueue(w, "holds", "", 1, 1)
	old, high, higher := inQueue(w, "old", "", 1, 0), inQueue(w, "high", "", 1, 0), inQueue(w, "higher", "", 1, 0)
	for i, p := range []struct {
		id       gang.ID
		priority int64
	}{{old, 0}, {high, 5}, {higher, 100}} {
		name := fmt.Sprintf("pod%d", i)
		w.Pod(p.id, "", name, gangtest.Shape(1, 1))
		w.Members[gang.PodID(name)].Priority = p.priority
		w.TellPod(gang.PodID(name))
	}
	for i, id := range []gang.ID{high, higher, old} {
		if r, _ := w.Machine.Record(id); r.Position != i+1 {
			t.Errorf("%s is number %d, want %d", id, r.Position, i+1)
		}
	}
	w.Remove(holds)
	w.End("holds-0", core.Succeeded)
	if code(w, high) != gang.Running {
		t.Errorf("high is %s", code(w, high))
	}
}

func TestQueuesAreToldWithTheirGangs(t *testing.T) {
	w := coretest.Cluster(4, 4)
	w.SetQueue(queue.Spec{Name: "top", Capability: coresOf(5)})
	w.SetQueue(queue.Spec{Name: "a", Parent: "top"})
	inQueue(w, "runs", "a", 3, 3)
	inQueue(w, "waits", "a", 3, 4)
	inQueue(w, "collects", "a", 3, 1)
	inQueue(w, "strays", "nowhere", 1, 1)
	got := map[string]core.QueueRecord{}
	for _, r := range w.Machine.QueueRecords() {
		got[r.Name] = r
	}
	pending := w.Machine.Pending()
	for name, want := range map[string]string{
		"a":       "map[Collecting:1 OverQuota:1 Running:1] used 3 pending 4 declared true",
		"top":     "map[] used 3 pending 0 declared true",
		"default": "map[] used 0 pending 0 declared false",
		"nowhere": "map[Barred:1] used 0 pending 1 declared false",
	} {
		r := got[name]
		text := fmt.Sprintf("%v used %d pending %d declared %t", r.Gangs, r.Used.MilliCPU/1000, pending[name].MilliCPU/1000, r.Declared)
		if text != want {
			t.Errorf("%s: %s, want %s", name, text, want)
		}
	}
}
