package ledger_test

import (
	"errors"
	"slices"
	"testing"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/ledger"
	"muster.sh/muster/scheduler/resource"
)

// book returns a book with nodes of 4 cores.
func book(nodes ...string) *ledger.Book {
	b := ledger.New()
	for _, n := range nodes {
		b.SetNode(cluster.Node{Name: n, Ready: true, Allocatable: resource.Vector{MilliCPU: 4000, Memory: 64 << 30, Pods: 110}})
	}
	return b
}

func slot(g gang.ID, node string, cores int64, claimant gang.PodID) ledger.Slot {
	return ledger.Slot{Gang: g, Role: "executor", Node: node, Shape: gangtest.Shape(cores, 1), Claimant: claimant}
}

func pod(id gang.PodID, node string, cores int64, g gang.ID) cluster.Pod {
	return cluster.Pod{ID: id, Node: node, Request: gangtest.Shape(cores, 1).Request, Gang: g}
}

func hold(t *testing.T, b *ledger.Book, slots ...ledger.Slot) []*ledger.Slot {
	t.Helper()
	txn := b.Begin()
	txn.Hold(slots...)
	out, err := txn.Commit()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func wantFree(t *testing.T, b *ledger.Book, node string, cores int64) {
	t.Helper()
	if err := b.Assert(); err != nil {
		t.Fatal(err)
	}
	free, ok := b.Free(node)
	if !ok || free.MilliCPU != cores*1000 {
		t.Errorf("%s has %s free, want %d cores", node, free, cores)
	}
}

func TestASlotCountsExactlyWhileItsClaimantIsNotOnItsNode(t *testing.T) {
	b := book("n1", "n2")
	s := hold(t, b, slot("g", "n1", 2, ""))[0]
	wantFree(t, b, "n1", 2)
	b.Claim(s.ID, "a")
	wantFree(t, b, "n1", 2)
	b.SetPod(pod("a", "n1", 2, "g"))
	wantFree(t, b, "n1", 2)
	b.SetPod(pod("a", "n1", 2, "g")) // seen twice
	wantFree(t, b, "n1", 2)
	b.RemovePod("a")
	wantFree(t, b, "n1", 2)
	b.SetPod(pod("a", "n2", 2, "g")) // bound elsewhere
	wantFree(t, b, "n1", 2)
	wantFree(t, b, "n2", 2)
	b.RemovePod("a")
	b.Unclaim(s.ID)
	wantFree(t, b, "n1", 2)
	b.SetPod(pod("a", "n1", 2, "g")) // no longer its claimant
	wantFree(t, b, "n1", 0)
	b.Release(s.ID)
	wantFree(t, b, "n1", 2)
	b.Release(s.ID) // twice does no harm
	wantFree(t, b, "n1", 2)
}

func TestAPodThatIsSeenBeforeItsSlotIsNotCountedTwice(t *testing.T) {
	b := book("n1")
	b.SetPod(pod("a", "n1", 2, "g"))
	b.Adopt(slot("g", "n1", 2, "a"))
	wantFree(t, b, "n1", 2)
	if b.ClaimedBy("a") == nil {
		t.Error("the pod has no slot")
	}
}

func TestASlotMovesToWhereItsClaimantIs(t *testing.T) {
	b := book("n1", "n2")
	first := hold(t, b, slot("g", "n1", 3, "a"))[0]
	b.SetPod(pod("a", "n2", 3, "g"))
	moved := *first
	moved.Node = "n2"
	second := b.Adopt(moved)
	wantFree(t, b, "n1", 4)
	wantFree(t, b, "n2", 1)
	if b.ClaimedBy("a") != second || b.Slot(first.ID) != nil || second.ID == first.ID {
		t.Errorf("the pod claims %+v", b.ClaimedBy("a"))
	}
}

func TestATransactionIsMadeAsAWholeOrNotAtAll(t *testing.T) {
	for name, c := range map[string]struct {
		slots []ledger.Slot
		bad   string // node that is overdrawn; empty if it all fits
	}{
		"it fits to the last core":         {[]ledger.Slot{slot("g", "n1", 2, ""), slot("g", "n1", 1, ""), slot("g", "n2", 4, "")}, ""},
		"one node has too little":          {[]ledger.Slot{slot("g", "n1", 2, ""), slot("g", "n1", 2, ""), slot("g", "n2", 4, "")}, "n1"},
		"a node is unknown":                {[]ledger.Slot{slot("g", "n1", 1, ""), slot("g", "n9", 1, "")}, "n9"},
		"a claimant that is there is free": {[]ledger.Slot{slot("g", "n1", 3, ""), slot("g", "n1", 1, "b")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := book("n1", "n2")
			b.SetPod(pod("b", "n1", 1, "g"))
			before, version := b.View(), b.Holding("g").Version
			txn := b.Begin()
			txn.Hold(c.slots...)
			out, err := txn.Commit()
			if assert := b.Assert(); assert != nil {
				t.Fatal(assert)
			}
			if c.bad == "" {
				if err != nil || len(out) != len(c.slots) || len(b.OfGang("g")) != len(c.slots) {
					t.Fatalf("%d slots, %v", len(out), err)
				}
				return
			}
			var overdrawn *ledger.OverdrawnError
			if !errors.As(err, &overdrawn) || overdrawn.Node != c.bad || err.Error() != "node "+c.bad+" has no room left for a executor of g" {
				t.Fatalf("error %v", err)
			}
			if len(b.OfGang("g")) != 0 || b.Holding("g").Version != version || b.Touched() != nil {
				t.Error("something of it was made")
			}
			for i, row := range b.View().Rows {
				if !row.Free.Equal(before.Rows[i].Free) {
					t.Errorf("%s has %s free, had %s", row.Node.Name, row.Free, before.Rows[i].Free)
				}
			}
		})
	}
}

func TestAnOverdrawnNodeTakesNoSlotOfWhatItLacks(t *testing.T) {
	b := book("n1")
	b.SetPod(pod("x", "n1", 6, "")) // by another scheduler
	free := slot("g", "n1", 0, "")
	txn := b.Begin()
	txn.Hold(free)
	if _, err := txn.Commit(); err != nil {
		t.Errorf("a slot that asks for no CPU: %v", err)
	}
	txn = b.Begin()
	txn.Hold(slot("g", "n1", 1, ""))
	if _, err := txn.Commit(); err == nil {
		t.Error("a slot was entered on an overdrawn node")
	}
}

func TestWhatReleasedRoomATransactionMayUse(t *testing.T) {
	b := book("n1")
	old := hold(t, b, slot("g", "n1", 3, "a"))[0]
	txn := b.Begin()
	txn.Release(old.ID, 999)
	txn.Hold(slot("h", "n1", 4, "a"))
	if row := txn.View().Rows[0]; row.Free.MilliCPU != 0 {
		t.Errorf("%s would be free", row.Free)
	}
	wantFree(t, b, "n1", 1) // a what-if leaves no trace
	if _, err := txn.Commit(); err != nil {
		t.Fatal(err)
	}
	wantFree(t, b, "n1", 0)
	if b.ClaimedBy("a").Gang != "h" || b.Slot(old.ID) != nil {
		t.Errorf("the pod claims %+v", b.ClaimedBy("a"))
	}
}

func TestTwoSlotsForOnePodAreRefusedLoudly(t *testing.T) {
	for name, do := range map[string]func(b *ledger.Book, s *ledger.Slot){
		"by a transaction": func(b *ledger.Book, _ *ledger.Slot) {
			txn := b.Begin()
			txn.Hold(slot("g", "n1", 1, "a"))
			_, _ = txn.Commit()
		},
		"by a second claim":                 func(b *ledger.Book, s *ledger.Slot) { b.Claim(s.ID, "a") },
		"by a claim of a slot that is gone": func(b *ledger.Book, _ *ledger.Slot) { b.Claim(99, "c") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it did not panic")
				}
			}()
			b := book("n1")
			slots := hold(t, b, slot("g", "n1", 1, "a"), slot("g", "n1", 1, ""))
			do(b, slots[1])
		})
	}
}

