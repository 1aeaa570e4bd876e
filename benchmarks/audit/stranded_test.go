package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/benchmarks/audit"
)

// verdict is when a gang was stranded, in seconds of the log.
type verdict struct{ from, until float64 }

func TestStrandedGangs(t *testing.T) {
	const whole = 3
	members := func(b *logBuilder, n int) *logBuilder {
		for i := range n {
			b.create(fmt.Sprintf("m%d", i))
		}
		return b
	}
	cases := []struct {
		name    string
		history func(b *logBuilder)
		min     int
		opts    audit.Options
		want    []verdict
	}{
		{
			name:    "a gang that was never bound is not stranded",
			history: func(b *logBuilder) { members(b, 3).at(100).create("other") },
		},
		{
			name: "a gang bound in one go is not stranded",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").bind("m1", "n").bind("m2", "n").at(100).create("other")
			},
		},
		{
			name: "binds two seconds apart are slow but no stranding",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").at(3).bind("m1", "n").at(5).bind("m2", "n").at(100).create("other")
			},
		},
		{
			name: "two of three bound and the third left waiting is stranded from two seconds on",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").at(2).bind("m1", "n").at(100).create("other")
			},
			want: []verdict{{4, 100}},
		},
		{
			name: "a late bind ends the stranding",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").bind("m1", "n").at(11).bind("m2", "n").at(100).create("other")
			},
			want: []verdict{{3, 11}},
		},
		{
			name: "a bind that the API server answers late was made in time",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").bind("m1", "n").at(2.5).taking(5*time.Second).bind("m2", "n").at(100).create("other")
			},
		},
		{
			name: "each silence between binds counts for itself",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").at(11).bind("m1", "n").at(31).bind("m2", "n").at(100).create("other")
			},
			want: []verdict{{3, 11}, {13, 31}},
		},
		{
			name: "a log that ends while a gang is half-bound says that it stays so",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").at(1.5).create("other")
			},
			want: []verdict{{1.5, 1.5}},
		},
		{
			name: "a log still being written gives the gang its two seconds",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").at(1.5).create("other")
			},
			opts: audit.Options{End: second(2.5)},
		},
		{
			name: "a silent log is judged until the end of the observation",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n")
			},
			opts: audit.Options{End: second(60)},
			want: []verdict{{3, 60}},
		},
		{
			name: "binding members of a gang that doesn't exist whole is stranding",
			history: func(b *logBuilder) {
				members(b, 2).at(1).bind("m0", "n").bind("m1", "n").at(50).create("other")
			},
			want: []verdict{{3, 50}},
		},
		{
			name: "a waiting member that its user deletes explains the shortage",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").bind("m1", "n").at(1.5).remove("m2").at(50).create("other")
			},
		},
		{
			name: "a deletion explains nothing of the time before it",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").bind("m1", "n").at(21).remove("m2").at(50).create("other")
			},
			want: []verdict{{3, 21}},
		},
		{
			name: "a deleted member that was made again is waited for",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").bind("m1", "n").at(1.5).remove("m2").at(1.6).create("m3").at(50).create("other")
			},
			want: []verdict{{3, 50}},
		},
		{
			name: "a gang that shrank after it was whole is its policy's matter",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").bind("m1", "n").bind("m2", "n").
					at(5).phase("m2", corev1.PodFailed).at(6).create("m3").at(100).create("other")
			},
		},
		{
			name: "a member that was bound and failed explains one missing member",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").bind("m1", "n").at(1.2).phase("m1", corev1.PodFailed).
					at(1.5).bind("m2", "n").at(50).create("other")
			},
		},
		{
			name: "a member that failed does not explain two missing ones",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").bind("m1", "n").at(1.2).phase("m1", corev1.PodFailed).
					at(41).create("other")
			},
			want: []verdict{{3, 41}},
		},
		{
			name: "an evicted member does not hold its room for the gang",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").at(1.5).evict("m0").at(50).create("other")
			},
		},
		{
			name: "a gang whose bound members are all deleted is over",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").at(11).remove("m0").at(50).create("other")
			},
			want: []verdict{{3, 11}},
		},
		{
			name: "a lost node explains what happens until the next bind",
			history: func(b *logBuilder) {
				b.node("n", "cpu=9").node("gone", "cpu=9")
				members(b, 3).at(1).bind("m0", "n").at(2).nodeIs("gone", "cpu=9", corev1.ConditionUnknown).
					at(20).bind("m1", "n").at(31).bind("m2", "n").at(50).create("other")
			},
			want: []verdict{{22, 31}},
		},
		{
			name: "a node lost long before the first bind explains nothing",
			history: func(b *logBuilder) {
				b.node("n", "cpu=9").node("gone", "cpu=9").at(0.5).removeNode("gone")
				members(b.at(1), 3).at(10).bind("m0", "n").at(50).create("other")
			},
			want: []verdict{{12, 50}},
		},
		{
			name: "a member on a node that is lost holds no room",
			history: func(b *logBuilder) {
				b.node("n", "cpu=9").node("other", "cpu=9")
				members(b, 3).at(1).bind("m0", "n").at(1.5).removeNode("n").at(50).create("other")
			},
		},
		{
			name: "a member on a lost node holds no room after the next bind either",
			history: func(b *logBuilder) {
				b.node("n", "cpu=9").node("other", "cpu=9")
				members(b, 3).at(1).bind("m0", "n").at(1.5).removeNode("n").at(2).bind("m1", "other").
					at(10).remove("m1").at(50).create("other")
			},
			want: []verdict{{4, 10}},
		},
		{
			name: "an excused time that comes later changes nothing",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").at(50).create("other")
			},
			opts: audit.Options{Excused: []audit.Span{{From: second(20), Until: second(30)}}},
			want: []verdict{{3, 50}},
		},
		{
			name: "time in which the scheduler was stopped by the test does not count",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").bind("m1", "n").at(11).bind("m2", "n").at(100).create("other")
			},
			opts: audit.Options{Excused: []audit.Span{{From: second(1.5), Until: second(10)}}},
		},
		{
			name: "excused times that overlap count once",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").at(31).bind("m1", "n").bind("m2", "n").at(100).create("other")
			},
			opts: audit.Options{Excused: []audit.Span{{From: second(4), Until: second(12)}, {From: second(2), Until: second(10)}}},
			want: []verdict{{13, 31}},
		},
		{
			name: "an excused time is no excuse for the time after it",
			history: func(b *logBuilder) {
				members(b, 3).at(1).bind("m0", "n").bind("m1", "n").at(31).bind("m2", "n").at(100).create("other")
			},
			opts: audit.Options{Excused: []audit.Span{{From: second(1.5), Until: second(10)}}},
			want: []verdict{{11.5, 31}},
		},
		{
			name:    "a longer grace is granted where it is asked for",
			history: func(b *logBuilder) { members(b, 3).at(1).bind("m0", "n").at(9).create("other").at(12).create("one") },
			opts:    audit.Options{Grace: 10 * time.Second},
			want:    []verdict{{11, 12}},
		},
		{
			name:    "a gang of one is never stranded",
			history: func(b *logBuilder) { members(b, 1).at(1).bind("m0", "n").at(50).create("other") },
			min:     1,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newLog(t)
			c.history(b)
			tl := b.timeline()
			if c.min == 0 {
				c.min = whole
			}
			gang := audit.Select(tl, "ns", "gang", c.min, func(p *audit.Pod) bool { return strings.HasPrefix(p.Name, "m") })
			checkStranded(t, audit.StrandedGangs(tl, []audit.Gang{gang}, c.opts), c.want)
		})
	}
}

