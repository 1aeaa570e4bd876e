package queue_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// lending is a tree of twenty cores: a deserves 10, and those below it 6 and 4; b
// deserves 10.
func lending(used map[string]int64) *queue.Tree {
	t := queue.NewTree()
	t.SetTotal(cores(20))
	for _, s := range []queue.Spec{
		{Name: "a", Weight: 1, Deserved: limit(10)}, {Name: "b", Weight: 1, Deserved: limit(10)},
		{Name: "a1", Parent: "a", Weight: 1, Deserved: limit(6)}, {Name: "a2", Parent: "a", Weight: 1, Deserved: limit(4)},
	} {
		t.Set(s)
	}
	for name, n := range used {
		t.Charge(gang.ID("of "+name), name, whole(n))
	}
	return t
}

func TestWhatMayBeTakenFromWhom(t *testing.T) {
	low, high, equal := int64(1), int64(3), int64(2)
	loss := func(q string, cpus, priority int64) queue.Loss {
		return queue.Loss{Queue: q, Of: cores(cpus), Priority: priority}
	}
	elastic := func(q string, cpus, priority int64) queue.Loss {
		return queue.Loss{Queue: q, Of: cores(cpus), Priority: priority, Elastic: true}
	}
	for name, c := range map[string]struct {
		used   map[string]int64
		asks   int64
		meek   bool
		change func(*queue.Tree)
		losses []queue.Loss
		want   bool
	}{
		"what another has borrowed":                     {used: map[string]int64{"b": 15}, asks: 5, losses: []queue.Loss{loss("b", 5, high)}, want: true},
		"all of a gang that has borrowed a part":        {used: map[string]int64{"b": 11}, asks: 5, losses: []queue.Loss{loss("b", 11, high)}, want: true},
		"what another is entitled to":                   {used: map[string]int64{"b": 10}, asks: 5, losses: []queue.Loss{loss("b", 5, low)}},
		"more than another has borrowed":                {used: map[string]int64{"b": 12}, asks: 5, losses: []queue.Loss{loss("b", 2, low), loss("b", 2, low)}},
		"for more than the own queue is entitled to":    {used: map[string]int64{"b": 15, "a1": 2}, asks: 9, losses: []queue.Loss{loss("b", 5, low)}},
		"for more than a1, but not than a":              {used: map[string]int64{"b": 15, "a1": 2}, asks: 7, losses: []queue.Loss{loss("b", 5, low)}, want: true},
		"from the sister, for more than a1":             {used: map[string]int64{"a2": 7, "a1": 2}, asks: 7, losses: []queue.Loss{loss("a2", 1, low)}},
		"from the sister that has borrowed":             {used: map[string]int64{"a2": 7, "a1": 2}, asks: 2, losses: []queue.Loss{loss("a2", 3, low)}, want: true},
		"from who may keep it":                          {used: map[string]int64{"b": 15}, asks: 5, losses: []queue.Loss{loss("b", 5, low)}, change: func(t *queue.Tree) { t.Set(queue.Spec{Name: "b", Weight: 1, Deserved: limit(10), Keeps: true}) }},
		"from a queue that is not there":                {asks: 5, losses: []queue.Loss{loss("gone", 5, low)}},
		"a lower priority in the own queue":             {used: map[string]int64{"a1": 12}, asks: 5, losses: []queue.Loss{loss("a1", 5, low)}, want: true},
		"an equal priority in the own queue":            {used: map[string]int64{"a1": 12}, asks: 5, losses: []queue.Loss{loss("a1", 5, equal)}},
		"a lower priority, for a meek gang":             {used: map[string]int64{"a1": 12}, asks: 5, meek: true, losses: []queue.Loss{loss("a1", 5, low)}},
		"an elastic member of an equal priority":        {used: map[string]int64{"a1": 12}, asks: 5, meek: true, losses: []queue.Loss{elastic("a1", 5, equal)}, want: true},
		"an elastic member of a higher priority":        {used: map[string]int64{"a1": 12}, asks: 5, losses: []queue.Loss{elastic("a1", 5, high)}},
		"an elastic member that another is entitled to": {used: map[string]int64{"b": 9}, asks: 5, losses: []queue.Loss{elastic("b", 1, low)}},
		"a lower priority, and what is borrowed":        {used: map[string]int64{"a1": 3, "b": 13}, asks: 5, losses: []queue.Loss{loss("a1", 3, low), loss("b", 2, high)}, want: true},
		"a resource that is not asked for":              {used: map[string]int64{"b": 15}, asks: 5, losses: []queue.Loss{{Queue: "b", Of: resource.Vector{Memory: 1}}}},
	} {
		t.Run(name, func(t *testing.T) {
			tree := lending(c.used)
			if c.change != nil {
				c.change(tree)
			}
			claim := tree.Claim(queue.Entry{Gang: "g", Queue: "a1", Priority: equal}, cores(c.asks), c.meek, nil)
			if got := claim.Allows(c.losses); got != c.want {
				t.Errorf("it may be taken: %t, want %t", got, c.want)
			}
		})
	}
}

