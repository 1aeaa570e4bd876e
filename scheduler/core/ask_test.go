package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
)

const askAfter = 5 * time.Second

// asking is a world that asks autoscalers for room, and what was decided of that.
type asking struct {
	*coretest.World
	decided []string
}

func newAsking(nodes int, cores int64) *asking {
	o := core.DefaultOptions()
	o.AskAfter = askAfter
	a := &asking{World: coretest.NewWith(o)}
	a.Observe = func(_ core.Stamped, out []core.Decision) {
		for _, d := range out {
			switch d := d.(type) {
			case core.AskForRoom:
				a.decided = append(a.decided, name(d.Gang)+": "+lacks(d.Lacks))
			case core.AskNoMore:
				a.decided = append(a.decided, name(d.Gang)+": no more")
			}
		}
	}
	for i := range nodes {
		a.Node(fmt.Sprintf("n%d", i), cores, 64)
	}
	a.Send(core.Synced{})
	return a
}

func name(id gang.ID) string { return string(id)[strings.LastIndex(string(id), "/")+1:] }

func lacks(in []core.Lack) string {
	var out []string
	for _, l := range in {
		out = append(out, fmt.Sprintf("%s%v+%d of %s", l.Role, l.Pods, l.Expected, l.Shape.Request))
	}
	return strings.Join(out, ", ")
}

// want checks what was decided since the last call.
func (a *asking) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(a.decided, want) {
		t.Fatalf("decided %q, want %q", a.decided, want)
	}
	a.decided = nil
}

const each = " of cpu=1 memory=1Gi pods=1"

func TestRoomIsAskedForAllMembersThatAGangLacksToStart(t *testing.T) {
	w := newAsking(1, 2)
	app(w.World, "a", 3)
	w.Pass(askAfter - time.Second)
	w.want(t)
	w.Pass(time.Second)
	w.want(t, "a: driver[a-driver]+0"+each+", executor[]+3"+each)
	w.Pass(time.Hour)
	w.want(t)
	w.Node("more", 2, 64)
	w.want(t, "a: no more")
}

func TestAPassingLackOfRoomIsNotTold(t *testing.T) {
	w := newAsking(1, 4)
	a := app(w.World, "a", 3)
	app(w.World, "b", 3)
	w.Pass(askAfter - time.Second)
	w.End("a-driver", core.Succeeded)
	w.Remove(a)
	w.Pass(time.Hour)
	w.want(t)
}

func TestNobodyIsAskedWithoutTheOption(t *testing.T) {
	w := world(1, 2)
	w.Observe = func(_ core.Stamped, out []core.Decision) {
		for _, d := range out {
			if ask, asks := d.(core.AskForRoom); asks {
				t.Errorf("decided %+v", ask)
			}
		}
	}
	app(w, "a", 3)
	w.Pass(time.Hour)
}

func TestThoseBehindAskTooWhileTheQueueWaitsForRoom(t *testing.T) {
	w := newAsking(1, 2)
	app(w.World, "a", 3)
	app(w.World, "c", 1) // fits, but too big a gang keeps nobody out
	app(w.World, "b", 1)
	app(w.World, "d", 0)
	w.Pass(askAfter)
	w.want(t, "a: driver[a-driver]+0"+each+", executor[]+3"+each,
		"b: driver[b-driver]+0"+each+", executor[]+1"+each, "d: driver[d-driver]+0"+each)
}

