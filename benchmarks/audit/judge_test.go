package audit_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/benchmarks/audit"
)

const schedulerAgent = "kube-scheduler/v1.37.2 (linux/amd64) kubernetes/abcdef0/scheduler"

func TestWrites(t *testing.T) {
	b := newLog(t).create("a").create("b").
		by(schedulerAgent, "system:kube-scheduler").
		refuse("create", "binding", "a", nil).bind("a", "n").bind("b", "n").
		by("kwok/v0.8.0 (linux/amd64) kubernetes/$Format", "system:node:n7").phase("a", corev1.PodRunning).phase("b", corev1.PodRunning)
	b.object("update", "scheduling.volcano.sh", "PodGroup", "g", nil)
	log := b.by(schedulerAgent, "system:kube-scheduler").event("a.17f0").event("a.17f1").event("g.17f2").read()

	writes := audit.Writes(log)
	bind := audit.Write{Verb: "create", Resource: "pods/binding", Agent: "kube-scheduler/scheduler", User: "system:kube-scheduler"}
	status := audit.Write{Verb: "patch", Resource: "pods/status", Agent: "kwok", User: "system:nodes"}
	create := audit.Write{Verb: "create", Resource: "pods", Agent: "kubectl", User: "admin"}
	group := audit.Write{Verb: "update", Resource: "podgroups.scheduling.volcano.sh", Agent: "kwok", User: "system:nodes"}
	event := audit.Write{Verb: "create", Resource: "events", Agent: "kube-scheduler/scheduler", User: "system:kube-scheduler"}
	checkCounts(t, "all", writes.All, audit.Counts{bind: {Done: 2, Failed: 1}, status: {Done: 2}, create: {Done: 2}, group: {Done: 1}})
	checkCounts(t, "all events", writes.Events, audit.Counts{event: {Done: 3}})

	pods := log.Timeline().Pods
	ofA, eventsOfA := writes.Pod(pods[0])
	checkCounts(t, "pod a", ofA, audit.Counts{bind: {Done: 1, Failed: 1}, status: {Done: 1}, create: {Done: 1}})
	checkCounts(t, "events of pod a", eventsOfA, audit.Counts{event: {Done: 2}})

	gang := audit.Gang{Members: pods, Objects: []audit.ObjectName{{Resource: "podgroups.scheduling.volcano.sh", Namespace: "ns", Name: "g"}}}
	ofGang, eventsOfGang := writes.Gang(gang)
	checkCounts(t, "gang", ofGang, writes.All)
	checkCounts(t, "events of the gang", eventsOfGang, writes.Events)
	if sum := ofGang.Sum(func(w audit.Write) bool { return w.Agent == "kube-scheduler/scheduler" }); sum != (audit.Count{Done: 2, Failed: 1}) {
		t.Errorf("the scheduler's writes: %+v", sum)
	}
}

func TestRepeatsAreWhatIsWrittenAfterTheFirst(t *testing.T) {
	b := newLog(t).create("a").create("b").create("other").by(schedulerAgent, "system:kube-scheduler")
	for range 3 {
		b.phase("a", corev1.PodPending).phase("other", corev1.PodPending)
	}
	b.phase("b", corev1.PodPending).event("a.17f0").event("a.17f1").event("b.17f2")
	writes := audit.Writes(b.by("kwok/v0.8.0", "kwok").phase("b", corev1.PodRunning).read())

	named := func(o audit.ObjectName) bool { return o.Name == "a" || o.Name == "b" }
	byScheduler := func(w audit.Write) bool { return w.User == "system:kube-scheduler" }
	if got := writes.Repeats(named, byScheduler); got != 3 {
		t.Errorf("%d repeats, want 2 of the status of a and 1 of its events", got)
	}
}

