package audit_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/benchmarks/audit"
)

// found is what is compared of a finding.
type found struct {
	kind        audit.Kind
	object      string
	from, until float64
	says        string
}

func TestOverCommit(t *testing.T) {
	cases := []struct {
		name    string
		history func(b *logBuilder)
		want    []found
	}{
		{
			name: "a node filled to the brim is not over-committed",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,memory=2Gi,pods=2").create("a", requests("cpu=1,memory=1Gi")).create("b", requests("cpu=1,memory=1Gi")).
					at(1).bind("a", "n").at(2).bind("b", "n").at(9).create("end")
			},
		},
		{
			name: "one millicore too much is found until the end",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,pods=9").create("a", requests("cpu=1")).create("b", requests("cpu=1001m")).
					at(1).bind("a", "n").at(2).bind("b", "n").at(9).create("end")
			},
			want: []found{{audit.OverCommitted, "n", 2, 9, "binding pod ns/b (scheduler scheduler-on-trial) brought cpu to 2001m of 2 allocatable"}},
		},
		{
			name: "memory is counted",
			history: func(b *logBuilder) {
				b.node("n", "cpu=9,memory=1Gi,pods=9").create("a", requests("memory=1Gi")).create("b", requests("memory=1Mi")).
					at(1).bind("a", "n").at(2).bind("b", "n").at(9).create("end")
			},
			want: []found{{audit.OverCommitted, "n", 2, 9, "memory to 1025Mi of 1Gi"}},
		},
		{
			name: "an extended resource is counted",
			history: func(b *logBuilder) {
				b.node("n", "cpu=9,nvidia.com/gpu=1,pods=9").create("a", requests("nvidia.com/gpu=1")).create("b", requests("nvidia.com/gpu=1")).
					at(1).bind("a", "n").at(2).bind("b", "n").at(9).create("end")
			},
			want: []found{{audit.OverCommitted, "n", 2, 9, "nvidia.com/gpu to 2 of 1"}},
		},
		{
			name: "a resource that the node doesn't have at all is over-committed by the first pod",
			history: func(b *logBuilder) {
				b.node("n", "cpu=9,pods=9").create("a", requests("nvidia.com/gpu=1")).at(1).bind("a", "n").at(9).create("end")
			},
			want: []found{{audit.OverCommitted, "n", 1, 9, "nvidia.com/gpu to 1 of 0"}},
		},
		{
			name: "the number of pods is counted",
			history: func(b *logBuilder) {
				b.node("n", "cpu=9,pods=1").create("a").create("b").at(1).bind("a", "n").at(2).bind("b", "n").at(9).create("end")
			},
			want: []found{{audit.OverCommitted, "n", 2, 9, "pods to 2 of 1"}},
		},
		{
			name: "a pod being deleted counts until it is gone",
			history: func(b *logBuilder) {
				b.node("n", "cpu=1,pods=9").create("a").create("b").at(1).bind("a", "n").at(2).remove("a").
					at(3).bind("b", "n").at(5).finish("a").at(9).create("end")
			},
			want: []found{{audit.OverCommitted, "n", 3, 5, "pod ns/b"}},
		},
		{
			name: "a pod that is gone counts no more",
			history: func(b *logBuilder) {
				b.node("n", "cpu=1,pods=9").create("a").create("b").at(1).bind("a", "n").at(2).remove("a").
					at(3).finish("a").at(3.1).bind("b", "n").at(9).create("end")
			},
		},
		{
			name: "a pod that ended counts no more though its object stays",
			history: func(b *logBuilder) {
				b.node("n", "cpu=1,pods=9").create("a").create("b").at(1).bind("a", "n").at(2).phase("a", corev1.PodSucceeded).
					at(3).bind("b", "n").at(9).create("end")
			},
		},
		{
			name: "an evicted pod counts until it is gone",
			history: func(b *logBuilder) {
				b.node("n", "cpu=1,pods=9").create("a").create("b").at(1).bind("a", "n").at(2).evict("a").
					at(3).bind("b", "n").at(5).finish("a").at(9).create("end")
			},
			want: []found{{audit.OverCommitted, "n", 3, 5, "pod ns/b"}},
		},
		{
			name: "a bind answered before the deletion that made its room is no fault while both were in flight",
			history: func(b *logBuilder) {
				b.node("n", "cpu=1,pods=9").create("a").create("b").at(1).bind("a", "n").
					at(2).remove("a").
					at(3).taking(50*time.Millisecond).finish("a").
					at(3.01).taking(10*time.Millisecond).bind("b", "n").
					at(9).create("end")
			},
		},
		{
			name: "a refused bind counts for nothing",
			history: func(b *logBuilder) {
				b.node("n", "cpu=1,pods=9").create("a").create("b").at(1).bind("a", "n").
					at(2).refuse("create", "binding", "b", map[string]any{"target": map[string]string{"name": "n"}}).at(9).create("end")
			},
		},
		{
			name: "pods of two nodes are kept apart",
			history: func(b *logBuilder) {
				b.node("n", "cpu=1,pods=9").node("m", "cpu=1,pods=9").create("a").create("b").
					at(1).bind("a", "n").at(2).bind("b", "m").at(9).create("end")
			},
		},
		{
			name: "a node that shrinks under its pods is overdrawn and nobody's over-commit",
			history: func(b *logBuilder) {
				b.node("n", "cpu=4,pods=9").create("a", requests("cpu=3")).at(1).bind("a", "n").
					at(2).node("n", "cpu=2,pods=9").at(7).node("n", "cpu=4,pods=9").at(9).create("end")
			},
			want: []found{{audit.Overdrawn, "n", 2, 7, "allocatable cpu shrank to 2 with 3 bound"}},
		},
		{
			name: "a bind on an overdrawn node is over-commit",
			history: func(b *logBuilder) {
				b.node("n", "cpu=4,pods=9").create("a", requests("cpu=3")).create("b").at(1).bind("a", "n").
					at(2).node("n", "cpu=2,pods=9").at(4).bind("b", "n").at(9).create("end")
			},
			want: []found{
				{audit.Overdrawn, "n", 2, 4, "shrank"},
				{audit.OverCommitted, "n", 4, 9, "cpu to 4 of 2"},
			},
		},
		{
			name: "a node that grew takes more",
			history: func(b *logBuilder) {
				b.node("n", "cpu=1,pods=9").create("a").create("b").at(1).bind("a", "n").
					at(2).node("n", "cpu=2,pods=9").at(3).bind("b", "n").at(9).create("end")
			},
		},
		{
			name: "of two writes in flight together the newer version is what the node has",
			history: func(b *logBuilder) {
				b.node("n", "cpu=1,pods=9").at(1).taking(50*time.Millisecond).node("n", "cpu=1,pods=9,example.com/old=1").
					taking(10*time.Millisecond).node("n", "cpu=3,pods=9").
					at(2).create("a", requests("cpu=2")).at(3).bind("a", "n").at(9).create("end")
			},
		},
		{
			name: "what the log first says of a node held before",
			history: func(b *logBuilder) {
				b.create("a", requests("cpu=2")).at(1).bind("a", "n").at(5).node("n", "cpu=1,pods=9").at(9).create("end")
			},
			want: []found{{audit.OverCommitted, "n", 1, 9, "cpu to 2 of 1"}},
		},
		{
			name: "a pod created with its node set is counted like a bound one",
			history: func(b *logBuilder) {
				b.node("n", "cpu=1,pods=9").create("a", func(p *corev1.Pod) { p.Spec.NodeName = "n" }).
					create("b").at(2).bind("b", "n").at(9).create("end")
			},
			want: []found{{audit.OverCommitted, "n", 2, 9, "cpu to 2 of 1"}},
		},
		{
			name: "init containers count as kube-scheduler counts them: the greatest, not the sum",
			history: func(b *logBuilder) {
				b.node("n", "cpu=2,pods=9").create("a", requests("cpu=1"), func(p *corev1.Pod) {
					p.Spec.InitContainers = []corev1.Container{{Name: "i", Resources: corev1.ResourceRequirements{Requests: resources("cpu=2")}}}
				}).at(1).bind("a", "n").at(9).create("end")
			},
		},
		{
			name: "overhead counts",
			history: func(b *logBuilder) {
				b.node("n", "cpu=1,pods=9").create("a", requests("cpu=1"), func(p *corev1.Pod) {
					p.Spec.Overhead = resources("cpu=100m")
				}).at(1).bind("a", "n").at(9).create("end")
			},
			want: []found{{audit.OverCommitted, "n", 1, 9, "cpu to 1100m of 1"}},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newLog(t)
			c.history(b)
			tl := b.timeline()
			if len(tl.Gaps) > 0 {
				t.Errorf("gaps: %v", tl.Gaps)
			}
			checkFound(t, audit.OverCommit(tl), c.want)
		})
	}
}

func checkFound(t *testing.T, got []audit.Finding, want []found) {
	t.Helper()
	near := func(a time.Time, s float64) bool { return a.Sub(second(s)).Abs() <= 5*time.Millisecond }
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		f, w := got[i], want[i]
		ok = f.Kind == w.kind && f.Object == w.object && near(f.At, w.from) && near(f.Until, w.until) && strings.Contains(f.Detail, w.says)
	}
	if ok {
		return
	}
	for _, f := range got {
		t.Errorf("found %s %s from %.3f until %.3f: %s", f.Kind, f.Object, f.At.Sub(epoch).Seconds(), f.Until.Sub(epoch).Seconds(), f.Detail)
	}
	t.Errorf("want %+v", want)
}
