package queue_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

func cores(n int64) resource.Vector { return resource.Vector{MilliCPU: n * 1000} }

// whole is a demand of which no part is limited by itself.
func whole(n int64) queue.Demand { return queue.Demand{All: cores(n)} }

func limit(n int64) queue.Limits { return queue.LimitsOf(map[string]int64{resource.CPU: n * 1000}) }

// tree has 100 cores and these queues, each a second younger than the one before.
func tree(specs ...queue.Spec) *queue.Tree {
	t := queue.NewTree()
	t.SetTotal(cores(100))
	for i, s := range specs {
		s.Weight = max(s.Weight, 1)
		s.Created = gangtest.Epoch0.Add(time.Duration(i) * time.Second)
		t.Set(s)
	}
	return t
}

func in(name string, second int, q string) queue.Entry {
	e := entry(name, second)
	e.Queue = q
	return e
}

// ask asks in a turn of its own.
func ask(t *queue.Tree, q string, n int64) *queue.Refusal {
	return t.Turn().Ask(in("g", 0, q), whole(n))
}

func TestAQueueHasNoMoreThanItsCapabilityAndThatOfThoseAbove(t *testing.T) {
	tr := tree(
		queue.Spec{Name: "research", Capability: limit(60)},
		queue.Spec{Name: "nlp", Parent: "research", Capability: limit(40)},
		queue.Spec{Name: "vision", Parent: "research"},
	)
	tr.Charge("a", "nlp", whole(30))
	tr.Charge("b", "vision", whole(20))
	for _, c := range []struct {
		queue string
		n     int64
		want  string
	}{
		{"nlp", 10, ""},
		{"nlp", 11, "queue nlp may have 40 of cpu, of which 30 is in use, and the gang asks for 11"},
		{"nlp", 41, "queue nlp may have 40 of cpu at most, and the gang asks for 41"},
		{"vision", 10, ""},
		{"vision", 11, "queue research may have 60 of cpu, of which 50 is in use, and the gang asks for 11"},
		{"vision", 61, "queue research may have 60 of cpu at most, and the gang asks for 61"},
		{"default", 50, ""},
		{"default", 500, ""}, // it is room that lacks, and not quota
	} {
		got := ""
		if r := ask(tr, c.queue, c.n); r != nil {
			got = r.String()
		}
		if got != c.want {
			t.Errorf("%d for %s: %q, want %q", c.n, c.queue, got, c.want)
		}
	}
	tr.Charge("b", "vision", queue.Demand{})
	if r := ask(tr, "vision", 30); r != nil {
		t.Errorf("after b has ended: %s", r)
	}
}

func TestWhatIsGuaranteedIsLentToNobody(t *testing.T) {
	tr := tree(
		queue.Spec{Name: "a", Guarantee: cores(40)},
		queue.Spec{Name: "b"},
		queue.Spec{Name: "c", Guarantee: cores(10)},
	)
	tr.Charge("x", "a", whole(15))
	tr.Charge("y", "b", whole(30))
	if r := ask(tr, "b", 20); r != nil {
		t.Errorf("20 of the 50 that nobody is guaranteed: %s", r)
	}
	r := ask(tr, "b", 21)
	if want := "all queues together have 100 of cpu, of which 80 is in use or guaranteed to others, and the gang asks for 21"; r == nil || r.String() != want || r.Never {
		t.Errorf("21: %v, want %s", r, want)
	}
	if r := ask(tr, "b", 51); r == nil || !r.Never {
		t.Errorf("what only others are guaranteed is never to be had: %v", r)
	}
	for _, n := range []int64{25, 45} { // its own guarantee, and with it what nobody has
		if r := ask(tr, "a", n); r != nil {
			t.Errorf("%d for a: %s", n, r)
		}
	}
	if r := ask(tr, "a", 46); r == nil || r.Never {
		t.Errorf("46 for a: %v", r)
	}
}

func TestAGuaranteeIsKeptWithinTheCapabilityOfTheQueueAbove(t *testing.T) {
	tr := tree(
		queue.Spec{Name: "research", Capability: limit(50)},
		queue.Spec{Name: "nlp", Parent: "research", Guarantee: cores(20)},
		queue.Spec{Name: "vision", Parent: "research"},
	)
	if r := ask(tr, "vision", 31); r == nil || r.Queue != "research" || !r.Reserved {
		t.Errorf("31 for vision: %v", r)
	}
	tr.Charge("v", "vision", whole(30))
	if r := ask(tr, "nlp", 20); r != nil {
		t.Errorf("its guarantee: %s", r)
	}
}

