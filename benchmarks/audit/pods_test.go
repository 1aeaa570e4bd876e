package audit_test

import (
	"fmt"
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"muster.sh/muster/benchmarks/audit"
)

func node(name, allocatable string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Status: corev1.NodeStatus{
			Allocatable: resources(allocatable),
			Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}
}

// life is a pod's milestones in seconds of the log; -1 where it wasn't reached.
func life(p *audit.Pod) string {
	at := func(m audit.Moment) float64 {
		if !m.Known() {
			return -1
		}
		return m.By.Sub(epoch).Seconds()
	}
	return fmt.Sprintf("%s created %.3f bound %.3f on %q running %.3f ended %.3f deleting %.3f gone %.3f",
		p.Name, at(p.Created), at(p.Bound), p.Node, at(p.Running), at(p.Ended), at(p.Deleting), at(p.Gone))
}

func TestLivesOfPods(t *testing.T) {
	cases := []struct {
		name    string
		history func(b *logBuilder)
		want    []string
	}{
		{
			name: "a pod's whole life",
			history: func(b *logBuilder) {
				b.create("a").at(1).bind("a", "n").at(2).phase("a", corev1.PodRunning).at(3).phase("a", corev1.PodSucceeded).
					at(4).remove("a")
			},
			want: []string{`a created 0.004 bound 1.004 on "n" running 2.004 ended 3.004 deleting 4.004 gone 4.004`},
		},
		{
			name:    "deleting a pod that was never bound ends it at once",
			history: func(b *logBuilder) { b.create("a").at(1).remove("a") },
			want:    []string{`a created 0.004 bound -1.000 on "" running -1.000 ended -1.000 deleting 1.004 gone 1.004`},
		},
		{
			name: "deleting a bound pod asks its node first",
			history: func(b *logBuilder) {
				b.create("a").bind("a", "n").at(1).remove("a").at(2).remove("a").at(3).finish("a")
			},
			want: []string{`a created 0.004 bound 0.004 on "n" running -1.000 ended -1.000 deleting 1.004 gone 3.004`},
		},
		{
			name:    "evicting a pod that was never bound ends it at once",
			history: func(b *logBuilder) { b.create("a").at(1).evict("a") },
			want:    []string{`a created 0.004 bound -1.000 on "" running -1.000 ended -1.000 deleting 1.004 gone 1.004`},
		},
		{
			name: "a pod with a finalizer is gone when the last one is removed",
			history: func(b *logBuilder) {
				b.create("a", func(p *corev1.Pod) { p.Finalizers = []string{"job"} })
				pod := b.pod("a")
				none, now := int64(0), metav1.NewTime(second(1))
				pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &now, &none
				b.at(1).write("delete", "", "a", 200, nil, pod)
				pod.Finalizers = nil
				b.at(2).write("patch", "", "a", 200, nil, pod)
			},
			want: []string{`a created 0.004 bound -1.000 on "" running -1.000 ended -1.000 deleting 1.004 gone 2.004`},
		},
		{
			name: "evicting a pod that has ended removes it at once",
			history: func(b *logBuilder) {
				b.create("a").bind("a", "n").at(1).phase("a", corev1.PodFailed).at(2).evict("a")
			},
			want: []string{`a created 0.004 bound 0.004 on "n" running -1.000 ended 1.004 deleting 2.004 gone 2.004`},
		},
		{
			name: "what is asked of a name after its pod is gone concerns nobody",
			history: func(b *logBuilder) {
				b.create("a").bind("a", "n").at(1).finish("a").at(2).evict("a")
			},
			want: []string{`a created 0.004 bound 0.004 on "n" running -1.000 ended -1.000 deleting 1.004 gone 1.004`},
		},
		{
			name: "a new pod of the same name is another pod",
			history: func(b *logBuilder) {
				b.create("a").bind("a", "n").at(1).remove("a").at(2).finish("a").at(3).create("a").at(4).bind("a", "m")
			},
			want: []string{
				`a created 0.004 bound 0.004 on "n" running -1.000 ended -1.000 deleting 1.004 gone 2.004`,
				`a created 3.004 bound 4.004 on "m" running -1.000 ended -1.000 deleting -1.000 gone -1.000`,
			},
		},
		{
			name: "a bind that names no UID belongs to the pod of that time",
			history: func(b *logBuilder) {
				b.create("a").at(1).bindAs("a", "n", "").at(2).finish("a").at(3).create("a").at(4).bindAs("a", "m", "")
			},
			want: []string{
				`a created 0.004 bound 1.004 on "n" running -1.000 ended -1.000 deleting 2.004 gone 2.004`,
				`a created 3.004 bound 4.004 on "m" running -1.000 ended -1.000 deleting -1.000 gone -1.000`,
			},
		},
		{
			name: "a bind whose record was lost is seen in the next status",
			history: func(b *logBuilder) {
				b.create("a").pod("a").Spec.NodeName = "n"
				b.at(5).phase("a", corev1.PodRunning)
			},
			want: []string{`a created 0.004 bound 5.004 on "n" running 5.004 ended -1.000 deleting -1.000 gone -1.000`},
		},
		{
			name: "a deletion whose record was lost is seen when the name is used again",
			history: func(b *logBuilder) {
				b.create("a").bind("a", "n").at(5).create("a")
			},
			want: []string{
				`a created 0.004 bound 0.004 on "n" running -1.000 ended -1.000 deleting -1.000 gone 5.004`,
				`a created 5.004 bound -1.000 on "" running -1.000 ended -1.000 deleting -1.000 gone -1.000`,
			},
		},
		{
			name: "a deletion whose record was lost is seen when the next one finds nothing",
			history: func(b *logBuilder) {
				b.write("delete", "", "a", http.StatusNotFound, nil, nil) // of the time before it
				b.at(1).create("a").bind("a", "n").at(5).write("delete", "", "a", http.StatusNotFound, nil, nil)
				b.at(6).write("delete", "", "a", http.StatusNotFound, nil, nil)
			},
			want: []string{`a created 1.004 bound 1.004 on "n" running -1.000 ended -1.000 deleting -1.000 gone 5.004`},
		},
		{
			name: "a pod made by a server-side apply is created",
			history: func(b *logBuilder) {
				b.at(1).write("patch", "", "a", http.StatusCreated, nil, b.newPod("a"))
			},
			want: []string{`a created 1.004 bound -1.000 on "" running -1.000 ended -1.000 deleting -1.000 gone -1.000`},
		},
		{
			name: "a pod older than the log is known by its time stamp",
			history: func(b *logBuilder) {
				b.create("a").pod("a").Spec.NodeName = "n"
				b.lines = nil
				b.at(5).phase("a", corev1.PodRunning)
			},
			want: []string{`a created 1.000 bound 5.004 on "n" running 5.004 ended -1.000 deleting -1.000 gone -1.000`},
		},
		{
			name: "deleting all pods of a namespace deletes each of them",
			history: func(b *logBuilder) {
				b.create("a").create("b").at(1).bind("b", "n")
				list := &corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList"}, Items: []corev1.Pod{*b.pod("a"), *b.pod("b")}}
				b.at(2).request(auditv1.ObjectReference{Resource: "pods", Namespace: "ns"}, "deletecollection", 200, nil, list)
			},
			want: []string{
				`a created 0.004 bound -1.000 on "" running -1.000 ended -1.000 deleting 2.004 gone 2.004`,
				`b created 0.004 bound 1.004 on "n" running -1.000 ended -1.000 deleting 2.004 gone -1.000`,
			},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newLog(t)
			c.history(b)
			pods := b.timeline().Pods
			if len(pods) != len(c.want) {
				t.Errorf("%d pods, want %d", len(pods), len(c.want))
			}
			for i := range min(len(pods), len(c.want)) {
				if got := life(pods[i]); got != c.want[i] {
					t.Errorf("\ngot  %s\nwant %s", got, c.want[i])
				}
			}
		})
	}
}

