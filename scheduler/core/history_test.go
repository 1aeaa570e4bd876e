package core_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"muster.sh/muster/scheduler/cluster"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/core/coretest"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/gang/gangtest"
	"muster.sh/muster/scheduler/journal"
	"muster.sh/muster/scheduler/numa"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/queue"
	"muster.sh/muster/scheduler/resource"
)

// history is a random history of a world, with the invariants looked at after
// each step.
type history struct {
	*coretest.World
	t      *rapid.T
	steps  int
	names  int // of gangs and pods so far
	before core.Snapshot

	// What is out of order at the moment.
	vetoed  map[string]bool  // role@node
	apart   map[gang.ID]bool // no node takes two of its members that are opaque
	unready map[gang.ID]bool
	broken  map[string]bool // nodes to which every bind fails
	fates   bool
	// tenants says that queues are declared in it; without any it tells more of all else.
	tenants bool
	// budget refuses evictions for a while, and forbidden for good.
	budget, forbidden bool

	// recorded is what the journal has written since the last start.
	recorded bytes.Buffer
	journal  *journal.Writer
	replayed int
	written  written
	moved    moved
	// passed are those that have passed a gang that was booked, booked the steps after which
	// one was.
	passed, booked int
	// parts are the steps after which a gang waited for each part of its demand that queues
	// limit, and granted those after which one was non-preemptible. spared are the moves of
	// others while one was.
	parts           map[queue.Part]int
	granted, spared int
	// late are the steps after which one was booked that had been booked for earlier.
	late int
}

// enough says whether so many histories happen that even what is rare must occur in one of
// them. That is no more than likely in the hundred of a usual run.
func enough() bool {
	checks, err := strconv.Atoi(flag.Lookup("rapid.checks").Value.String())
	return err == nil && checks >= 1000
}

// moved counts the moves that have begun, and those that have led to a start.
type moved struct {
	began, whole, led int
	of                gang.ID
}

func (v *moved) note(m *core.Machine) {
	now, whole := m.MovesFor()
	if now == v.of {
		return
	}
	if whole {
		v.whole++
	}
	if r, ok := m.Record(v.of); ok && r.Phase != core.Waiting && r.Phase != core.Collecting {
		v.led++
	}
	if now != "" {
		v.began++
	}
	v.of = now
}

// strategies of placing. None of them may matter to an invariant.
var strategies = []func([]planner.Sample) planner.Strategy{
	nil,
	func([]planner.Sample) planner.Strategy { return planner.Spread{} },
	func(usual []planner.Sample) planner.Strategy { return planner.Fragmentation{Workload: usual} },
}

func newHistory(t *rapid.T) *history {
	o := core.DefaultOptions()
	o.MaxAttempts = 3 // so that gangs step back before a history ends
	o.AskAfter = 10 * time.Second
	o.Backfill = rapid.SampledFrom([]int{100, 1, 0}).Draw(t, "backfill")
	o.BackOff = rapid.SampledFrom([]time.Duration{0, 10 * time.Second}).Draw(t, "backoff")
	o.Strategy = rapid.SampledFrom(strategies).Draw(t, "strategy")
	if rapid.Bool().Draw(t, "moves") {
		o.Moves = core.Clearing{MaxPods: 3, MaxTries: 100, After: 5 * time.Second, MinRuntime: 20 * time.Second, Cooldown: 20 * time.Second, Timeout: time.Minute}
	}
	if rapid.Bool().Draw(t, "reclaims") {
		o.Reclaim = core.Clearing{MaxPods: 6, MaxTries: 100, After: time.Second, MinRuntime: 2 * time.Second, Cooldown: 20 * time.Second, Timeout: time.Minute}
	}
	h := &history{t: t, World: coretest.NewWith(o), vetoed: map[string]bool{}, apart: map[gang.ID]bool{}, unready: map[gang.ID]bool{}, broken: map[string]bool{}, written: written{}, parts: map[queue.Part]int{}}
	h.Async, h.tenants = true, rapid.Bool().Draw(t, "tenants")
	h.World.Observe = h.observe
	h.Veto = func(m *core.Member, node string) string {
		if h.vetoed[m.Role+"@"+node] {
			return "no volume"
		}
		if m.Shape.Opaque && h.apart[m.Gang] && slices.ContainsFunc(h.On(node), func(p cluster.Pod) bool { return p.ID != m.ID && p.Gang == m.Gang }) {
			return "apart"
		}
		return ""
	}
	h.StoreFails = func(id gang.ID) string {
		if h.unready[id] {
			return "forbidden"
		}
		return ""
	}
	h.Budget = func(gang.PodID) (string, bool) {
		switch {
		case h.forbidden:
			return "forbidden", false
		case h.budget:
			return "a budget", true
		}
		return "", false
	}
	h.World.Fate = func(_ gang.PodID, node string) coretest.Fate {
		switch {
		case h.broken[node]:
			return coretest.Fails
		case h.fates:
			return coretest.Fate(h.number("fate", 0, 2))
		}
		return coretest.Binds
	}
	return h
}