func TestStrandedSparkApplications(t *testing.T) {
	cases := []struct {
		name    string
		history func(b *logBuilder)
		want    []verdict
	}{
		{
			name: "a driver whose executors come after seven seconds and are bound at once is not stranded",
			history: func(b *logBuilder) {
				b.create("d", driver("app")).bind("d", "n").
					at(7).create("e1", executor("app")).create("e2", executor("app")).
					at(7.1).bind("e1", "n").bind("e2", "n").at(50).create("other")
			},
		},
		{
			name: "a driver that never asks for executors waits for nobody",
			history: func(b *logBuilder) {
				b.create("d", driver("app")).bind("d", "n").at(50).create("other")
			},
		},
		{
			name: "a driver whose executors stay unbound is stranded two seconds after they were created",
			history: func(b *logBuilder) {
				b.create("d", driver("app")).bind("d", "n").
					at(7).create("e1", executor("app")).at(8).create("e2", executor("app")).at(50).create("other")
			},
			want: []verdict{{9, 50}},
		},
		{
			name: "one executor of two bound leaves the application stranded from then on",
			history: func(b *logBuilder) {
				b.create("d", driver("app")).bind("d", "n").
					at(7).create("e1", executor("app")).create("e2", executor("app")).
					at(8).bind("e1", "n").at(50).create("other")
			},
			want: []verdict{{10, 50}},
		},
		{
			name: "an executor that its driver replaces while it waits does not restart the clock",
			history: func(b *logBuilder) {
				b.create("d", driver("app")).bind("d", "n").at(7).create("e1", executor("app")).
					at(8).remove("e1").at(8.1).create("e2", executor("app")).
					at(9.5).remove("e2").at(9.6).create("e3", executor("app")).at(50).create("other")
			},
			want: []verdict{{9.004, 9.5}, {9.6, 50}},
		},
		{
			name: "the driver's deletion ends it",
			history: func(b *logBuilder) {
				b.create("d", driver("app")).bind("d", "n").at(7).create("e1", executor("app")).
					at(20).remove("d").at(50).create("other")
			},
			want: []verdict{{9, 20}},
		},
		{
			name: "executors above the minimum may wait as long as they like",
			history: func(b *logBuilder) {
				b.create("d", driver("app")).bind("d", "n").at(7).create("e1", executor("app")).create("e2", executor("app")).
					at(7.1).bind("e1", "n").bind("e2", "n").at(8).create("e3", executor("app")).at(50).create("other")
			},
		},
		{
			name: "a log that ends at once after the driver asked says that it never got its minimum",
			history: func(b *logBuilder) {
				b.create("d", driver("app")).bind("d", "n").at(7).create("e1", executor("app"))
			},
			want: []verdict{{7, 7}},
		},
		{
			name: "an application in client mode is a gang of its executors",
			history: func(b *logBuilder) {
				b.create("e1", executor("app")).create("e2", executor("app")).at(1).bind("e1", "n").at(50).create("other")
			},
			want: []verdict{{3, 50}},
		},
		{
			name: "another application's executors do not help",
			history: func(b *logBuilder) {
				b.create("d", driver("app")).bind("d", "n").at(7).create("e1", executor("app")).create("e2", executor("app")).
					create("f1", executor("app2")).create("f2", executor("app2")).
					at(7.1).bind("f1", "n").bind("f2", "n").at(50).create("other")
			},
			want: []verdict{{9, 50}},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newLog(t)
			c.history(b)
			tl := b.timeline()
			gangs := audit.SparkApplications(tl, func(audit.SparkApp) int { return 2 })
			checkStranded(t, audit.StrandedGangs(tl, gangs, audit.Options{}), c.want)
		})
	}
}

