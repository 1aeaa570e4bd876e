package core_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutant is a bug that somebody could make. It is put in through the
// compiler's overlay: the product has no hook for it, and what is changed can
// be read here like a patch.
type mutant struct {
	bug      string
	file     string // in the folder of this test
	old, new string
}

var mutants = []mutant{
	{"a slot goes on counting when its claimant has come", "../ledger/book.go",
		"return !ok || p.Node != s.Node", "return !ok || p.Node != \"\""},
	{"a released slot goes on being shown", "../ledger/book.go",
		"	b.unfile(s)\n	b.slotChanged(s)", "	b.unfile(s)\n	b.changed(s.Node)"},
	{"who hopes for the room of a lost node goes on hoping", "../ledger/book.go",
		"b.changes.Freed++ // who hoped", "// who hoped"},
	{"a plan takes one member more than there is room for", "../planner/plan.go",
		"return int(s.Request.Times(*p.free(i), int64(limit)))", "return min(int(s.Request.Times(*p.free(i), int64(limit)))+1, limit)"},
	{"the youngest goes first", "../queue/fifo.go",
		"a.Created.Compare(b.Created)", "b.Created.Compare(a.Created)"},
	{"priority does not count", "../queue/fifo.go",
		"cmp.Compare(b.Priority, a.Priority)", "0"},
	{"the capability of a queue is not looked at", "../queue/refusal.go",
		"limit, limited := n.Capability.Get(name)\n\tswitch", "limit, limited := int64(0), false\n\tswitch"},
	{"the capability of the queues above is not looked at", "../queue/refusal.go",
		"for at := n; at != nil; at = at.parent {", "for at := n; at == n; at = at.parent {"},
	{"room that is only held is not charged", "../ledger/charge.go",
		"if s != nil && b.Counts(s) {\n		b.charges", "if s != nil && b.Counts(s) && s.Claimant != \"\" {\n		b.charges"},
	{"a gang that changes its queue is charged to the old one", "members.go",
		"	m.charge(decl.ID)\n", ""},
	{"who was hopeless is never looked at again", "offer.go",
		"for id, g := range m.aside {\n\t\tif !m.isHopeless(g) {", "for id, g := range m.aside {\n\t\tif false && !m.isHopeless(g) {"},
	{"who waits for quota is passed by others of the queue", "../queue/turn.go",
		"t.over[n] = true", "t.over[n] = false"},
	{"who has no right to a queue uses it", "tenancy.go",
		"return !m.backsOff(g).IsZero() || m.bars(g) != \"\"", "return !m.backsOff(g).IsZero()"},
	{"who has held room in vain does so again at once", "tenancy.go",
		"return !m.backsOff(g).IsZero() || m.bars(g) != \"\"", "return m.bars(g) != \"\""},
	{"members above the minimum need no quota", "fill.go",
		"if elastic && want.Count > 0 {", "if false {"},
	{"nobody is looked at again when queues have changed", "tenancy.go",
		"		m.touch(m.groups[id])\n", ""},
	{"room that others have taken is still promised", "nodes.go",
		"	m.book.SetPod(p)\n	m.checkSlots(p.Node)", "	m.book.SetPod(p)"},
	{"a pod that seemed to fail to bind is taken off its node", "nodes.go",
		"if m.assumed[id] {", "if true {"},
	{"a veto is kept for ever", "nodes.go",
		"old := !v.until.After(now)", "old := false"},
	{"the latch opens before all have come to it", "latch.go",
		"g.live[released] == 0", "g.live[released] <= 1"},
	{"an answer to an earlier plan is taken for one to this", "start.go",
		"g.phase != Storing || g.epoch != e.Epoch", "g.phase != Storing"},
	{"a failed bind is tried on the same node for ever", "latch.go",
		"case e.Veto || mem.retries > maxRetries:", "case e.Veto:"},
	{"members are released before the reservation is stored", "start.go",
		"if m.book.Holding(g.decl.ID).Unclaimed() == 0 {", "if true {"},
	{"a gang passes another that waits for room", "offer.go",
		"			m.backfill(g)\n			return false", "			m.backfill(g)\n			continue"},
	{"the room of an aborted start stays held", "start.go",
		"	m.releaseAll(g)\n	for _, mem := range g.order {", "	for _, mem := range g.order {"},
	{"members of an aborted start are not turned back", "start.go",
		"m.decide(ShutLatch{Gang: g.decl.ID, Epoch: g.epoch, Reason: reason})", ""},
	{"room that others took is still hoped for", "offer.go",
		"if !g.blocks || now.Taken == g.triedAt.Taken {", "if true {"},
	{"elastic members do not wait for whole gangs", "offer.go",
		"if m.repair() && m.admit() {", "if m.repair(); m.admit() || true {"},
	{"a failed member is not waited for", "members.go",
		"case end == Succeeded, end == Deleted && role.Shrinks:", "case end == Succeeded, end == Failed, end == Deleted && role.Shrinks:"},
	{"the room of a gang that has ended stays held", "members.go",
		"	m.dropReservation(g)\n	m.releaseAll(g)", "	m.dropReservation(g)"},
	{"a gang that is changed while it starts goes by its old minimum", "members.go",
		"	if g.starting() {\n		m.abort(g, \"the gang was changed\")\n	}", ""},
	{"a member that somebody else binds keeps the latch shut", "members.go",
		"	m.openIfWhole(g)\n	if s == nil", "	if s == nil"},
	{"a pod whose deletion hangs keeps its room", "members.go",
		"		m.unplace(mem)\n		m.vacate(g, mem, Deleted)", ""},
	{"a slot is given to a member of another role", "serve.go",
		"return s.Role == mem.Role && ", "return "},
	{"a gang that is bound in part waits like any other", "serve.go",
		"if g.runs() && !g.busy() {", "if false {"},
	{"who came above the minimum is not counted when one of it is lost", "serve.go",
		"case s.Elastic && lack > 0:", "case false:"},
	{"a member that can't be bound waits beside the room of others that wait for it", "fill.go",
		"if m.stuck(g) {", "if false {"},
	{"a gang gets room for more members than its maximum", "fill.go",
		"return r.Max - t.Minimum - t.Elastic", "return r.Max - t.Elastic"},
	{"what an earlier leader reserved is not held again", "recover.go",
		"		m.restoreSlots(g)\n", ""},
	{"members are evicted before it is stored that their gang goes", "leave.go",
		"case g.departure.stored:", "case g.departure.asked:"},
	{"the members of a gang are evicted before its owner, who replaces them", "leave.go",
		"(mem == owner || !alone)", "(mem == owner || !alone || true)"},
	{"a gang that is whole again goes", "leave.go",
		"case g.wholeBy.After(m.now), g.isWhole():", "case g.wholeBy.After(m.now):"},
	{"a gang that goes keeps what it held for members to come", "leave.go",
		"			m.release(g, s.ID)\n", "			_ = s\n"},
	{"the next leader completes a gang that goes", "serve.go",
		"if g.found != nil && g.found.Leaving && m.resumeDeparture(g) {", "if false {"},
	{"room is held for members that never come", "deadline.go",
		"if !t.After(now) {\n			out", "if t.IsZero() {\n			out"},
	{"every change of a count is written", "explain.go",
		"if code == g.explained {", "if code == g.explained && code != gang.Reserved {"},
	{"who waits behind others asks for no room", "ask.go",
		"m.reviewed[e.Gang] = true", "_ = e"},
	{"a gang that has ended goes on asking for room", "deadline.go",
		"	m.askNoMore(m.groups[id])\n", ""},
	{"room is asked for that a started gang may not use", "ask.go",
		"limited && n <= 0 {", "limited && n < 0 {"},
	{"gangs are looked at in the order of a map", "machine.go",
		"	slices.Sort(keys)\n", "	slices.Sort(keys[:0])\n"},
	{"the board goes on showing places that were taken back", "publish.go",
		"b.dropPlacement(id)", ""},
}

