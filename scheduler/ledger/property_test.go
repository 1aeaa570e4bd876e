package ledger_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/ledger"
)

// render writes all of a book down that can be seen.
func render(b *ledger.Book) string {
	out := fmt.Sprintf("%+v\n", b.Changes())
	for _, row := range b.View().Rows {
		out += fmt.Sprintf("%s %s %v", row.Node.Name, row.Free, row.Ports)
		for _, s := range b.OnNode(row.Node.Name) {
			out += fmt.Sprintf(" %+v", *s)
		}
		out += "\n"
	}
	return out
}

// TestTheBookIsRightWhateverHappens looks at a book after each of many random
// changes: every index is right, slots are entered only where there is room,
// and what-ifs leave no trace.
func TestTheBookIsRightWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := book("n0", "n1", "n2")
		var slots []ledger.SlotID
		node := rapid.SampledFrom([]string{"n0", "n1", "n2"})
		id := rapid.SampledFrom([]gang.PodID{"a", "b", "c", "d", "e"})
		gangs := rapid.SampledFrom([]gang.ID{"g", "h"})
		draw := func(t *rapid.T) ledger.Slot {
			s := slot(gangs.Draw(t, "gang"), node.Draw(t, "node"), rapid.Int64Range(0, 2).Draw(t, "cores"), "")
			s.Elastic = rapid.Bool().Draw(t, "elastic")
			s.Role = rapid.SampledFrom([]string{"driver", "executor"}).Draw(t, "role")
			if p := id.Draw(t, "claimant"); rapid.Bool().Draw(t, "claimed") && b.ClaimedBy(p) == nil {
				s.Claimant = p
			}
			return s
		}
		some := func(t *rapid.T) (ledger.SlotID, bool) {
			slots = slices.DeleteFunc(slots, func(id ledger.SlotID) bool { return b.Slot(id) == nil })
			if len(slots) == 0 {
				return 0, false
			}
			return rapid.SampledFrom(slots).Draw(t, "slot"), true
		}
		t.Repeat(map[string]func(*rapid.T){
			"a transaction": func(t *rapid.T) {
				txn := b.Begin()
				claimed := map[gang.PodID]bool{}
				for range rapid.IntRange(1, 3).Draw(t, "slots") {
					if s := draw(t); !claimed[s.Claimant] || s.Claimant == "" {
						claimed[s.Claimant] = true
						txn.Hold(s)
					}
				}
				if s, ok := some(t); ok && rapid.Bool().Draw(t, "release") {
					txn.Release(s)
				}
				before := render(b)
				would := txn.View()
				if render(b) != before {
					t.Fatalf("a what-if left a trace")
				}
				if rapid.Bool().Draw(t, "what-if") {
					return
				}
				held, err := txn.Commit()
				if err != nil {
					if render(b) != before {
						t.Fatalf("a transaction that failed left a trace: %v", err)
					}
					return
				}
				for i, row := range b.View().Rows {
					if !row.Free.Equal(would.Rows[i].Free) {
						t.Fatalf("%s has %s free, and should have %s", row.Node.Name, row.Free, would.Rows[i].Free)
					}
				}
				for _, s := range held {
					slots = append(slots, s.ID)
					free, _ := b.Free(s.Node)
					if b.Counts(s) && !s.Shape.Request.Fits(free.Add(s.Shape.Request)) {
						t.Fatalf("%s has %s free after a slot was entered", s.Node, free)
					}
				}
			},
			"a node": func(t *rapid.T) {
				b.SetNode(cluster.Node{Name: node.Draw(t, "node"), Ready: true, Allocatable: gangtest.Shape(rapid.Int64Range(0, 6).Draw(t, "cores"), 64).Request.With("pods", 110)})
			},
			"a node goes": func(t *rapid.T) { b.RemoveNode(node.Draw(t, "node")) },
			"a pod": func(t *rapid.T) {
				b.SetPod(pod(id.Draw(t, "pod"), node.Draw(t, "node"), rapid.Int64Range(0, 3).Draw(t, "cores"), rapid.SampledFrom([]gang.ID{"", "g"}).Draw(t, "gang")))
			},
			"a pod goes": func(t *rapid.T) { b.RemovePod(id.Draw(t, "pod")) },
			"a pod goes with its slot, as was supposed": func(t *rapid.T) {
				p, before := id.Draw(t, "pod"), render(b)
				txn := b.Begin()
				txn.Evict(p)
				would := txn.View()
				if render(b) != before {
					t.Fatalf("a what-if left a trace")
				}
				if !b.RemovePod(p) {
					return
				}
				if s := b.ClaimedBy(p); s != nil {
					b.Release(s.ID)
				}
				for i, row := range b.View().Rows {
					if !row.Free.Equal(would.Rows[i].Free) || !maps.Equal(row.Ports, would.Rows[i].Ports) {
						t.Fatalf("%s is %+v, and should be %+v", row.Node.Name, row, would.Rows[i])
					}
				}
			},
			"a slot is claimed": func(t *rapid.T) {
				s, ok := some(t)
				if p := id.Draw(t, "pod"); ok && b.Slot(s).Claimant == "" && b.ClaimedBy(p) == nil {
					b.Claim(s, p)
				}
			},
			"a slot waits again": func(t *rapid.T) {
				if s, ok := some(t); ok && b.Slot(s).Claimant != "" {
					b.Unclaim(s)
				}
			},
			"a slot is released": func(t *rapid.T) {
				if s, ok := some(t); ok {
					b.Release(s)
				}
			},
			"a slot becomes elastic or not": func(t *rapid.T) {
				if s, ok := some(t); ok {
					b.SetElastic(s, rapid.Bool().Draw(t, "elastic"))
				}
			},
			"a pod is adopted": func(t *rapid.T) {
				s := draw(t)
				s.Claimant = id.Draw(t, "adopted")
				slots = append(slots, b.Adopt(s).ID)
			},
			"": func(t *rapid.T) {
				if err := b.Assert(); err != nil {
					t.Fatal(err)
				}
			},
		})
	})
}