func TestAFindingSaysWhatIsMissing(t *testing.T) {
	tl := newLog(t).create("d", driver("app")).bind("d", "n").at(7).create("e1", executor("app")).
		create("e2", executor("app")).at(60).create("other").timeline()
	gangs := audit.SparkApplications(tl, func(audit.SparkApp) int { return 2 })
	findings := audit.StrandedGangs(tl, gangs, audit.Options{})
	if len(findings) != 1 {
		t.Fatalf("findings: %v", findings)
	}
	want := "1 of its minimum of 3 members were bound, 1 held room and 2 waited, with no bind since 12:00:07.004, " +
		"and was so when the log ended"
	if findings[0].Detail != want || findings[0].Object != "ns/app" {
		t.Errorf("got  %s: %s\nwant ns/app: %s", findings[0].Object, findings[0].Detail, want)
	}
	if got := audit.Lasted(findings); got != 51*time.Second {
		t.Errorf("stranded for %s, want 51s", got)
	}
}

// checkStranded compares findings with the expected times, to the precision of a
// request's duration.
func checkStranded(t *testing.T, got []audit.Finding, want []verdict) {
	t.Helper()
	near := func(a time.Time, s float64) bool { return a.Sub(second(s)).Abs() <= 5*time.Millisecond }
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = got[i].Kind == audit.Stranded && near(got[i].At, want[i].from) && near(got[i].Until, want[i].until)
	}
	if ok {
		return
	}
	for _, f := range got {
		t.Errorf("found %s from %.3f until %.3f: %s", f.Object, f.At.Sub(epoch).Seconds(), f.Until.Sub(epoch).Seconds(), f.Detail)
	}
	t.Errorf("want %v", want)
}
