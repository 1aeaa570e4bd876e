// Package queues tells that gangs are charged to tenants' queues.
package queues

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	scheduling "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/test/testcluster"
)

const guide = "../../docs/queues.md"

var (
	queues    = scheduling.SchemeGroupVersion.WithResource("queues")
	podGroups = scheduling.SchemeGroupVersion.WithResource("podgroups")
	events    = eventsv1.SchemeGroupVersion.WithResource("events")
)

func TestGangsAreChargedToTheirQueues(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 4, Shape: "cpu=4,memory=64Gi"})
	s := &story{t: t, ctx: ctx, c: c}

	s.apply("Queue", "Job")
	s.run("train-", 4)
	s.told("scan", "GangOverQuota", "no quota left: queue research may have 6 of cpu, of which 4 is in use, and the gang asks for 4")
	s.status("nlp", scheduling.QueueStatus{State: scheduling.QueueStateOpen, Running: 1, Allocated: cpus(4)}, "")
	s.status("vision", scheduling.QueueStatus{State: scheduling.QueueStateOpen, Pending: 1}, "")
	s.status("research", scheduling.QueueStatus{State: scheduling.QueueStateOpen, Allocated: cpus(4)}, "")
	s.create(testcluster.PodGroup{Name: "free", Members: 2, CPUs: 1})
	s.run("free-", 2)

	if err := c.Outage(ctx, testcluster.MusterComponent); err != nil {
		t.Fatal(err)
	}
	s.create(testcluster.PodGroup{Name: "later", Members: 2, CPUs: 1}) // it is there, and knows again
	s.run("later-", 2)
	if n := testcluster.Count(c.Pods.List(has("scan-")), testcluster.Bound); n != 0 {
		t.Errorf("%d pods of scan are bound after a restart of the scheduler", n)
	}
	s.patch(queues.Resource, "research", `{"spec":{"capability":{"cpu":"8"}}}`)
	s.run("scan-", 4)

	s.create(testcluster.PodGroup{Name: "foreign", Members: 1, CPUs: 1, Queue: "ops"})
	s.told("foreign", "GangBarred", "it can't be charged to its queue: queue ops does not exist; create it, or name another")
	s.createQueue("ops", "", "elsewhere")
	// The same kind of verdict is told once: what is shown now is the right that is lacking.
	s.create(testcluster.PodGroup{Name: "stranger", Members: 1, CPUs: 1, Queue: "ops"})
	s.told("stranger", "GangBarred", "it can't be charged to its queue: namespace default may not use queue ops; name another, or ask an administrator for the right")
	s.patch("namespaces", testcluster.Namespace, `{"metadata":{"labels":{"muster.sh/queue":"ops"}}}`)
	s.run("foreign-", 1)
	s.run("stranger-", 1)

	s.createQueue("lost", "nowhere", "")
	const lost = "spec.parent nowhere does not exist; create it, or name another"
	s.told("lost", "QueueRefused", lost)
	s.status("lost", scheduling.QueueStatus{State: scheduling.QueueStateUnknown}, lost)
	s.createQueue("nowhere", "lost", "")
	const circle = "spec.parent leads in a circle: lost > nowhere > lost; change one of them"
	s.status("lost", scheduling.QueueStatus{State: scheduling.QueueStateUnknown}, circle)
	s.patch(queues.Resource, "nowhere", `{"spec":{"parent":"root"}}`)
	s.told("lost", "QueueAccepted", "what was wrong with its declaration is mended")
	s.status("lost", scheduling.QueueStatus{State: scheduling.QueueStateOpen}, "")

	c.Gangs = func(tl *audit.Timeline) []audit.Gang {
		var gangs []audit.Gang
		for _, job := range []string{"train", "scan"} {
			gangs = append(gangs, audit.Select(tl, testcluster.Namespace, job, 4, func(p *audit.Pod) bool { return strings.HasPrefix(p.Name, job+"-") }))
		}
		return gangs
	}
	c.RequireNoFault(t, 0)
}