func TestFreedChangesWheneverAPlanThatFailedMightSucceed(t *testing.T) {
	type counts struct{ freed, nodes, taken bool }
	for name, c := range map[string]struct {
		do   func(*ledger.Book, *ledger.Slot)
		want counts
	}{
		"a node comes":                        {func(b *ledger.Book, _ *ledger.Slot) { b.SetNode(cluster.Node{Name: "n9"}) }, counts{freed: true, nodes: true}},
		"a node goes":                         {func(b *ledger.Book, _ *ledger.Slot) { b.RemoveNode("n1") }, counts{freed: true, nodes: true}},
		"a pod of no gang takes room":         {func(b *ledger.Book, _ *ledger.Slot) { b.SetPod(pod("y", "n1", 1, "")) }, counts{taken: true}},
		"a pod of no gang is seen again":      {func(b *ledger.Book, _ *ledger.Slot) { b.SetPod(pod("x", "n1", 1, "")) }, counts{}},
		"a pod of no gang grows":              {func(b *ledger.Book, _ *ledger.Slot) { b.SetPod(pod("x", "n1", 2, "")) }, counts{taken: true}},
		"a pod of no gang shrinks":            {func(b *ledger.Book, _ *ledger.Slot) { b.SetPod(pod("x", "n1", 0, "")) }, counts{freed: true}},
		"a pod of no gang moves":              {func(b *ledger.Book, _ *ledger.Slot) { b.SetPod(pod("x", "n2", 1, "")) }, counts{freed: true, taken: true}},
		"a pod of a gang takes room":          {func(b *ledger.Book, _ *ledger.Slot) { b.SetPod(pod("y", "n1", 1, "h")) }, counts{}},
		"a pod ends":                          {func(b *ledger.Book, _ *ledger.Slot) { b.RemovePod("x") }, counts{freed: true}},
		"an unknown pod ends":                 {func(b *ledger.Book, _ *ledger.Slot) { b.RemovePod("nobody") }, counts{}},
		"a slot is released":                  {func(b *ledger.Book, s *ledger.Slot) { b.Release(s.ID) }, counts{freed: true}},
		"a claimant comes as planned":         {func(b *ledger.Book, _ *ledger.Slot) { b.SetPod(pod("a", "n1", 2, "g")) }, counts{}},
		"a claimant is smaller than its slot": {func(b *ledger.Book, _ *ledger.Slot) { b.SetPod(pod("a", "n1", 1, "g")) }, counts{freed: true}},
		"a claimant needs no port of its slot": {func(b *ledger.Book, _ *ledger.Slot) {
			ported := slot("g", "n1", 1, "c")
			ported.Shape.HostPorts = []string{"80"}
			b.Adopt(ported)
			b.SetPod(pod("c", "n1", 1, "g"))
		}, counts{freed: true}},
		"a slot is entered": {func(b *ledger.Book, _ *ledger.Slot) { b.Adopt(slot("g", "n2", 1, "z")) }, counts{}},
	} {
		t.Run(name, func(t *testing.T) {
			b := book("n1", "n2")
			b.SetPod(pod("x", "n1", 1, ""))
			s := hold(t, b, slot("g", "n1", 2, "a"))[0]
			before := b.Changes()
			c.do(b, s)
			now := b.Changes()
			if got := (counts{now.Freed != before.Freed, now.Nodes != before.Nodes, now.Taken != before.Taken}); got != c.want {
				t.Errorf("changed: %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestTheRoomWithoutOtherGangsKeepsOnesOwn(t *testing.T) {
	b := book("n1", "n2")
	b.SetPod(pod("x", "n1", 1, ""))
	b.SetPod(pod("a", "n1", 1, "g"))
	b.SetPod(pod("b", "n2", 1, "h"))
	hold(t, b, slot("g", "n1", 1, "a"), slot("g", "n2", 2, ""), slot("h", "n1", 1, ""))
	for name, c := range map[string]struct {
		view cluster.View
		want []int64
	}{
		"as it is":                   {b.View(), []int64{1, 1}},
		"without other gangs than g": {b.WithoutOthers("g", nil), []int64{2, 2}},
		"without any gang":           {b.WithoutOthers("", nil), []int64{3, 4}},
		"without any pod":            {b.Empty(), []int64{4, 4}},
	} {
		var got []int64
		for _, row := range c.view.Rows {
			got = append(got, row.Free.MilliCPU/1000)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v cores are free, want %v", name, got, c.want)
		}
	}
	if v := b.WithoutOthers("", map[string]bool{"n2": true}); len(v.Rows) != 1 || v.Rows[0].Node.Name != "n2" {
		t.Errorf("of n2 alone: %+v", v)
	}
}

func TestAViewStaysAsItWas(t *testing.T) {
	b := book("n1")
	v := b.View()
	hold(t, b, slot("g", "n1", 3, ""))
	if v.Rows[0].Free.MilliCPU != 4000 {
		t.Errorf("the view shows %s free", v.Rows[0].Free)
	}
	if w := b.View(); w.Rows[0].Free.MilliCPU != 1000 {
		t.Errorf("a new one shows %s free", w.Rows[0].Free)
	}
	b.RemoveNode("n1")
	if len(v.Rows) != 1 || len(b.View().Rows) != 0 {
		t.Error("the node left the old view, or not the new one")
	}
}

func TestWhatIsReadIsAsItIsNow(t *testing.T) {
	b := book("n1")
	v := b.View()
	for holds, left := range []int64{4000, 1000} {
		b.Read(func(now cluster.View) {
			if now.Rows[0].Free.MilliCPU != left {
				t.Errorf("after %d holds %s is free", holds, now.Rows[0].Free)
			}
		})
		if holds == 0 {
			hold(t, b, slot("g", "n1", 3, ""))
		}
	}
	if v.Rows[0].Free.MilliCPU != 4000 {
		t.Error("an older view has changed")
	}
}

func TestHostPortsAreTakenBySlotsAndPodsAlike(t *testing.T) {
	b := book("n1")
	s := slot("g", "n1", 1, "a")
	s.Shape.HostPorts = []string{"TCP//80"}
	held := hold(t, b, s)[0]
	if !b.View().Rows[0].Ports["TCP//80"] {
		t.Error("the slot's port is free")
	}
	p := pod("a", "n1", 1, "g")
	p.HostPorts = []string{"TCP//80"}
	b.SetPod(p)
	b.Release(held.ID)
	if !b.View().Rows[0].Ports["TCP//80"] {
		t.Error("the pod's port is free")
	}
	b.RemovePod("a")
	if b.View().Rows[0].Ports["TCP//80"] {
		t.Error("the port is in use by nobody")
	}
}

func TestTouchedNamesNodesWhoseSlotsHaveChanged(t *testing.T) {
	b := book("n1", "n2", "n3")
	slots := hold(t, b, slot("g", "n3", 1, ""), slot("g", "n1", 1, ""))
	if got := b.Touched(); !slices.Equal(got, []string{"n1", "n3"}) {
		t.Errorf("touched: %v", got)
	}
	b.SetPod(pod("x", "n2", 1, ""))
	if got := b.Touched(); got != nil {
		t.Errorf("touched: %v", got)
	}
	b.Claim(slots[0].ID, "a")
	if got := b.Touched(); !slices.Equal(got, []string{"n3"}) {
		t.Errorf("touched: %v", got)
	}
}

func TestASlotIsExpectedUntilItIsClaimed(t *testing.T) {
	b := book("n1")
	want := func(when string, cores int64) {
		t.Helper()
		if got := b.Expected("g"); got.MilliCPU != cores*1000 || b.Assert() != nil {
			t.Errorf("%s %s is expected, want %d cores; %v", when, got, cores, b.Assert())
		}
	}
	s := hold(t, b, slot("g", "n1", 2, ""), slot("g", "n1", 1, "driver"))
	want("at first", 2)
	b.Recharged()
	b.Claim(s[0].ID, "a")
	want("once it is claimed", 0)
	if got := b.Recharged(); !slices.Equal(got, []gang.ID{"g"}) {
		t.Errorf("%v have changed", got)
	}
	b.SetPod(pod("a", "n1", 2, "g"))
	b.RemovePod("a")
	b.Unclaim(s[0].ID)
	want("once its member is lost", 2)
	b.Release(s[0].ID)
	want("once it is given up", 0)
}
