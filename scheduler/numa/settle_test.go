package numa_test

import (
	"testing"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/numa"
)

func TestSettle(t *testing.T) {
	single := twoZones(numa.SingleNUMANode, numa.Container)
	cpu := func(n int64) *numa.Demand { return pinned(app(amounts{"cpu": n * 1000})) }
	for name, c := range map[string]struct {
		pods []*numa.Demand
		want bool
	}{
		"no pod":                             {nil, true},
		"equal pods":                         {[]*numa.Demand{cpu(5), cpu(5)}, true},
		"pods that end up in the same zones": {[]*numa.Demand{cpu(1), cpu(2)}, true},
		"the first has the first zone":       {[]*numa.Demand{cpu(5), cpu(6)}, false},
		"one is refused":                     {[]*numa.Demand{cpu(5), cpu(5), cpu(5)}, false},
	} {
		if _, _, got := single.Settle(single.Empty(), c.pods); got != c.want {
			t.Errorf("%s: what is left is known: %t, want %t", name, got, c.want)
		}
	}
}

func TestMemoryThatIsTakenBackEarlyIsNotForetold(t *testing.T) {
	topology := twoZones(numa.SingleNUMANode, numa.Container)
	topology.PinnedMemory = true
	d := pinned(initial(amounts{"cpu": 1000, "memory": gi}), app(amounts{"cpu": 1000, "memory": gi}))
	if _, _, known := topology.Settle(topology.Empty(), []*numa.Demand{d}); known {
		t.Error("what an init container leaves is held to be known")
	}
}

// TestSettledIsWhatEveryOrderLeaves admits pods in an order of rapid's choice.
func TestSettledIsWhatEveryOrderLeaves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topology := topologies().Draw(t, "topology")
		s := states(topology).Draw(t, "state")
		pods := rapid.SliceOfN(demands(), 0, 4).Draw(t, "pods")
		want, _, known := topology.Settle(s, pods)
		if !known || !topology.Refuses() {
			return
		}
		for _, d := range rapid.Permutation(pods).Draw(t, "order") {
			a, refusal := topology.Admit(s, d)
			if refusal != nil || a.Uncertain {
				t.Fatalf("settled, but %+v is refused or uncertain: %v", d, refusal)
			}
			s = s.Take(a)
		}
		if !s.Equal(want) {
			t.Fatalf("this order leaves %+v, settled is %+v", s, want)
		}
	})
}