func checkCounts(t *testing.T, of string, got, want audit.Counts) {
	t.Helper()
	for write, count := range want {
		if got[write] != count {
			t.Errorf("%s: %+v: %+v, want %+v", of, write, got[write], count)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %+v, want %+v", of, got, want)
	}
}

func TestTimesOfAGang(t *testing.T) {
	b := newLog(t).taking(0).create("d", driver("app")).at(1).bind("d", "n").at(2).phase("d", corev1.PodRunning).
		at(7).create("e1", executor("app")).at(8).create("e2", executor("app")).at(9).create("e3", executor("app")).
		at(9.5).bind("e1", "n").at(10).bind("e2", "n").at(20).bind("e3", "n").
		at(21).phase("e1", corev1.PodRunning).phase("e2", corev1.PodRunning)
	gangs := audit.SparkApplications(b.timeline(), func(app audit.SparkApp) int { return len(app.Executors) - 1 })
	times := audit.Times(gangs)
	if len(times) != 1 {
		t.Fatalf("%d gangs", len(times))
	}
	got := times[0]
	for name, c := range map[string]struct {
		got  time.Time
		want float64
	}{
		"created": {got.Created, 0}, "whole": {got.Whole, 8}, "first bind": {got.FirstBind, 1},
		"minimum bound": {got.MinBound, 10}, "minimum runs": {got.MinRuns, 21},
	} {
		if !c.got.Equal(second(c.want)) {
			t.Errorf("%s at %s, want %s", name, c.got, second(c.want))
		}
	}
	if !got.Ended.IsZero() {
		t.Errorf("ended at %s", got.Ended)
	}
	if latency, ok := got.StartLatency(); !ok || latency != 10*time.Second {
		t.Errorf("start latency %s, %v", latency, ok)
	}
	if spread, ok := got.Spread(); !ok || spread != 9*time.Second {
		t.Errorf("spread %s, %v", spread, ok)
	}
}

func TestVolcanoPodGroups(t *testing.T) {
	group := "scheduling.k8s.io/group-name"
	b := newLog(t).object("create", "scheduling.volcano.sh", "PodGroup", "g", map[string]any{"minMember": 2}).
		object("create", "scheduling.k8s.io", "PodGroup", "g", map[string]any{"minMember": 9}).
		create("a", annotation(group, "g")).create("b", annotation(group, "g")).create("c")
	gangs, err := audit.VolcanoPodGroups(b.timeline())
	if err != nil {
		t.Fatal(err)
	}
	if len(gangs) != 1 || gangs[0].Min != 2 || len(gangs[0].Members) != 2 || gangs[0].Expects {
		t.Errorf("gangs: %+v", gangs)
	}
	b.create("d", annotation(group, "unknown"))
	if _, err := audit.VolcanoPodGroups(b.timeline()); err == nil || !strings.Contains(err.Error(), "ns/unknown") {
		t.Errorf("error: %v", err)
	}
}

func TestVerdict(t *testing.T) {
	b := newLog(t).node("n", "cpu=2,pods=9").create("m0").create("m1").create("m2").create("greedy", requests("cpu=2")).
		by(schedulerAgent, "system:kube-scheduler").at(1).bind("m0", "n").at(5).bind("greedy", "n").at(6).event("m0.1")
	log := b.read()
	tl := log.Timeline()
	reservation := held(1, 0.5)
	gang := audit.Select(tl, "ns", "g", 3, func(p *audit.Pod) bool { return strings.HasPrefix(p.Name, "m") })
	verdict := audit.Judge(log, tl, audit.Case{Gangs: []audit.Gang{gang}, Reservations: []audit.Reservation{reservation}})

	var text strings.Builder
	if err := verdict.Render(&text); err != nil {
		t.Fatal(err)
	}
	want := `pods bound             2
gangs started          0 of 1
stranded gangs         1, 3.0 gang-seconds
over-committed nodes   1
binds on reserved room 1
writes                 7, 0 refused
  create pods          4  kubectl as admin
  create pods/binding  2  kube-scheduler/scheduler as system:kube-scheduler
  patch nodes/status   1  kubectl as admin
events                 1, 0 refused
  create events        1  kube-scheduler/scheduler as system:kube-scheduler
12:00:03.000 stranded gang: ns/g: 1 of its minimum of 3 members were bound, 1 held room and 2 waited, with no bind since 12:00:01.000, and was so when the log ended (for 3.004s)
12:00:05.004 over-commit: n: binding pod ns/greedy (scheduler scheduler-on-trial) brought cpu to 3 of 2 allocatable (for 1s)
12:00:05.004 stolen room: ns/greedy: bound to n by scheduler scheduler-on-trial with 2 of cpu: 3 are bound and 1 still reserved for others (ns/r) of 2 allocatable
`
	if got := text.String(); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := verdict.Err(); err == nil || !strings.Contains(err.Error(), "3 faults, the first: stranded gang: ns/g") {
		t.Errorf("error: %v", err)
	}
}

func TestACleanRunHasNoErrorAndAnIncompleteOneHas(t *testing.T) {
	b := newLog(t).node("n", "cpu=2,pods=9").create("a").bind("a", "n")
	log := b.read()
	if err := audit.Judge(log, log.Timeline(), audit.Case{}).Err(); err != nil {
		t.Errorf("a clean run: %v", err)
	}
	b.lines = append(b.lines, "garbage", b.lines[0])
	log = b.read()
	if err := audit.Judge(log, log.Timeline(), audit.Case{}).Err(); err == nil || !strings.Contains(err.Error(), "1 lines") {
		t.Errorf("an incomplete run: %v", err)
	}
	b.at(5).node("n", "cpu=0,pods=9")
	b.lines = b.lines[:len(b.lines):len(b.lines)]
	b.lines[3] = b.lines[0]
	log = b.read()
	verdict := audit.Judge(log, log.Timeline(), audit.Case{})
	if err := verdict.Err(); err != nil || len(verdict.Findings) != 1 {
		t.Errorf("a node that shrank is nobody's fault: %v, %v", err, verdict.Findings)
	}
}