// mutantsOfBookings are for histories of bookings.
var mutantsOfBookings = []mutant{
	{"who passes takes the room that is booked", "backfill.go",
		"if shares != nil && p.keeps(", "if shares != nil || p.keeps("},
	{"who passes without a booking goes where the first could", "backfill.go",
		"return m.isUseless(node, &p.wants)", "return !m.isUseless(node, &p.wants) || true"},
	{"who ends too late is taken to end in time", "backfill.go",
		"!p.m.now.Add(startup+d).After(p.m.booked.At)", "!p.m.now.After(p.m.booked.At)"},
	{"in a strict queue the first may be passed", "../queue/turn.go",
		"n := t.tree.known(queue); !n.Backfill", "n := t.tree.known(queue); false && !n.Backfill"},
	{"quota that is being given back for one is taken by others", "offer.go",
		"			if m.movesFor(g) {\n				m.turn.Keep", "			if false {\n				m.turn.Keep"},
	{"a booking relies on gangs that have overrun", "endings.go",
		"known && at.After(m.now) {\n			out", "known {\n			out"},
}

// mutantsOfMoves are bugs in what is moved to make room.
var mutantsOfMoves = []mutant{
	{"members of the minimum are moved", "movable.go",
		"s.Elastic && mem != nil", "mem != nil"},
	{"who has just come is moved", "movable.go",
		"m.ranFor(mem) >= m.clearing(by).MinRuntime", "true"},
	{"who has no room elsewhere is moved", "../victims/proof.go",
		"return missing{want: -1, unit: u}", "return nothing"},
	{"who is not preemptible is moved", "movable.go",
		"!g.isNonPreemptible() && m.book", "m.book"},
	{"a move that takes too long is waited for", "move.go",
		"case !v.until.After(m.now):", "case false:"},
	{"who was to be moved goes though nobody needs the room", "move.go",
		"mem.evicting = false; mem.runs() {", "mem.evicting = false; false {"},
}