func TestARefusedGangKeepsWhatItWaitsForFromThoseBehind(t *testing.T) {
	tr := tree(
		queue.Spec{Name: "research", Capability: queue.LimitsOf(map[string]int64{resource.CPU: 20000, "gpu.example/a": 4})},
		queue.Spec{Name: "nlp", Parent: "research"},
		queue.Spec{Name: "vision", Parent: "research"},
		queue.Spec{Name: "own", Parent: "research", Guarantee: cores(4)},
		queue.Spec{Name: "other"},
		queue.Spec{Name: "loose", Capability: limit(10), Backfill: true},
	)
	tr.Charge("old", "nlp", whole(10))
	turn := tr.Turn()
	if r := turn.Ask(in("big", 1, "nlp"), whole(8)); r == nil || r.Behind {
		t.Fatalf("8 of 6: %v", r)
	}
	if r := turn.Ask(in("small", 2, "vision"), whole(1)); r == nil || !r.Behind {
		t.Errorf("who takes what is waited for goes first: %v", r)
	}
	if n := turn.Room("vision", cores(1), 5); n != 0 {
		t.Errorf("%d members above the minimum take what is waited for", n)
	}
	for _, c := range []struct {
		queue string
		more  resource.Vector
	}{
		{"vision", resource.Vector{}.With("gpu.example/a", 2)}, // nobody waits for these
		{"own", cores(4)},   // guaranteed to itself
		{"other", cores(9)}, // not of that queue's quota
	} {
		if r := turn.Ask(in("x", 3, c.queue), queue.Demand{All: c.more}); r != nil {
			t.Errorf("%s of %s: %s", c.more, c.queue, r)
		}
	}
	if r := turn.Ask(in("large", 4, "loose"), whole(11)); r == nil || !r.Never {
		t.Errorf("more than ever: %v", r)
	}
	tr.Charge("y", "loose", whole(5))
	turn = tr.Turn()
	if r := turn.Ask(in("large", 4, "loose"), whole(6)); r == nil {
		t.Error("6 of 5")
	}
	if r := turn.Ask(in("small", 5, "loose"), whole(5)); r != nil {
		t.Errorf("this queue lets others pass: %s", r)
	}
}

func TestWhoIsBehindOthersKeepsThoseOfHisQueueBehindHim(t *testing.T) {
	tr := tree(
		queue.Spec{Name: "research", Capability: limit(10)},
		queue.Spec{Name: "nlp", Parent: "research", Priority: 1},
		queue.Spec{Name: "own", Parent: "research", Guarantee: cores(4)},
	)
	tr.Charge("old", "nlp", whole(5))
	tr.Add(in("large", 0, "nlp"))
	tr.Add(in("behind", 1, "own"))
	tr.Add(in("small", 2, "own"))
	var asked []gang.ID
	turn := tr.Turn()
	for e, ok := turn.Next(); ok; e, ok = turn.Next() {
		asked = append(asked, e.Gang)
		turn.Ask(e, map[gang.ID]queue.Demand{"large": whole(3), "behind": whole(5), "small": whole(1)}[e.Gang])
	}
	// behind takes more than its queue is guaranteed, and small would not.
	if want := []gang.ID{"large", "behind"}; !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
}

func TestRoomIsCountedInMembers(t *testing.T) {
	tr := tree(queue.Spec{Name: "q", Capability: limit(10)})
	for each, want := range map[int64]int{1: 7, 2: 5, 3: 3, 11: 0} {
		if got := tr.Turn().Room("q", cores(each), 7); got != want {
			t.Errorf("%d cores each: %d, want %d", each, got, want)
		}
	}
}

// order is in which order gangs are served if each gets one core and starts at once.
func order(tr *queue.Tree) []gang.ID {
	var out []gang.ID
	turn := tr.Turn()
	for e, ok := turn.Next(); ok; e, ok = turn.Next() {
		tr.Remove(e.Gang)
		tr.Charge(e.Gang, e.Queue, whole(1))
		out = append(out, e.Gang)
	}
	return out
}