func TestWhatGoesAnywayCountsAsGone(t *testing.T) {
	tree := lending(map[string]int64{"b": 15})
	claim := tree.Claim(queue.Entry{Queue: "a1"}, cores(5), false, []queue.Loss{{Queue: "b", Of: cores(5)}})
	if claim.Allows([]queue.Loss{{Queue: "b", Of: cores(1)}}) {
		t.Error("more is taken than what was borrowed")
	}
	tree.Set(queue.Spec{Name: "b", Weight: 1, Capability: limit(15)})
	claim = tree.Claim(queue.Entry{Queue: "b"}, cores(5), false, []queue.Loss{{Queue: "b", Of: cores(5)}})
	if lack := claim.Lack(nil); lack != 0 {
		t.Errorf("%g of the quota lacks", lack)
	}
}

func TestHowMuchQuotaLacks(t *testing.T) {
	tree := lending(map[string]int64{"a1": 4, "a2": 4})
	tree.Set(queue.Spec{Name: "a", Weight: 1, Capability: limit(10)})
	claim := tree.Claim(queue.Entry{Queue: "a1"}, cores(4), false, nil)
	for cpus, want := range map[int64]float64{0: 0.2, 1: 0.1, 2: 0, 3: 0} {
		if got := claim.Lack([]queue.Loss{{Queue: "a2", Of: cores(cpus)}}); got != want {
			t.Errorf("without %d cores %g lacks, want %g", cpus, got, want)
		}
	}
	if used := tree.Used("a"); !used.Equal(cores(8)) {
		t.Errorf("afterwards %s is used", used)
	}
}

// TestNothingIsTakenBack holds that who takes something from another queue could not be
// made to give it back by that queue.
func TestNothingIsTakenBack(t *testing.T) {
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		number := func(label string, low, high int) int64 { return int64(rapid.IntRange(low, high).Draw(t, label)) }
		tree := queue.NewTree()
		tree.SetTotal(cores(number("total", 5, 30)))
		names, parents := []string{"a", "b", "c", "d", "e"}, map[string]bool{}
		for i, name := range names {
			s := queue.Spec{Name: name, Weight: number("weight", 1, 3)}
			if i > 0 {
				s.Parent = rapid.SampledFrom(append([]string{""}, names[:i]...)).Draw(t, "parent")
			}
			parents[s.Parent] = true
			if rapid.Bool().Draw(t, "deserves") {
				s.Deserved = limit(number("deserved", 0, 10))
			}
			tree.Set(s)
		}
		leaves := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return parents[n] })
		type work struct {
			id    gang.ID
			queue string
			cpus  int64
		}
		var runs []work
		for i := range number("gangs", 1, 8) {
			w := work{gang.ID(fmt.Sprintf("g%d", i)), rapid.SampledFrom(leaves).Draw(t, "queue"), number("cores", 1, 6)}
			runs = append(runs, w)
			tree.Charge(w.id, w.queue, whole(w.cpus))
		}
		taker := work{"taker", rapid.SampledFrom(leaves).Draw(t, "queue"), number("cores", 1, 6)}
		claim := tree.Claim(queue.Entry{Queue: taker.queue}, cores(taker.cpus), false, nil)
		var losses []queue.Loss
		var gone []work
		for _, w := range runs {
			if l := (queue.Loss{Queue: w.queue, Of: cores(w.cpus)}); claim.Allows(append(slices.Clone(losses), l)) {
				losses, gone = append(losses, l), append(gone, w)
			}
		}
		if len(losses) == 0 {
			return
		}
		taken++
		for k := range losses {
			if !claim.Allows(slices.Delete(slices.Clone(losses), k, k+1)) {
				t.Fatal("fewer may not be taken")
			}
		}
		for _, w := range gone {
			tree.Charge(w.id, w.queue, queue.Demand{})
		}
		tree.Charge(taker.id, taker.queue, whole(taker.cpus))
		for _, w := range gone {
			back := tree.Claim(queue.Entry{Queue: w.queue}, cores(w.cpus), false, nil)
			if back.Allows([]queue.Loss{{Queue: taker.queue, Of: cores(taker.cpus)}}) {
				t.Fatalf("%+v takes back from %+v", w, taker)
			}
		}
	})
	if taken == 0 && !testing.Short() {
		t.Error("nothing was ever taken")
	}
	t.Logf("%d times something was taken", taken)
}