// mutantsOfReclaim are bugs in what is taken from others.
var mutantsOfReclaim = []mutant{
	{"a queue loses what it is entitled to", "../queue/claim.go",
		"return left <= n.entitled.Get(name)", "return left <= 0"},
	{"who borrows takes from others", "../queue/claim.go",
		"n.used.All.Get(name)+asked <= n.entitled.Get(name)", "true"},
	{"more is taken back than was lent", "../queue/claim.go",
		"- gone[n].Get(name) + l.Of.Get(name)", ""},
	{"a higher priority gives way", "../queue/claim.go",
		"(l.Priority < c.priority && !c.meek)", "true"},
	{"who has just come gives way", "movable.go",
		"m.ranFor(mem) >= m.clearing(by).MinRuntime", "true"},
	{"who gives way need not", "../victims/greedy.go",
		"set, again = fewer, true", "_ = fewer"},
}

// mutantsOfParts are bugs in what queues limit by itself.
var mutantsOfParts = []mutant{
	{"the limit of what is held for members to come is not looked at", "../queue/demand.go",
		"return n.MaxExpected.Get(name)", "return 0, false"},
	{"the limit of what is non-preemptible is not looked at", "../queue/demand.go",
		"limit, limited = n.MaxNonPreemptible.Get(name)", "limit, limited = 0, false"},
	{"more is non-preemptible than its queue deserves", "../queue/demand.go",
		"return entitled, true", "return 0, false"},
	{"who grows stays non-preemptible", "grant.go",
		"case m.refusesGrant(g, more) == \"\":", "case true:"},
	{"who is not preemptible gives way", "reclaim.go",
		"!g.isNonPreemptible() && !slices", "!slices"},
	{"who waits for a part is passed by others who take of it", "../queue/turn.go",
		"			t.keep(n, what)\n", "			_ = what\n"},
}

// mutantOfQuota is met too rarely by histories of bookings; a story tells of it.
var mutantOfQuota = mutant{"who passes leaves the first no quota", "backfill.go",
	"if !m.queues.Leaves(", "if false && !m.queues.Leaves("}

// checks is how many histories may pass before a seeded bug is caught.
const checks = "2000"

var seededBugs = flag.Bool("seeded-bugs", false, "put in one bug after the other, and see whether the histories tell")

func TestPropertiesCatchSeededBugs(t *testing.T) {
	if !*seededBugs {
		t.Skip("compiles the package once for each seeded bug: make seeded-bugs")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go command to compile the seeded bugs with")
	}
	for test, list := range map[string][]mutant{
		"TestHistories": mutants, "TestHistoriesOfMoves": mutantsOfMoves, "TestHistoriesOfReclaim": mutantsOfReclaim,
		"TestHistoriesOfBookings": mutantsOfBookings, "TestHistoriesOfParts": mutantsOfParts,
		"TestNobodyPassesWithTheQuotaOfTheFirst": {mutantOfQuota},
	} {
		for _, m := range list {
			t.Run(m.bug, func(t *testing.T) {
				t.Parallel()
				m.mustBeCaughtBy(t, test)
			})
		}
	}
}

// mustBeCaughtBy runs a test of histories with the bug.
func (m mutant) mustBeCaughtBy(t *testing.T, test string) {
	t.Helper()
	cmd := exec.Command("go", "test", "-vet", "off", "-overlay", overlay(t, m), "-run", "^"+test+"$", "-timeout", "5m", ".",
		"-rapid.checks", checks, "-rapid.seed", "1", "-rapid.nofailfile", "-rapid.shrinktime", "0s")
	out, err := cmd.CombinedOutput()
	switch text := string(out); {
	case err == nil:
		t.Errorf("no property notices it in %s histories", checks)
	case !strings.Contains(text, "--- FAIL: "+test) && !strings.Contains(text, "panic: "):
		t.Fatalf("it can't be tested: %v\n%s", err, text)
	default:
		t.Log(firstLine(text, "[rapid] failed", "[rapid] panic", "panic: "))
	}
}

// overlay writes the file with the bug, and the JSON by which the compiler
// takes it for the true one.
func overlay(t *testing.T, m mutant) string {
	t.Helper()
	path, err := filepath.Abs(m.file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		t.Fatalf("%q is %d times in %s; bring the list of seeded bugs up to date", m.old, n, m.file)
	}
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	bug := write("bug.go", []byte(strings.Replace(string(text), m.old, m.new, 1)))
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: bug}})
	if err != nil {
		t.Fatal(err)
	}
	return write("overlay.json", list)
}

func firstLine(text string, marks ...string) string {
	for line := range strings.Lines(text) {
		for _, mark := range marks {
			if strings.Contains(line, mark) {
				return strings.TrimSpace(line)
			}
		}
	}
	return text
}
