package queue_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/queue"
)

func entry(name string, second int) queue.Entry {
	return queue.Entry{Gang: gang.ID(name), Created: gangtest.Epoch0.Add(time.Duration(second) * time.Second)}
}

func names(q *queue.FIFO) []gang.ID {
	var out []gang.ID
	for e := range q.All() {
		out = append(out, e.Gang)
	}
	return out
}

func TestWhoCameFirstGoesFirstAndEqualTimesGoByName(t *testing.T) {
	q := queue.NewFIFO()
	for _, e := range []queue.Entry{entry("d", 2), entry("c", 1), entry("a", 2), entry("b", 3)} {
		q.Add(e)
	}
	if got, want := names(q), []gang.ID{"c", "a", "d", "b"}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

func TestOneThatWaitsIsMovedToItsPlaceByBeingAddedAgain(t *testing.T) {
	q := queue.NewFIFO()
	q.Add(entry("a", 1))
	q.Add(entry("b", 2))
	q.Add(entry("b", 0))
	if got := names(q); !slices.Equal(got, []gang.ID{"b", "a"}) {
		t.Errorf("order %v", got)
	}
	q.Remove("nobody")
	if q.Len() != 2 || q.Position("nobody") != 0 {
		t.Errorf("%d wait", q.Len())
	}
}

func TestPriorityGoesBeforeAge(t *testing.T) {
	q := queue.NewFIFO()
	q.Add(entry("old", 1))
	high := entry("high", 2)
	high.Priority = 5
	q.Add(high)
	if got := names(q); !slices.Equal(got, []gang.ID{"high", "old"}) {
		t.Errorf("order %v", got)
	}
}

func TestAWalkGoesOnBehindTheEntryThatItYieldedLast(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*queue.FIFO)
		want   []gang.ID
	}{
		"the entry leaves":              {func(q *queue.FIFO) { q.Remove("b") }, []gang.ID{"a", "b", "c"}},
		"the next one leaves":           {func(q *queue.FIFO) { q.Remove("c") }, []gang.ID{"a", "b"}},
		"one before it leaves":          {func(q *queue.FIFO) { q.Remove("a") }, []gang.ID{"a", "b", "c"}},
		"all leave":                     {func(q *queue.FIFO) { q.Remove("a"); q.Remove("b"); q.Remove("c") }, []gang.ID{"a", "b"}},
		"one comes before it":           {func(q *queue.FIFO) { q.Add(entry("0", 0)) }, []gang.ID{"a", "b", "c"}},
		"one comes behind it":           {func(q *queue.FIFO) { q.Add(entry("bb", 2)) }, []gang.ID{"a", "b", "bb", "c"}},
		"it leaves and one comes":       {func(q *queue.FIFO) { q.Remove("b"); q.Add(entry("bb", 2)) }, []gang.ID{"a", "b", "bb", "c"}},
		"it leaves and comes back last": {func(q *queue.FIFO) { q.Remove("b"); q.Add(entry("b", 9)) }, []gang.ID{"a", "b", "c", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			q := queue.NewFIFO()
			q.Add(entry("a", 1))
			q.Add(entry("b", 2))
			q.Add(entry("c", 3))
			var got []gang.ID
			changed := false
			for e := range q.All() {
				got = append(got, e.Gang)
				if e.Gang == "b" && !changed {
					c.change(q)
					changed = true
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("walked %v, want %v", got, c.want)
			}
		})
	}
}

func TestTheQueueIsASortedListWhateverComesAndGoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, model := queue.NewFIFO(), []queue.Entry{}
		name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				e := entry(name.Draw(t, "name"), rapid.IntRange(0, 3).Draw(t, "second"))
				q.Add(e)
				model = slices.DeleteFunc(model, func(o queue.Entry) bool { return o.Gang == e.Gang })
				model = append(model, e)
			},
			"remove": func(t *rapid.T) {
				id := gang.ID(name.Draw(t, "name"))
				q.Remove(id)
				model = slices.DeleteFunc(model, func(o queue.Entry) bool { return o.Gang == id })
			},
			"": func(t *rapid.T) {
				slices.SortFunc(model, func(a, b queue.Entry) int {
					return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Gang, b.Gang))
				})
				if got := slices.Collect(q.All()); !slices.Equal(got, model) || q.Len() != len(model) {
					t.Fatalf("queue is %v, want %v", got, model)
				}
				for i, e := range model {
					if q.Position(e.Gang) != i+1 {
						t.Fatalf("%s is at %d, want %d", e.Gang, q.Position(e.Gang), i+1)
					}
				}
			},
		})
	})
}