// TestAQueueGetsBackWhatItHasLent runs two gangs of a queue that deserves room for one,
// and then one of the queue whose room that is.
func TestAQueueGetsBackWhatItHasLent(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 2, Shape: "cpu=4,memory=64Gi"})
	s := &story{t: t, ctx: ctx, c: c}

	s.apply("Queue")
	// The others of the guide are guaranteed something.
	for _, name := range []string{"nlp", "vision", "research"} {
		if err := c.Dynamic.Resource(queues).Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	s.create(testcluster.PodGroup{Name: "first", Members: 4, CPUs: 1, Queue: "night"})
	s.run("first-", 4)
	s.create(testcluster.PodGroup{Name: "second", Members: 4, CPUs: 1, Queue: "night"})
	s.run("second-", 4)
	s.create(testcluster.PodGroup{Name: "owner", Members: 3, CPUs: 1, Queue: "day"})
	s.run("owner-", 3)
	s.told("first", "GangLeaving", "its members are being evicted: queue night gives back what it has borrowed from queue day, for podgroup owner; 4 members are still bound")

	s.create(testcluster.PodGroup{Name: "more", Members: 2, CPUs: 1, Queue: "day"})
	s.told("more", "GangNoRoom", "not enough room: 1 of 2 default placed, cpu=1 missing in all; of 2 nodes: 2 too little cpu")
	if n := testcluster.Count(c.Pods.List(has("second-")), testcluster.Running); n != 4 {
		t.Errorf("%d pods of second run, which has borrowed nothing", n)
	}
	c.RequireNoFault(t, 0)
}

// TestANonPreemptibleGangDoesNotGiveWay runs two gangs of a queue that deserves room for one,
// and lets another queue take back what is its own. The first would go if it had no claim.
func TestANonPreemptibleGangDoesNotGiveWay(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 2, Shape: "cpu=4,memory=64Gi"})
	s := &story{t: t, ctx: ctx, c: c}
	claim := map[string]string{v1alpha1.NonPreemptibleAnnotation: "true"}

	for _, name := range []string{"day", "night"} {
		s.createQueue(name, "", "")
		s.patch(queues.Resource, name, `{"spec":{"deserved":{"cpu":"4"}}}`)
	}
	s.patch(queues.Resource, "night", `{"metadata":{"annotations":{"muster.sh/max-non-preemptible":"much"}}}`)
	s.told("night", "QueueRefused", `the annotation muster.sh/max-non-preemptible="much" is not a list of resources, each once; set it to one such as cpu=10, memory=40Gi`)
	s.patch(queues.Resource, "night", `{"metadata":{"annotations":{"muster.sh/max-non-preemptible":"cpu=4"}}}`)

	s.create(testcluster.PodGroup{Name: "kept", Members: 4, CPUs: 1, Queue: "night", Annotations: claim})
	s.run("kept-", 4)
	s.create(testcluster.PodGroup{Name: "lent", Members: 4, CPUs: 1, Queue: "night"})
	s.run("lent-", 4)
	s.create(testcluster.PodGroup{Name: "owner", Members: 3, CPUs: 1, Queue: "day"})
	s.run("owner-", 3)
	s.told("lent", "GangLeaving", "its members are being evicted: queue night gives back what it has borrowed from queue day, for podgroup owner; 4 members are still bound")
	s.create(testcluster.PodGroup{Name: "more", Members: 2, CPUs: 1, Queue: "night", Annotations: claim})
	s.told("more", "GangOverQuota", "no quota left: non-preemptible gangs of queue night may have 4 of cpu, of which they have 4, and the gang asks for 2")
	if n := testcluster.Count(c.Pods.List(has("kept-")), testcluster.Running); n != 4 {
		t.Errorf("%d pods of the gang with the claim run", n)
	}
	c.RequireNoFault(t, 0)
}