func (h *history) observe(e core.Stamped, out []core.Decision) {
	h.steps++
	if h.journal == nil {
		h.record()
	}
	h.journal.Record(e, out)
	seen := core.Seen{
		Machine: h.Machine, Board: h.Board, Event: e.Event, Out: out, Before: h.before,
		Stored:  func(id gang.ID) []core.ReservedSlot { return h.Stored[id] },
		Leaving: func(id gang.ID) bool { return h.Leaving[id] },
	}
	h.passed += seen.Passed()
	if known, late := h.Machine.Books(); known {
		h.booked++
		if late {
			h.late++
		}
	}
	h.countParts()
	for _, i := range core.Invariants {
		if err := i.Holds(seen); err != nil {
			h.fail("%s: %v", i.Name, err)
		}
	}
	if err := h.written.note(h.Machine, e.Event, out); err != nil {
		h.fail("nothing is written that was written before: %v", err)
	}
	if len(h.Faults) > 0 {
		h.fail("%s", strings.Join(h.Faults, "; "))
	}
	h.moved.note(h.Machine)
	h.before = h.Machine.Snap()
}

func (h *history) countParts() {
	waits, granted := h.Machine.Parts()
	for part := range waits {
		h.parts[part]++
	}
	if granted == 0 {
		return
	}
	h.granted++
	if now, _ := h.Machine.MovesFor(); now != "" && now != h.moved.of {
		h.spared++
	}
}

func (h *history) fail(format string, args ...any) {
	for _, line := range h.Log {
		h.t.Log(line)
	}
	for _, r := range h.Machine.Records() {
		h.t.Log(record(r))
	}
	h.t.Fatalf(format, args...)
}

func (h *history) number(label string, low, high int) int {
	return rapid.IntRange(low, high).Draw(h.t, label)
}

func (h *history) chance(label string, of int) bool { return h.number(label, 0, of) == of }

// pick draws a key of a map; it reports false if there is none.
func pick[K ~string, V any](h *history, label string, from map[K]V, test func(K) bool) (K, bool) {
	var keys []K
	for _, k := range slices.Sorted(maps.Keys(from)) {
		if test == nil || test(k) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return "", false
	}
	return rapid.SampledFrom(keys).Draw(h.t, label), true
}

func (h *history) name(prefix string) string {
	h.names++
	return fmt.Sprintf("%s%d", prefix, h.names)
}

func (h *history) shape() gang.Shape {
	s := gangtest.Shape(int64(h.number("cores", 1, 2)), int64(h.number("gib", 1, 4)))
	if h.chance("zoned", 4) {
		s.Affinity = []gang.Term{{{Key: "zone", Operator: gang.In, Values: []string{"a"}}}}
	}
	if h.chance("with devices", 9) {
		s.Request = s.Request.With("example.com/gpu", int64(h.number("gpus", 1, 2)))
	}
	if h.chance("aligned", 6) {
		s.Aligned = &numa.Demand{Pinned: true, Containers: []numa.Claim{{Asks: s.Request.With(resource.Pods, 0)}}}
	}
	s.Opaque = h.chance("opaque", 2)
	if h.chance("ported", 9) {
		s.HostPorts = []string{"TCP/0.0.0.0/80"}
	}
	return s
}

// crash kills the scheduler; the next one is told what exists, in any order.
func (h *history) crash() {
	h.checkReplay()
	h.Crash(func(line string) bool { return h.chance(line, 1) })
	h.before, h.written = h.Machine.Snap(), written{}
	found := map[gang.ID][]core.ReservedSlot{}
	for _, e := range rapid.Permutation(h.Existing()).Draw(h.t, "existing") {
		if r, ok := e.(core.ReservationFound); ok {
			found[r.Gang] = r.Slots
			h.written.of(r.Gang).slots, h.written.of(r.Gang).stored = r.Slots, true
		}
		h.Step(e)
	}
	h.Step(core.Synced{})
	if err := h.Machine.LostReservations(found); err != nil {
		h.fail("a reservation outlives the scheduler: %v", err)
	}
	for id := range h.Leaving {
		if r, _ := h.Machine.Record(id); h.Leaving[id] && r.Bound > 0 && r.Phase != core.Leaving {
			h.fail("that a gang goes outlives the scheduler: %s is %s", id, r.Phase)
		}
	}
}

// record begins the journal of a machine that has seen nothing.
func (h *history) record() {
	var err error
	if h.journal, err = journal.NewWriter(&h.recorded, journal.Header{Options: h.Options}, 1<<30); err != nil {
		h.t.Fatal(err)
	}
}

// checkReplay feeds what was recorded to a new machine.
func (h *history) checkReplay() {
	if h.journal == nil {
		return
	}
	h.journal.Close()
	if err := h.journal.Run(); err != nil {
		h.t.Fatal(err)
	}
	recorded, err := journal.NewReader(&h.recorded)
	if err != nil {
		h.t.Fatal(err)
	}
	options := recorded.Header.Options
	options.Strategy = h.Options.Strategy
	report, err := journal.Replay(recorded, core.NewMachine(options), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if d := report.Difference; d != nil {
		h.fail("the same events give the same decisions: %s", d)
	}
	if h.replayed += report.Steps; h.replayed != h.steps {
		h.fail("%d of %d events are replayed", h.replayed, h.steps)
	}
	h.recorded.Reset()
	h.journal = nil
}
