package effects

import (
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	tenants "muster.sh/muster/scheduler/queue"
	own "muster.sh/muster/scheduler/resource"
)

func newQueueObject(state volcano.QueueState) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetGroupVersionKind(volcano.SchemeGroupVersion.WithKind("Queue"))
	u.SetName("q")
	u.SetUID("uid-q")
	if state != "" {
		u.Object["status"] = map[string]any{"state": string(state), "completed": int64(7)}
	}
	return u
}

// record is a queue in which a gang runs.
func record(change func(*core.QueueRecord)) []core.QueueRecord {
	r := core.QueueRecord{
		Record: tenants.Record{Name: "q", Declared: true, Created: start, Used: own.Vector{MilliCPU: 1500, Memory: 1 << 30, Pods: 2}},
		Gangs:  map[gang.Code]int{gang.Running: 1},
	}
	if change != nil {
		change(&r)
	}
	return []core.QueueRecord{r}
}

func refused(why string) []core.QueueRecord {
	return record(func(r *core.QueueRecord) { r.Problem = why })
}

func (b *bench) queueStatus() queueStatus {
	b.t.Helper()
	u, err := b.dynamic.Resource(volcanoQueues).Get(b.t.Context(), "q", metav1.GetOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := statusOfQueue(u)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// notes are the texts of all events.
func (b *bench) notes() string {
	b.t.Helper()
	list, err := b.client.EventsV1().Events(metav1.NamespaceDefault).List(b.t.Context(), metav1.ListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	var notes []string
	for _, e := range list.Items {
		notes = append(notes, e.Type+" "+e.Reason+" of "+e.Regarding.Kind+" "+e.Regarding.Name+": "+e.Note)
	}
	return strings.Join(notes, "\n")
}

func TestAQueueIsToldWhatItHas(t *testing.T) {
	b := newBench(t, newQueueObject(volcano.QueueStateUnknown))
	q := newQueueStatuses(&b.cfg)
	q.round(t.Context(), record(func(r *core.QueueRecord) {
		r.Gangs = map[gang.Code]int{
			gang.Collecting: 1, gang.OverQuota: 2, gang.NoRoom: 4, gang.Reserved: 8, gang.Running: 16, gang.Short: 32, gang.Leaving: 64, gang.Kept: 128,
		}
	}))
	b.writes("update queues/status")
	want := volcano.QueueStatus{
		State: volcano.QueueStateOpen, Pending: 7, Inqueue: 8, Running: 16, Unknown: 224, Completed: 7,
		Allocated: v1.ResourceList{"cpu": apiresource.MustParse("1500m"), "memory": apiresource.MustParse("1Gi"), "pods": apiresource.MustParse("2")},
	}
	if got := b.queueStatus().QueueStatus; !equality.Semantic.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestTheStateOfAQueue(t *testing.T) {
	for name, c := range map[string]struct {
		before volcano.QueueState
		change func(*core.QueueRecord)
		want   volcano.QueueState
	}{
		"nobody has said anything":      {"", nil, volcano.QueueStateOpen},
		"refused":                       {volcano.QueueStateOpen, func(r *core.QueueRecord) { r.Problem = "no" }, volcano.QueueStateUnknown},
		"mended":                        {volcano.QueueStateUnknown, nil, volcano.QueueStateOpen},
		"closed while something runs":   {volcano.QueueStateClosed, nil, volcano.QueueStateClosing},
		"closed, and nothing runs":      {volcano.QueueStateClosing, func(r *core.QueueRecord) { r.Used = own.Vector{} }, volcano.QueueStateClosed},
		"closed before it was noted":    {volcano.QueueStateClosing, func(r *core.QueueRecord) { r.Closed = false }, volcano.QueueStateClosing},
		"opened before it was noted":    {volcano.QueueStateOpen, func(r *core.QueueRecord) { r.Closed = true }, volcano.QueueStateOpen},
		"closed, and refused besides":   {volcano.QueueStateClosing, func(r *core.QueueRecord) { r.Problem = "no" }, volcano.QueueStateClosing},
		"opened by taking the word off": {"", func(r *core.QueueRecord) { r.Closed = true }, volcano.QueueStateOpen},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, newQueueObject(c.before))
			newQueueStatuses(&b.cfg).round(t.Context(), record(c.change))
			if got := b.queueStatus().State; got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestAQueueIsToldOfAProblemOncePerChange(t *testing.T) {
	b := newBench(t, newQueueObject(""))
	q := newQueueStatuses(&b.cfg)
	round := func(why string, want ...string) {
		t.Helper()
		b.clock.Step(queueRound)
		q.round(t.Context(), refused(why))
		b.writes(want...)
	}
	round("", "update queues/status")
	round("")
	round("a circle", "create events", "update queues/status")
	round("a circle")
	failNext(&b.dynamic.Fake, "update", "queues", conflict)
	round("no parent", "create events", "update queues/status")
	round("no parent", "update queues/status") // only what has failed is sent again
	if c := b.queueStatus().Conditions; len(c) != 1 || c[0].Status != metav1.ConditionFalse || c[0].Reason != "Refused" || c[0].Message != "no parent" {
		t.Errorf("conditions %+v", c)
	}

	q = newQueueStatuses(&b.cfg) // the next leader
	round("no parent")
	round("", "create events", "update queues/status")
	if c := b.queueStatus().Conditions; len(c) != 1 || c[0].Status != metav1.ConditionTrue || c[0].Message != "" {
		t.Errorf("conditions %+v", c)
	}
	if got, want := b.notes(), "Warning QueueRefused of Queue q: a circle\nWarning QueueRefused of Queue q: no parent\nNormal QueueAccepted of Queue q: what was wrong with its declaration is mended"; got != want {
		t.Errorf("events\n%s\nwant\n%s", got, want)
	}
}

// Volcano's own definition of Queues drops conditions.
func TestWithoutConditionsAProblemIsToldOnceToo(t *testing.T) {
	b := newBench(t, newQueueObject(""))
	b.dynamic.PrependReactor("update", "queues", func(a clienttesting.Action) (bool, runtime.Object, error) {
		u := a.(clienttesting.UpdateAction).GetObject().(*unstructured.Unstructured)
		unstructured.RemoveNestedField(u.Object, "status", "conditions")
		return false, nil, nil
	})
	q := newQueueStatuses(&b.cfg)
	for _, want := range [][]string{{"create events", "update queues/status"}, {}} {
		q.round(t.Context(), refused("a circle"))
		b.writes(want...)
	}
	q.round(t.Context(), record(func(r *core.QueueRecord) { r.Problem, r.Used = "a circle", own.Vector{} }))
	b.writes("update queues/status")
}

func TestWhatFailsForGoodIsNotTriedAgain(t *testing.T) {
	b := newBench(t, newQueueObject(""))
	failNext(&b.dynamic.Fake, "update", "queues", forbidden)
	q := newQueueStatuses(&b.cfg)
	q.round(t.Context(), record(nil))
	b.writes("update queues/status")
	q.round(t.Context(), record(nil))
	b.writes()
}

func TestOnlyQueuesThatExistAreTold(t *testing.T) {
	b := newBench(t)
	q := newQueueStatuses(&b.cfg)
	q.round(t.Context(), record(func(r *core.QueueRecord) { r.Declared = false }))
	if n := len(b.dynamic.Actions()); n != 0 {
		t.Errorf("%d requests for a queue that nobody has declared", n)
	}
	q.round(t.Context(), record(nil)) // it is deleted by now
	b.writes()
	if _, err := b.dynamic.Resource(volcanoQueues).Create(t.Context(), newQueueObject(""), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	q.round(t.Context(), record(func(r *core.QueueRecord) { r.Created = start.Add(time.Minute) }))
	b.writes("create queues", "update queues/status")
}