// TestWhoEndsInTimePassesTheFirst lets a gang wait for room that another one gives back in
// time, with two behind it: one that will have ended by then, and one that does not say so.
func TestWhoEndsInTimePassesTheFirst(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 2, Shape: "cpu=4,memory=64Gi"})
	s := &story{t: t, ctx: ctx, c: c}
	lasting := func(d string) map[string]string { return map[string]string{v1alpha1.RuntimeAnnotation: d} }

	s.create(testcluster.PodGroup{Name: "long", Members: 4, CPUs: 1, Annotations: lasting("2h")})
	s.run("long-", 4)
	s.create(testcluster.PodGroup{Name: "short", Members: 3, CPUs: 1, Annotations: lasting("1h")})
	s.run("short-", 3)
	s.create(testcluster.PodGroup{Name: "first", Members: 4, CPUs: 1})
	s.told("first", "GangNoRoom", "not enough room: 1 of 4 default placed, cpu=3 missing in all; of 2 nodes: 2 too little cpu")
	s.create(testcluster.PodGroup{Name: "late", Members: 1, CPUs: 1}, testcluster.PodGroup{Name: "in-time", Members: 1, CPUs: 1, Runs: time.Second, Annotations: lasting("1m")})
	s.await("in-time- has ended", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.And(has("in-time-"), func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodSucceeded })) == 1
	})
	for _, prefix := range []string{"late-", "first-"} {
		if n := testcluster.Count(c.Pods.List(has(prefix)), testcluster.Bound); n != 0 {
			t.Errorf("%d pods of %s are bound meanwhile", n, prefix)
		}
	}
	if err := c.Dynamic.Resource(podGroups).Namespace(testcluster.Namespace).Delete(ctx, "short", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Pods.List(has("short-")) {
		if err := c.Client().CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, *metav1.NewDeleteOptions(0)); err != nil {
			t.Fatal(err)
		}
	}
	s.run("first-", 4)
	if n := testcluster.Count(c.Pods.List(has("late-")), testcluster.Bound); n != 0 {
		t.Error("one has passed that does not say when it ends")
	}
	c.RequireNoFault(t, 0)
}

// TestASingleServiceIsChargedToItsQueue runs the guide's Deployment, each pod of which is a
// gang by itself, in a queue that has too little for all.
func TestASingleServiceIsChargedToItsQueue(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{Scheduler: testcluster.Muster, Nodes: 2, Shape: "cpu=4,memory=64Gi"})
	s := &story{t: t, ctx: ctx, c: c}

	s.createQueue("shop", "", "")
	s.patch(queues.Resource, "shop", `{"spec":{"capability":{"cpu":"2"},"deserved":{"cpu":"1"}}}`)
	s.createQueue("batch", "", "")
	s.patch(queues.Resource, "batch", `{"spec":{"deserved":{"cpu":"7"}}}`)
	s.apply("Deployment")
	s.run("shop-", 2)
	s.await("one waits, and says why", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.And(has("shop-"), func(p *corev1.Pod) bool {
			return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
				return c.Type == corev1.PodScheduled && strings.Contains(c.Message, "no quota left: queue shop may have 2 of cpu, of which 2 is in use, and the gang asks for 1")
			})
		})) == 1
	})
	s.status("shop", scheduling.QueueStatus{State: scheduling.QueueStateOpen, Running: 2, Pending: 1, Allocated: cpus(2)}, "")
	s.patch(queues.Resource, "shop", `{"spec":{"capability":{"cpu":"3"}}}`)
	s.run("shop-", 3)

	s.create(testcluster.PodGroup{Name: "owner", Members: 7, CPUs: 1, Queue: "batch"}) // to which one of them gives way, and no more
	s.run("owner-", 7)
	if n := testcluster.Count(c.Pods.List(has("shop-")), testcluster.Running); n != 1 {
		t.Errorf("%d pods of the service run, want the one that it deserves", n)
	}
	c.RequireNoFault(t, 0)
}

