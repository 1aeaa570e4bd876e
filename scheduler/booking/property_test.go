package booking_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/booking"
	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/resource"
)

// world is a small cluster on which gangs of one to three pods run, and the same as plain
// numbers: free cores by node, and who gives back how many when.
type world struct {
	book    *ledger.Book
	free    map[string]int
	endings []booking.Ending
	gives   []map[string]int
}

func newWorld(t *rapid.T) *world {
	w := &world{book: ledger.New(), free: map[string]int{}}
	for i := range rapid.IntRange(1, 4).Draw(t, "nodes") {
		name, cores := fmt.Sprintf("n%d", i), rapid.IntRange(1, 6).Draw(t, "cores")
		w.book.SetNode(cluster.Node{Name: name, Ready: true, Allocatable: resource.Vector{MilliCPU: int64(cores) * 1000, Memory: 1 << 40, Pods: 110}})
		w.free[name] = cores
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "gangs") {
		w.run(t, gang.ID(fmt.Sprintf("g%d", i)))
	}
	slices.SortStableFunc(w.endings, func(a, b booking.Ending) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(w.gives, func(a, b map[string]int) int { return a["at"] - b["at"] })
	return w
}

// run places a gang of pods, and of slots for members to come, where there is room.
func (w *world) run(t *rapid.T, id gang.ID) {
	minutes := rapid.IntRange(0, 5).Draw(t, "minutes")
	e := booking.Ending{Gang: id, At: gangtest.Epoch0.Add(time.Duration(minutes) * time.Minute)}
	gives := map[string]int{"at": minutes}
	for i := range rapid.IntRange(1, 3).Draw(t, "members") {
		node, cores := fmt.Sprintf("n%d", rapid.IntRange(0, 3).Draw(t, "node")), rapid.IntRange(1, 3).Draw(t, "asks")
		if w.free[node] < cores {
			continue
		}
		w.free[node] -= cores
		gives[node] += cores
		shape := gangtest.Shape(int64(cores), 1)
		if rapid.Bool().Draw(t, "has come") {
			pod := gang.PodID(fmt.Sprintf("%s-%d", id, i))
			w.book.SetPod(cluster.Pod{ID: pod, Name: string(pod), Node: node, Gang: id, Request: shape.Request})
			e.Pods = append(e.Pods, pod)
			continue
		}
		e.Slots = append(e.Slots, w.hold(ledger.Slot{Gang: id, Node: node, Shape: shape}))
	}
	// Of some nobody knows when they will have ended.
	if rapid.IntRange(0, 3).Draw(t, "endless") > 0 {
		w.endings, w.gives = append(w.endings, e), append(w.gives, gives)
	}
}

func (w *world) hold(s ledger.Slot) ledger.SlotID {
	txn := w.book.Begin()
	txn.Hold(s)
	held, err := txn.Commit()
	if err != nil {
		panic(err)
	}
	return held[0].ID
}

// times is how many members of equal size fit at a minute.
func (w *world) times(minute, cores int) int {
	n := 0
	for node, free := range w.free {
		for _, g := range w.gives {
			if g["at"] <= minute {
				free += g[node]
			}
		}
		n += max(free, 0) / cores
	}
	return n
}

func request(members, cores int) planner.Request {
	return planner.Request{Wants: []planner.Want{{Shape: gangtest.Shape(int64(cores), 1), Count: members}}}
}

// TestTheEarliestStartIsTheFirstMinuteAtWhichAllFit compares with trying one minute after
// the other on plain numbers.
func TestTheEarliestStartIsTheFirstMinuteAtWhichAllFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		members, cores := rapid.IntRange(1, 5).Draw(t, "members"), rapid.IntRange(1, 4).Draw(t, "cores each")
		first := -1
		for minute := range 6 {
			if ends := slices.ContainsFunc(w.gives, func(g map[string]int) bool { return g["at"] == minute }); first < 0 && ends && w.times(minute, cores) >= members {
				first = minute
			}
		}
		f := booking.Future{Book: w.book, Endings: w.endings}
		b, known := f.Earliest(request(members, cores))
		if known != (first >= 0) {
			t.Fatalf("it is known: %t; want minute %d", known, first)
		}
		if !known {
			return
		}
		if got := int(b.At.Sub(gangtest.Epoch0) / time.Minute); got != first {
			t.Fatalf("it is booked for minute %d, want %d", got, first)
		}
		if !f.Keeps(&b, request(members, cores), nil) {
			t.Fatal("it does not fit on the nodes for which it is booked")
		}
		for i, e := range w.endings {
			on := slices.ContainsFunc(b.On, func(node string) bool { return w.gives[i][node] > 0 })
			if slices.Contains(b.After, e.Gang) != (on && !e.At.After(b.At)) {
				t.Fatalf("after %v on %v, and of %s that ends at %s %v is there", b.After, b.On, e.Gang, e.At, w.gives[i])
			}
		}
	})
}

// TestWhoRunsOnKeepsABookingOrNot holds more besides, and counts on plain numbers whether
// there is still room at the time of the booking on its nodes.
func TestWhoRunsOnKeepsABookingOrNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		members, cores := rapid.IntRange(1, 4).Draw(t, "members"), rapid.IntRange(1, 3).Draw(t, "cores each")
		f := booking.Future{Book: w.book, Endings: w.endings}
		b, known := f.Earliest(request(members, cores))
		if !known {
			t.Skip("no booking")
		}
		node, asks := fmt.Sprintf("n%d", rapid.IntRange(0, 3).Draw(t, "node")), rapid.IntRange(1, 3).Draw(t, "asks")
		if w.free[node] < asks {
			t.Skip("no room now")
		}
		got := f.Keeps(&b, request(members, cores), []ledger.Slot{{Gang: "late", Node: node, Shape: gangtest.Shape(int64(asks), 1)}})
		w.free[node] -= asks
		for name := range w.free {
			if !slices.Contains(b.On, name) {
				delete(w.free, name)
			}
		}
		if want := w.times(int(b.At.Sub(gangtest.Epoch0)/time.Minute), cores) >= members; got != want {
			t.Fatalf("with %d cores more on %s it is kept: %t; want %t", asks, node, got, want)
		}
	})
}