func TestQueuesAreServedByPriorityThenShareThenAge(t *testing.T) {
	for name, c := range map[string]struct {
		specs []queue.Spec
		want  string
	}{
		"equal queues take turns, the older gang first": {
			[]queue.Spec{{Name: "a"}, {Name: "b"}}, "a1 b1 a2 b2 a3 b3"},
		"one of three times the weight has three for one": {
			[]queue.Spec{{Name: "a", Weight: 3}, {Name: "b"}}, "a1 b1 a2 a3 b2 b3"},
		"a queue of higher priority goes first": {
			[]queue.Spec{{Name: "a"}, {Name: "b", Priority: 1}}, "b1 b2 b3 a1 a2 a3"},
		"who deserves more by name has more": {
			[]queue.Spec{{Name: "a", Deserved: limit(20)}, {Name: "b", Deserved: limit(60)}}, "a1 b1 b2 b3 a2 a3"},
		"who deserves nothing goes last": {
			[]queue.Spec{{Name: "a", Deserved: limit(0)}, {Name: "b", Deserved: limit(60)}}, "a1 b1 b2 b3 a2 a3"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := tree(c.specs...)
			for i := range 3 {
				tr.Add(in("a"+string(rune('1'+i)), 2*i, "a"))
				tr.Add(in("b"+string(rune('1'+i)), 2*i+1, "b"))
			}
			var got []string
			for _, id := range order(tr) {
				got = append(got, string(id))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
}

func TestSharesAreComparedOnEveryLevel(t *testing.T) {
	tr := tree(
		queue.Spec{Name: "research"}, queue.Spec{Name: "ops"},
		queue.Spec{Name: "nlp", Parent: "research"}, queue.Spec{Name: "vision", Parent: "research"},
	)
	for i := range 4 {
		tr.Add(in("n"+string(rune('1'+i)), i, "nlp"))
		tr.Add(in("o"+string(rune('1'+i)), i, "ops"))
		if i < 2 {
			tr.Add(in("v"+string(rune('1'+i)), i, "vision"))
		}
	}
	// ops gets as many as nlp and vision together.
	want := []gang.ID{"o1", "n1", "v1", "o2", "n2", "o3", "v2", "o4", "n3", "n4"}
	if got := order(tr); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestDeclarationsThatCantBe(t *testing.T) {
	for name, c := range map[string]struct {
		specs []queue.Spec
		want  map[string]string
	}{
		"a parent that does not exist": {
			[]queue.Spec{{Name: "a", Parent: "b"}},
			map[string]string{"a": "spec.parent b does not exist; create it, or name another"}},
		"a circle, and what hangs on it": {
			[]queue.Spec{{Name: "a", Parent: "b"}, {Name: "b", Parent: "c"}, {Name: "c", Parent: "a"}, {Name: "d", Parent: "a"}},
			map[string]string{
				"a": "spec.parent leads in a circle: a > b > c > a; change one of them",
				"b": "spec.parent leads in a circle: b > c > a > b; change one of them",
				"c": "spec.parent leads in a circle: c > a > b > c; change one of them",
				"d": "spec.parent leads in a circle: d > a > b > c > a; change one of them",
			}},
		"itself as parent": {
			[]queue.Spec{{Name: "a", Parent: "a"}},
			map[string]string{"a": "spec.parent leads in a circle: a > a; change one of them"}},
		"more deserved than it may have": {
			[]queue.Spec{{Name: "a", Deserved: limit(5), Capability: limit(4)}},
			map[string]string{"a": "spec.deserved[cpu]=5 is more than spec.capability[cpu]=4; lower the one or raise the other"}},
		"more guaranteed than deserved": {
			[]queue.Spec{{Name: "a", Guarantee: cores(6), Deserved: limit(5)}},
			map[string]string{"a": "spec.guarantee.resource[cpu]=6 is more than spec.deserved[cpu]=5; lower the one or raise the other"}},
		"children that are guaranteed more than their parent, of which the older has it": {
			[]queue.Spec{{Name: "p", Guarantee: cores(10)}, {Name: "b", Parent: "p", Guarantee: cores(6)}, {Name: "a", Parent: "p", Guarantee: cores(5)}, {Name: "c", Parent: "p", Guarantee: cores(4)}},
			map[string]string{"a": "with its own spec.guarantee.resource[cpu]=5 the queues of p would have 11, which has 10; lower it, or raise that of p"}},
		"children that deserve more than their parent": {
			[]queue.Spec{{Name: "p", Deserved: limit(10)}, {Name: "a", Parent: "p", Deserved: limit(11)}},
			map[string]string{"a": "with its own spec.deserved[cpu]=11 the queues of p would have 11, which has 10; lower it, or raise that of p"}},
		"what hangs on a queue that is refused": {
			[]queue.Spec{{Name: "p", Refused: "spec.weight=-1 is negative"}, {Name: "a", Parent: "p"}},
			map[string]string{"p": "spec.weight=-1 is negative", "a": "the queue above it is refused: p: spec.weight=-1 is negative"}},
		"all is well": {
			[]queue.Spec{{Name: "p", Deserved: limit(10), Capability: limit(20)}, {Name: "a", Parent: "p", Guarantee: cores(2), Deserved: limit(10)}, {Name: "b", Parent: "p", Capability: limit(50)}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tr := tree(c.specs...)
			for _, s := range c.specs {
				if got := tr.Problem(s.Name); got != c.want[s.Name] {
					t.Errorf("%s: %q, want %q", s.Name, got, c.want[s.Name])
				}
				if why := tr.Bars(s.Name, "team"); c.want[s.Name] != "" && why == "" {
					t.Errorf("%s may be used", s.Name)
				}
			}
		})
	}
}

func TestWhoMayUseAQueue(t *testing.T) {
	tr := tree(
		queue.Spec{Name: "open"},
		queue.Spec{Name: "listed", Namespaces: []string{"a", "b"}},
		queue.Spec{Name: "below", Parent: "listed"},
		queue.Spec{Name: "narrow", Parent: "listed", Namespaces: []string{"b"}},
		queue.Spec{Name: "shut", Closed: true},
		queue.Spec{Name: "in-shut", Parent: "shut"},
	)
	tr.SetHome("c", "narrow")
	for _, c := range []struct{ queue, namespace, want string }{
		{"open", "z", ""},
		{"default", "z", ""},
		{"below", "a", ""},
		{"below", "z", "namespace z may not use queue below; name another, or ask an administrator for the right"},
		{"narrow", "a", "namespace a may not use queue narrow; name another, or ask an administrator for the right"},
		{"narrow", "b", ""},
		{"narrow", "c", ""},
		{"listed", "a", "queue listed has queues below it; name one of these"},
		{"root", "a", "queue root has queues below it; name one of these"},
		{"in-shut", "a", "queue shut is closed"},
		{"nowhere", "a", "queue nowhere does not exist; create it, or name another"},
	} {
		if got := tr.Bars(c.queue, c.namespace); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.namespace, c.queue, got, c.want)
		}
	}
	for _, c := range []struct{ named, namespace, want string }{{"x", "c", "x"}, {"", "c", "narrow"}, {"", "z", "default"}} {
		if got := tr.Of(c.named, c.namespace); got != c.want {
			t.Errorf("%q in %s: %s, want %s", c.named, c.namespace, got, c.want)
		}
	}
	tr.SetHome("c", "")
	if tr.Bars("narrow", "c") == "" || tr.Of("", "c") != "default" {
		t.Error("the right was taken back")
	}
}

func TestAQueueThatIsGoneIsChargedUntilAllOfItHasEnded(t *testing.T) {
	tr := tree(queue.Spec{Name: "p", Capability: limit(10)}, queue.Spec{Name: "q", Parent: "p"})
	tr.Charge("g", "q", whole(4))
	tr.Add(in("w", 1, "q"))
	tr.Unset("q")
	if !tr.Used("q").Equal(cores(4)) || !tr.Used("p").IsZero() || !tr.Used("root").Equal(cores(4)) {
		t.Errorf("q %s, p %s", tr.Used("q"), tr.Used("p"))
	}
	if got := order(tr); len(got) != 1 {
		t.Errorf("%v wait", got)
	}
	tr.Set(queue.Spec{Name: "q", Parent: "p", Weight: 1})
	if !tr.Used("p").Equal(cores(5)) {
		t.Errorf("p %s after q is back", tr.Used("p"))
	}
}

func TestWhatRanBeforeThereWereQueuesBelowTakesNothingOfTheirs(t *testing.T) {
	tr := tree(queue.Spec{Name: "a"}, queue.Spec{Name: "below", Parent: "a", Guarantee: cores(40)}, queue.Spec{Name: "b"})
	tr.Charge("old", "a", whole(30))
	for n, want := range map[int64]bool{30: true, 31: false} {
		if r := ask(tr, "b", n); (r == nil) != want {
			t.Errorf("%d for another: %v", n, r)
		}
	}
	if got := tr.Turn().Room("a", cores(1), 100); got != 30 {
		t.Errorf("it has room for %d more, want 30", got)
	}
}