// story is one cluster with what a test does to it.
type story struct {
	t   *testing.T
	ctx context.Context
	c   *testcluster.Cluster
}

// apply creates what the guide shows of some kinds.
func (s *story) apply(kinds ...string) {
	s.t.Helper()
	if err := s.c.Apply(s.ctx, testcluster.Examples(s.t, guide, kinds...)...); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) create(groups ...testcluster.PodGroup) {
	s.t.Helper()
	if err := s.c.CreatePodGroups(s.ctx, groups...); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) createQueue(name, parent, namespaces string) {
	s.t.Helper()
	q := &unstructured.Unstructured{}
	q.SetAPIVersion(scheduling.SchemeGroupVersion.String())
	q.SetKind("Queue")
	q.SetName(name)
	q.SetAnnotations(map[string]string{"muster.sh/namespaces": namespaces})
	if parent != "" {
		q.Object["spec"] = map[string]any{"parent": parent}
	}
	if err := s.c.Apply(s.ctx, q); err != nil {
		s.t.Fatal(err)
	}
}

// status waits until a Queue's status has these numbers and CPUs, and says what is wrong
// with it; nothing if it is all right.
func (s *story) status(name string, want scheduling.QueueStatus, problem string) {
	s.t.Helper()
	type status struct {
		scheduling.QueueStatus `json:",inline"`
		Conditions             []metav1.Condition `json:"conditions,omitempty"`
	}
	err := s.c.AwaitGlobal(s.ctx, queues, name, "its status is right", func(u *unstructured.Unstructured) bool {
		var q struct {
			Status status `json:"status"`
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &q); err != nil {
			s.t.Fatal(err)
		}
		got, accepted := q.Status, meta.FindStatusCondition(q.Status.Conditions, "Accepted")
		return accepted != nil && accepted.Message == problem && (accepted.Status == metav1.ConditionTrue) == (problem == "") &&
			got.State == want.State && got.Running == want.Running && got.Pending == want.Pending &&
			got.Allocated.Cpu().Cmp(*want.Allocated.Cpu()) == 0
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func cpus(n int64) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: *resource.NewQuantity(n, resource.DecimalSI)}
}

// patch changes an object that is in no namespace.
func (s *story) patch(resource, name, patch string) {
	s.t.Helper()
	kind := queues
	if resource != kind.Resource {
		kind = corev1.SchemeGroupVersion.WithResource(resource)
	}
	if _, err := s.c.Dynamic.Resource(kind).Patch(s.ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// run waits until so many pods run whose names begin so.
func (s *story) run(prefix string, pods int) {
	s.t.Helper()
	s.await(prefix+" runs", func(all []*corev1.Pod) bool {
		return testcluster.Count(all, testcluster.And(has(prefix), testcluster.Running)) == pods
	})
}

// await waits until something is true of the pods.
func (s *story) await(what string, is func([]*corev1.Pod) bool) {
	s.t.Helper()
	if err := s.c.Pods.Await(s.ctx, what, is); err != nil {
		s.t.Fatal(err)
	}
}

// told waits for an event on a gang's owner, and compares what it says.
func (s *story) told(owner, reason, note string) {
	s.t.Helper()
	err := s.c.AwaitAll(s.ctx, events, owner+" is told "+reason, func(list []unstructured.Unstructured) bool {
		for _, e := range list {
			name, _, _ := unstructured.NestedString(e.Object, "regarding", "name")
			if e.Object["reason"] == reason && name == owner {
				if e.Object["note"] != note {
					s.t.Errorf("%s is told %q, want %q", owner, e.Object["note"], note)
				}
				return true
			}
		}
		return false
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func has(prefix string) func(*corev1.Pod) bool {
	return func(p *corev1.Pod) bool { return strings.HasPrefix(p.Name, prefix) }
}
