package queues

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/test/testcluster"
)

const (
	// stays is a finalizer: who has it is there, though it was evicted, until the story
	// lets it go.
	stays = "muster.sh/stays"
	// lent is how many members each gang has that has borrowed, and owned that for which
	// room is made.
	lent, owned = 4, 3
)

// TestWhatIsTakenBackIsTakenOnceWheneverTheSchedulerIsKilled kills it between the steps of
// a reclaim, which it has not stored anywhere.
func TestWhatIsTakenBackIsTakenOnceWheneverTheSchedulerIsKilled(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 2, Shape: "cpu=4,memory=64Gi"})
	s := &story{t: t, ctx: ctx, c: c}
	for _, name := range []string{"day", "night"} {
		s.createQueue(name, "", "")
		s.patch(queues.Resource, name, `{"spec":{"deserved":{"cpu":"4"}}}`)
	}
	for i, moment := range []struct {
		name string
		wait func(*taking)
	}{
		{"before anybody is evicted", func(*taking) {}},
		{"when one is", func(r *taking) { r.evicted(1) }},
		{"when all are", func(r *taking) { r.evicted(lent) }},
		{"when one has gone", func(r *taking) { r.letGo(1) }},
		{"when all have gone", func(r *taking) { r.letGo(lent) }},
		{"when the first of the others is bound", func(r *taking) {
			r.letGo(lent)
			r.await("one is bound", func(pods []*corev1.Pod) bool {
				return slices.ContainsFunc(pods, testcluster.And(has("owner-"), testcluster.Bound))
			})
		}},
	} {
		t.Run(moment.name, func(t *testing.T) {
			r := &taking{story: story{t: t, ctx: ctx, c: c}}
			before := r.evictions()
			r.lend(fmt.Sprintf("first-%d", i), fmt.Sprintf("second-%d", i))
			r.create(testcluster.PodGroup{Name: fmt.Sprintf("owner-%d", i), Members: owned, CPUs: 1, Queue: "day"})
			moment.wait(r)
			if err := c.Outage(ctx, testcluster.MusterComponent); err != nil {
				t.Fatal(err)
			}
			r.letGo(lent)
			r.run("owner-", owned)
			if n := r.evictions() - before; n != lent {
				t.Errorf("%d evictions were granted, want %d", n, lent)
			}
			if n := testcluster.Count(c.Pods.List(staying), testcluster.Running); n != lent {
				t.Errorf("%d of those run that were to be spared, want %d", n, lent)
			}
			r.clear()
		})
	}
	c.RequireNoFault(t, 0)
}

// taking is one time that room is taken back.
type taking struct {
	story
	gone int // evicted pods that have been let go
}

// lend runs two gangs of a queue that deserves room for one.
func (r *taking) lend(gangs ...string) {
	r.t.Helper()
	for _, name := range gangs {
		r.create(testcluster.PodGroup{Name: name, Members: lent, CPUs: 1, Queue: "night", Change: func(p *corev1.Pod) { p.Finalizers = []string{stays} }})
		r.run(name+"-", lent)
	}
}

func staying(p *corev1.Pod) bool { return slices.Contains(p.Finalizers, stays) }

func leaving(p *corev1.Pod) bool { return p.DeletionTimestamp != nil }

// evicted waits until so many have been evicted.
func (r *taking) evicted(n int) {
	r.t.Helper()
	r.await(fmt.Sprintf("%d are evicted", n), func(pods []*corev1.Pod) bool { return testcluster.Count(pods, leaving)+r.gone >= n })
}

// letGo waits until all have been evicted, and lets them go until so many have.
func (r *taking) letGo(n int) {
	r.t.Helper()
	r.evicted(lent)
	for _, p := range r.c.Pods.List(leaving) {
		if r.gone == n {
			break
		}
		r.release(p)
		r.gone++
		r.await(p.Name+" has gone", func(pods []*corev1.Pod) bool {
			return !slices.ContainsFunc(pods, func(now *corev1.Pod) bool { return now.UID == p.UID })
		})
	}
}

// release lets a pod go once it is deleted.
func (r *taking) release(p *corev1.Pod) {
	r.t.Helper()
	patch := []byte(`{"metadata":{"finalizers":null}}`)
	if _, err := r.c.Client().CoreV1().Pods(p.Namespace).Patch(r.ctx, p.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		r.t.Fatal(err)
	}
}

// clear ends all gangs.
func (r *taking) clear() {
	r.t.Helper()
	for _, p := range r.c.Pods.List(staying) {
		r.release(p)
	}
	if err := r.c.Clear(r.ctx); err != nil {
		r.t.Fatal(err)
	}
}

// evictions counts those that were granted so far.
func (r *taking) evictions() int {
	r.t.Helper()
	log, err := audit.Open(r.c.AuditLogPath())
	if err != nil {
		r.t.Fatal(err)
	}
	return audit.Writes(log).All.Sum(func(w audit.Write) bool { return w.Resource == "pods/eviction" }).Done
}