func TestWhatRoomDoesNotCureIsNotAskedFor(t *testing.T) {
	for what, happen := range map[string]func(*asking, gang.ID){
		"it can't be understood any more": func(w *asking, a gang.ID) { w.Refuse(w.Gangs[a], "a mistake") },
		"a member that it needs is gone":  func(w *asking, _ gang.ID) { w.End("a-driver", core.Deleted) },
		"it has ended":                    func(w *asking, a gang.ID) { w.Remove(a) },
		"a node refuses it": func(w *asking, _ gang.ID) {
			w.Veto = func(*core.Member, string) string { return "no volume" }
			w.Node("more", 8, 64)
			w.Pass(time.Minute)
		},
	} {
		w := newAsking(1, 2)
		a := app(w.World, "a", 3)
		w.Pass(askAfter)
		w.decided = nil
		happen(w, a)
		if len(w.decided) == 0 || w.decided[0] != "a: no more" {
			t.Errorf("%s: decided %q", what, w.decided)
		}
	}
}

func TestANeedThatChangesIsAskedForAnew(t *testing.T) {
	w := newAsking(1, 2)
	a := app(w.World, "a", 3)
	w.Pass(askAfter)
	w.decided = nil
	g := w.Gangs[a]
	g.Roles = slices.Clone(g.Roles)
	g.Roles[1].Min, g.Roles[1].Max = 5, 5
	w.Declare(g)
	w.want(t)
	w.Pass(askAfter)
	w.want(t, "a: driver[a-driver]+0"+each+", executor[]+5"+each)
}

func TestAStartedGangAsksForWhatItHasLostAndForMore(t *testing.T) {
	w := newAsking(4, 1)
	g := gangtest.Spark("a", 2, one)
	g.Roles[1].Max = 4
	w.Declare(g)
	w.World.Pod(g.ID, "driver", "a-driver", one)
	executors(w.World, g.ID, "a", 1, 7)
	w.Pass(askAfter)
	// Three run beside the driver, one more may.
	w.want(t, "a: executor[a-exec-4]+0"+each)
	for pod, node := range w.Bound {
		if pod == "a-exec-1" || pod == "a-exec-2" {
			w.RemoveNode(node)
			w.End(string(pod), core.Failed)
		}
	}
	w.Pass(askAfter)
	w.want(t, "a: executor[a-exec-4 a-exec-5 a-exec-6]+0"+each)
}

func TestANewLeaderTakesUpWhatWasAskedFor(t *testing.T) {
	w := newAsking(1, 2)
	a := app(w.World, "a", 3)
	b := app(w.World, "b", 3)
	w.Pass(askAfter)
	w.Remove(b)
	w.End("b-driver", core.Deleted)
	w.Asked[b] = w.Asked[a] // the earlier leader was killed before it could take it back
	w.decided = nil
	w.Restart()
	w.want(t, "b: no more")
	w.Pass(askAfter)
	w.want(t, "a: driver[a-driver]+0"+each+", executor[]+3"+each)
	if len(w.Asked) != 1 {
		t.Errorf("asked for %v", w.Asked)
	}
}

func TestANewLeaderTakesNothingBackBeforeItKnowsTheGang(t *testing.T) {
	for what, c := range map[string]struct {
		happen func(*asking, gang.Gang)
		want   []string
	}{
		"it is declared": {
			func(w *asking, g gang.Gang) { w.Declare(g); w.Pass(core.DefaultOptions().CollectTimeout) },
			[]string{"a: driver[a-driver]+0" + each + ", executor[]+3" + each},
		},
		"it can't be understood": {func(w *asking, g gang.Gang) { w.Refuse(g, "a mistake") }, []string{"a: no more"}},
		"it ends":                {func(w *asking, _ gang.Gang) { w.End("a-driver", core.Deleted) }, []string{"a: no more"}},
		"nothing comes":          {func(w *asking, _ gang.Gang) { w.Pass(core.DefaultOptions().CollectTimeout) }, []string{"a: no more"}},
	} {
		t.Run(what, func(t *testing.T) {
			w := newAsking(1, 2)
			a := app(w.World, "a", 3)
			w.Pass(askAfter)
			g := w.Gangs[a]
			delete(w.Gangs, a) // its settings are read a moment later
			w.decided = nil
			w.Restart()
			w.want(t)
			c.happen(w, g)
			w.want(t, c.want...)
		})
	}
}