func TestAWatchTellsTheSame(t *testing.T) {
	log := audit.New()
	observe := func(s float64, kind watch.EventType, object any) {
		t.Helper()
		var event watch.Event
		switch o := object.(type) {
		case *corev1.Pod:
			event = watch.Event{Type: kind, Object: o.DeepCopy()}
		case *corev1.Node:
			event = watch.Event{Type: kind, Object: o}
		}
		if err := log.Observe(second(s), event); err != nil {
			t.Fatal(err)
		}
	}
	b := newLog(t)
	first, late := b.newPod("first"), b.newPod("late")
	observe(0, watch.Added, node("n", "cpu=1,pods=9"))
	observe(1, watch.Added, first)
	observe(1, watch.Added, late)
	first.Spec.NodeName = "n"
	observe(2, watch.Modified, first)
	late.Spec.NodeName = "n"
	observe(3, watch.Modified, late)
	now := metav1.NewTime(second(4))
	first.DeletionTimestamp = &now
	observe(4, watch.Modified, first)
	observe(5, watch.Deleted, first)
	observe(9, watch.Deleted, late)

	tl := log.Timeline()
	checkFound(t, audit.OverCommit(tl), []found{{audit.OverCommitted, "n", 3, 5, "binding pod ns/late"}})
	gang := audit.Select(tl, "ns", "g", 2, func(*audit.Pod) bool { return true })
	if times := audit.Times([]audit.Gang{gang})[0]; !times.MinBound.Equal(second(3)) || !times.Ended.Equal(second(9)) {
		t.Errorf("times: %+v", times)
	}
}

