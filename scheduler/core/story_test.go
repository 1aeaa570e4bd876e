package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
)

// TestStories tells the stories in testdata/stories: what happens, command by
// command, and all that the machine is told and decides. After a change of
// mind, run it with -rewrite and read the difference.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		var s *story
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "cluster" {
				s = newStory()
			}
			s.told.Reset()
			s.do(t, d)
			return s.told.String()
		})
	})
}

type story struct {
	*coretest.World
	told   strings.Builder
	vetoes map[string]bool
	stuck  map[string]bool
}

func newStory() *story {
	s := &story{World: coretest.New(), vetoes: map[string]bool{}, stuck: map[string]bool{}}
	s.Veto = func(m *core.Member, node string) string {
		if s.vetoes[m.Role+"@"+node] {
			return "no volume"
		}
		return ""
	}
	s.StoreFails = func(id gang.ID) string {
		if s.stuck[short(id)] {
			return "forbidden"
		}
		return ""
	}
	s.Observe = func(e core.Stamped, out []core.Decision) {
		fmt.Fprintln(&s.told, event(e.Event))
		for _, d := range out {
			fmt.Fprintln(&s.told, "  →", s.decision(d))
		}
	}
	return s
}

func (s *story) do(t *testing.T, d *datadriven.TestData) {
	arg := func(key string) (v string) { d.ScanArgs(t, key, &v); return v }
	number := func(key string) (v int) { d.ScanArgs(t, key, &v); return v }
	switch d.Cmd {
	case "cluster":
		for i := range number("nodes") {
			s.Node(fmt.Sprintf("n%d", i), int64(number("cores")), 64)
		}
		s.Send(core.Synced{})
		s.told.Reset()
	case "spark":
		s.App(arg("name"), number("executors"), one)
	case "group":
		g := gangtest.Group(arg("name"), number("min"))
		s.Now = s.Now.Add(time.Second)
		g.Created = s.Now
		s.Declare(g)
		for i := range number("pods") {
			s.Pod(g.ID, "", fmt.Sprintf("%s-%d", arg("name"), i), one)
		}
	case "executors":
		executors(s.World, gang.NewID("spark", "default", arg("of")), arg("of"), number("from"), number("to"))
	case "end":
		s.End(arg("pod"), core.End(arg("how")))
	case "app-ends":
		s.End(arg("name")+"-driver", core.Succeeded)
		s.Remove(gang.NewID("spark", "default", arg("name")))
	case "lose-node":
		s.RemoveNode(arg("name"))
	case "other":
		s.Other(arg("pod"), arg("node"), one.Request)
	case "veto":
		toggle(s.vetoes, arg("role")+"@"+arg("node"))
	case "store-fails":
		toggle(s.stuck, arg("gang"))
	case "pass":
		p, err := time.ParseDuration(arg("time"))
		if err != nil {
			t.Fatal(err)
		}
		s.Pass(p)
	case "restart":
		s.Restart()
	case "show":
		for _, r := range s.Machine.Records() {
			fmt.Fprintln(&s.told, record(r))
		}
	default:
		t.Fatalf("unknown command %s", d.Cmd)
	}
}

// short is the name of a gang without kind and namespace.
func short(id gang.ID) string { return string(id[strings.LastIndex(string(id), "/")+1:]) }

func event(e core.Event) string {
	switch e := e.(type) {
	case core.NodeSet:
		return fmt.Sprintf("node %s: %s", e.Node.Name, e.Node.Allocatable)
	case core.NodeGone:
		return fmt.Sprintf("node %s is gone", e.Name)
	case core.GangSet:
		return fmt.Sprintf("gang %s is declared", short(e.Gang.ID))
	case core.GangGone:
		return fmt.Sprintf("gang %s has ended", short(e.ID))
	case core.PodSet:
		if e.Pod.Node == "" {
			return fmt.Sprintf("pod %s waits", e.Pod.Name)
		}
		return fmt.Sprintf("pod %s is on %s", e.Pod.Name, e.Pod.Node)
	case core.PodGone:
		return fmt.Sprintf("pod %s has ended: %s", e.ID, e.End)
	case core.ReservationFound:
		return fmt.Sprintf("a reservation of %s is found: %s", short(e.Gang), slotList(e.Slots))
	case core.Synced:
		return "all that exists is told"
	case core.AtLatch:
		return fmt.Sprintf("%s is at the latch for plan %d", e.ID, e.Epoch)
	case core.Parked:
		return fmt.Sprintf("%s is parked for plan %d: %s", e.ID, e.Epoch, e.Reason)
	case core.ReservationStored:
		return fmt.Sprintf("the reservation of %s for plan %d is stored (%s)", short(e.Gang), e.Epoch, e.Err)
	case core.Tick:
		return "time passes"
	}
	return fmt.Sprintf("%T%+v", e, e)
}

func (s *story) decision(d core.Decision) string {
	switch d := d.(type) {
	case core.Release:
		p, _ := s.Board.Placement(d.Pod)
		return fmt.Sprintf("release %s to %s for plan %d", d.Pod, p.Node, d.Epoch)
	case core.OpenLatch:
		return fmt.Sprintf("open the latch of %s for plan %d", short(d.Gang), d.Epoch)
	case core.ShutLatch:
		return fmt.Sprintf("shut the latch of %s for plan %d: %s", short(d.Gang), d.Epoch, d.Reason)
	case core.StoreReservation:
		return fmt.Sprintf("store for %s: %s", short(d.Gang), slotList(d.Slots))
	case core.DropReservation:
		return fmt.Sprintf("drop the reservation of %s", short(d.Gang))
	case core.Explain:
		return fmt.Sprintf("explain %s: %s", short(d.Gang), d.Verdict)
	case core.Status:
		if d.Phase == core.Collecting && d.Members == 0 {
			return fmt.Sprintf("status of %s: it has no member yet", short(d.Gang))
		}
		return fmt.Sprintf("status of %s: %s, %d of %d bound", short(d.Gang), d.Phase, d.Bound, d.Min)
	}
	return fmt.Sprintf("%T%+v", d, d)
}

func slotList(slots []core.ReservedSlot) string {
	parts := make([]string, len(slots))
	for i, s := range slots {
		parts[i] = s.Role + "@" + s.Node
	}
	return "[" + strings.Join(parts, " ") + "]"
}

func record(r core.Record) string {
	parts := make([]string, len(r.Slots))
	for i, s := range r.Slots {
		parts[i] = s.Role + "@" + s.Node + ":" + s.Pod
	}
	return fmt.Sprintf("%s is %s, %d of %d bound, holds [%s]: %s", short(r.Gang), r.Phase, r.Bound, r.Min, strings.Join(parts, " "), r.Verdict)
}
