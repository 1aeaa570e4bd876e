package core_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
)

// written is what was ordered to be written last of each gang, since it was
// declared or has begun anew.
type written map[gang.ID]*last

type last struct {
	code   gang.Code
	status core.Status
	slots  []core.ReservedSlot
	stored bool
	lacks  []core.Lack
}

// note says whether a decision orders once more what is written already. The
// counts of a verdict, and members that come and are bound one by one, are no
// reason to write.
func (w written) note(m *core.Machine, e core.Event, out []core.Decision) error {
	if gone, ok := e.(core.GangGone); ok {
		delete(w, gone.ID)
	}
	for _, d := range out {
		switch d := d.(type) {
		case core.Explain:
			l := w.of(d.Gang)
			if l.code == d.Verdict.Code {
				return fmt.Errorf("%s of %s", d.Verdict, d.Gang)
			}
			l.code = d.Verdict.Code
		case core.Status:
			l := w.of(d.Gang)
			empty := d.Members == 0 && d.Phase == core.Collecting
			wasEmpty := l.status.Gang != "" && l.status.Members == 0 && l.status.Phase == core.Collecting
			if l.status.Phase == d.Phase && (l.status.Bound >= l.status.Min) == (d.Bound >= d.Min) && empty == wasEmpty {
				return fmt.Errorf("%+v", d)
			}
			l.status = d
		case core.StoreReservation:
			l := w.of(d.Gang)
			if d.Epoch == 0 && l.stored && slices.Equal(l.slots, d.Slots) {
				return fmt.Errorf("the reservation %v of %s", d.Slots, d.Gang)
			}
			l.slots, l.stored = d.Slots, true
		case core.DropReservation:
			w.of(d.Gang).stored = false
		case core.AskForRoom:
			l := w.of(d.Gang)
			if reflect.DeepEqual(l.lacks, d.Lacks) {
				return fmt.Errorf("what %s asks for: %+v", d.Gang, d.Lacks)
			}
			l.lacks = d.Lacks
		case core.AskNoMore:
			w.of(d.Gang).lacks = nil
		}
	}
	for id := range w {
		if _, known := m.Record(id); !known {
			delete(w, id)
		}
	}
	return nil
}

func (w written) of(id gang.ID) *last {
	if w[id] == nil {
		w[id] = &last{}
	}
	return w[id]
}

func TestAGangCostsAsFewWritesWhateverItsSize(t *testing.T) {
	type cost struct{ explains, statuses, reservations int }
	life := func(size int) cost {
		var c cost
		w := coretest.Cluster(size, 3)
		w.Observe = func(_ core.Stamped, out []core.Decision) {
			for _, d := range out {
				switch d.(type) {
				case core.Explain:
					c.explains++
				case core.Status:
					c.statuses++
				case core.StoreReservation, core.DropReservation:
					c.reservations++
				}
			}
		}
		a := w.App("a", size, one)
		executors(w, a, "a", 1, size)
		for i := 1; i <= size; i++ {
			w.End(fmt.Sprintf("a-exec-%d", i), core.Deleted)
		}
		w.End("a-driver", core.Succeeded)
		w.Remove(a)
		g := gangtest.Group("g", size)
		w.Declare(g)
		for i := range size {
			w.Pod(g.ID, "", fmt.Sprintf("g-%d", i), one)
		}
		for i := range size {
			w.End(fmt.Sprintf("g-%d", i), core.Succeeded)
		}
		w.Remove(g.ID)
		return c
	}
	want := life(2)
	for _, size := range []int{3, 10, 100} {
		if got := life(size); got != want {
			t.Errorf("gangs of %d cost %+v, gangs of 2 %+v", size, got, want)
		}
	}
	if want.reservations != 2 {
		t.Errorf("%+v: one reservation is stored and dropped", want)
	}
	t.Logf("%+v for two gangs", want)
}