func TestAListCompletesALogWithLostRecords(t *testing.T) {
	b := newLog(t).node("n", "cpu=1,pods=9").create("ended").create("gone").create("late").create("unseen").
		at(1).bind("ended", "n").at(2).phase("ended", corev1.PodRunning).
		at(4).bind("gone", "n").at(5).phase("gone", corev1.PodRunning).
		at(7).bind("late", "n").at(9).phase("late", corev1.PodRunning)
	log := b.read()
	checkFound(t, audit.OverCommit(log.Timeline()), []found{{audit.OverCommitted, "n", 4, 9, "ns/gone"}})

	ended, late, unseen := *b.pod("ended"), *b.pod("late"), *b.pod("unseen")
	ended.Status.Phase = corev1.PodSucceeded
	unseen.Spec.NodeName = "n"
	if err := log.Reconcile(second(20), []corev1.Pod{ended, late, unseen}, nil); err != nil {
		t.Fatal(err)
	}
	tl := log.Timeline()
	checkFound(t, audit.OverCommit(tl), []found{{audit.OverCommitted, "n", 20, 20, "ns/unseen"}})
	want := []string{
		`ended created 0.004 bound 1.004 on "n" running 2.004 ended 20.000 deleting -1.000 gone -1.000`,
		`gone created 0.004 bound 4.004 on "n" running 5.004 ended -1.000 deleting -1.000 gone 20.000`,
		`late created 0.004 bound 7.004 on "n" running 9.004 ended -1.000 deleting -1.000 gone -1.000`,
		`unseen created 0.004 bound 20.000 on "n" running -1.000 ended -1.000 deleting -1.000 gone -1.000`,
	}
	for i, pod := range tl.Pods {
		if got := life(pod); got != want[i] {
			t.Errorf("\ngot  %s\nwant %s", got, want[i])
		}
	}
}

func TestASecondTryAfterAnOutageMayHaveTakenEffectBefore(t *testing.T) {
	log := func() *audit.Log {
		return newLog(t).node("n", "cpu=1,pods=9").create("a").create("b").create("c").at(1).bind("a", "n").
			at(5).bind("b", "n").at(6).phase("a", corev1.PodSucceeded).at(9).bind("c", "n").at(10).create("end").read()
	}
	two := []found{{audit.OverCommitted, "n", 5, 6, "ns/b"}, {audit.OverCommitted, "n", 9, 10, "ns/c"}}
	checkFound(t, audit.OverCommit(log().Timeline()), two)
	killed := log()
	killed.Outage(audit.Span{From: second(2), Until: second(4)})
	checkFound(t, audit.OverCommit(killed.Timeline()), two[1:])
	long := log()
	long.Outage(audit.Span{From: second(-60), Until: second(-40)})
	checkFound(t, audit.OverCommit(long.Timeline()), two)
}
