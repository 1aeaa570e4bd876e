package core_test

import (
	"fmt"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
)

// tenantsApp is an application of a namespace whose driver is there.
func tenantsApp(w *coretest.World, namespace, name string, executors int) gang.ID {
	g := gangtest.Spark(name, executors, one)
	g.Owner.Namespace, g.Created = namespace, w.Now
	w.Declare(g)
	w.Pod(g.ID, "driver", name+"-driver", one)
	return g.ID
}

// squat starts an application whose executors never come.
func squat(t *testing.T, w *coretest.World, name string) {
	t.Helper()
	id := app(w, name, 1)
	wantBound(t, w, id, 1)
	w.Pass(core.DefaultOptions().ExpectedTimeout)
	end(w, id, name+"-driver")
}

func end(w *coretest.World, id gang.ID, driver string) {
	w.End(driver, core.Succeeded)
	w.Remove(id)
}

func TestATenantWhoseExecutorsNeverComeWaitsEachTimeTwiceAsLong(t *testing.T) {
	w := world(20, 4)
	for i, wait := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 30 * time.Minute, 30 * time.Minute} {
		squat(t, w, fmt.Sprint("squatter-", i))
		until := w.Now.Add(wait)
		next, other := app(w, fmt.Sprint("next-", i), 1), tenantsApp(w, "other", fmt.Sprint("other-", i), 1)
		group := groupOf(w, fmt.Sprint("group-", i), 2, gang.BelowMinimum{})
		wantBound(t, w, other, 1)
		wantBound(t, w, group, 2) // all of its pods are there
		wantVerdict(t, w, next, gang.BackedOff, fmt.Sprintf("never came, %d times in a row", i+1))
		w.Pass(until.Sub(w.Now) - time.Second)
		wantBound(t, w, next, 0)
		w.Pass(time.Second)
		wantBound(t, w, next, 1)
		end(w, next, fmt.Sprintf("next-%d-driver", i)) // before their executors are due
		end(w, other, fmt.Sprintf("other-%d-driver", i))
	}
}

func TestATenantIsForgivenWhenAllExecutorsHaveCome(t *testing.T) {
	w := world(4, 4)
	app(w, "squatter", 1)
	w.Pass(core.DefaultOptions().ExpectedTimeout / 2)
	honest := app(w, "honest", 2)
	w.Pass(core.DefaultOptions().ExpectedTimeout / 2)
	next := app(w, "next", 1)
	executors(w, honest, "honest", 1, 1)
	wantVerdict(t, w, next, gang.BackedOff, "1 times in a row")
	executors(w, honest, "honest", 2, 2)
	wantBound(t, w, next, 1)
	w.Pass(core.DefaultOptions().ExpectedTimeout)
	wantVerdict(t, w, app(w, "last", 1), gang.BackedOff, "1 times in a row")
}

func TestWhoLosesExecutorsIsNoSquatter(t *testing.T) {
	w := world(4, 4)
	a := app(w, "a", 2)
	executors(w, a, "a", 1, 2)
	w.End("a-exec-1", core.Failed)
	w.Pass(core.DefaultOptions().ExpectedTimeout)
	wantVerdict(t, w, a, gang.Running, "never came")
	wantBound(t, w, app(w, "next", 1), 1)
}

func TestNobodyBacksOffWithoutATime(t *testing.T) {
	o := core.DefaultOptions()
	o.BackOff = 0
	w := coretest.NewWith(o)
	w.Node("n", 4, 16)
	w.Step(core.Synced{})
	squat(t, w, "squatter")
	wantBound(t, w, app(w, "next", 1), 1)
}
