package effects

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/klog/v2"
	volcano "volcano.sh/apis/pkg/apis/scheduling/v1beta1"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	own "muster.sh/muster/scheduler/resource"
)

var volcanoQueues = volcano.SchemeGroupVersion.WithResource("queues")

const (
	// queueRound is how long it takes at least from one look at the queues to the next.
	queueRound = 3 * time.Second
	// queueAccepted is the condition of a Queue that says whether its declaration can be.
	queueAccepted = "Accepted"
)

// queueStatuses keeps the status of Queues up to date. What a queue has changes with
// nearly every decision, so that it is not told of each: the queues are looked at from
// time to time, and what has changed is written.
type queueStatuses struct {
	*Config
	// told is what was written last of each queue.
	told map[string]queueNews
	// problems are what was wrong with each queue when an event told of it last.
	problems map[string]string
}

// queueNews is what the status of a Queue is made of.
type queueNews struct {
	// created tells a queue from an earlier one of its name.
	created time.Time
	problem string
	// closed says that somebody has closed it.
	closed bool
	used   own.Vector
	// The numbers of its gangs that wait, whose members are starting, that are whole,
	// and that have lost members of their minimum.
	pending, inqueue, running, unknown int32
}

func newQueueStatuses(cfg *Config) *queueStatuses {
	return &queueStatuses{Config: cfg, told: map[string]queueNews{}, problems: map[string]string{}}
}

func newsOf(r *core.QueueRecord) queueNews {
	n := queueNews{created: r.Created, problem: r.Problem, closed: r.Closed, used: r.Used}
	for code, count := range r.Gangs {
		switch code {
		case gang.Reserved:
			n.inqueue += int32(count)
		case gang.Running:
			n.running += int32(count)
		case gang.Short, gang.Leaving, gang.Kept:
			n.unknown += int32(count)
		default:
			n.pending += int32(count)
		}
	}
	return n
}

// run writes what has changed, round after round, until the context ends.
func (q *queueStatuses) run(ctx context.Context) {
	for {
		records, err := q.Queues(ctx)
		if err == nil {
			q.round(ctx, records)
		}
		select {
		case <-q.Clock.After(queueRound):
		case <-ctx.Done():
			return
		}
	}
}

// round tells of each queue what has changed. What fails for a passing reason is tried
// again in the next one.
func (q *queueStatuses) round(ctx context.Context, records []core.QueueRecord) {
	declared := map[string]bool{}
	for i := range records {
		r := &records[i]
		declared[r.Name] = r.Declared
		if news := newsOf(r); r.Declared && !reflect.DeepEqual(q.told[r.Name], news) {
			err := q.tell(ctx, r.Name, news)
			if passes(err) {
				continue
			}
			if err != nil {
				klog.FromContext(ctx).Error(err, "The status of a Queue could not be written", "queue", r.Name)
			}
			q.told[r.Name] = news
		}
	}
	for name := range q.told {
		if !declared[name] {
			delete(q.told, name)
			delete(q.problems, name)
		}
	}
}

// tell brings one Queue up to date.
func (q *queueStatuses) tell(ctx context.Context, name string, news queueNews) error {
	client := q.Dynamic.Resource(volcanoQueues)
	found, err := client.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil // nobody is left to be told
	}
	if err != nil {
		return fmt.Errorf("read Queue %s: %w", name, err)
	}
	old, err := statusOfQueue(found)
	if err != nil {
		return err
	}
	if err := q.complain(ctx, found, old, news); err != nil {
		return fmt.Errorf("send event on Queue %s: %w", name, err)
	}
	status := old.with(news, q.Clock.Now())
	if equality.Semantic.DeepEqual(old, status) {
		return nil
	}
	if found.Object["status"], err = runtime.DefaultUnstructuredConverter.ToUnstructured(&status); err != nil {
		return fmt.Errorf("write status of Queue %s: %w", name, err)
	}
	// Volcano's own definition knows no conditions, and drops them.
	_, err = client.UpdateStatus(ctx, found, metav1.UpdateOptions{FieldValidation: metav1.FieldValidationIgnore})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// queueStatus is Volcano's, and what our definition of Queues has besides.
type queueStatus struct {
	volcano.QueueStatus `json:",inline"`
	Conditions          []metav1.Condition `json:"conditions,omitempty"`
}

func statusOfQueue(u *unstructured.Unstructured) (queueStatus, error) {
	var q struct {
		Status queueStatus `json:"status"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &q); err != nil {
		return queueStatus{}, fmt.Errorf("read status of Queue %s: %w", u.GetName(), err)
	}
	return q.Status, nil
}

// with returns a status with news.
func (s queueStatus) with(n queueNews, now time.Time) queueStatus {
	s.State = n.state(s.State)
	s.Pending, s.Inqueue, s.Running, s.Unknown = n.pending, n.inqueue, n.running, n.unknown
	s.Allocated = amounts(n.used)
	s.Conditions = slices.Clone(s.Conditions)
	meta.SetStatusCondition(&s.Conditions, n.accepted(now))
	return s
}

// state is that of a Queue. Others close it, by Closed or Closing, and open it again, by
// whatever else; which of the two it is, is told here.
func (n *queueNews) state(old volcano.QueueState) volcano.QueueState {
	closed := old == volcano.QueueStateClosed || old == volcano.QueueStateClosing
	switch {
	case closed && n.used.IsZero():
		return volcano.QueueStateClosed
	case closed:
		return volcano.QueueStateClosing
	case n.problem != "":
		return volcano.QueueStateUnknown
	}
	return volcano.QueueStateOpen
}

func (n *queueNews) accepted(now time.Time) metav1.Condition {
	c := metav1.Condition{Type: queueAccepted, Status: metav1.ConditionTrue, Reason: "Accepted", LastTransitionTime: metav1.NewTime(now)}
	if n.problem != "" {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, "Refused", n.problem
	}
	return c
}

// complain sends an event if there is something else wrong with a Queue than before. An
// earlier leader has told of what its condition says.
func (q *queueStatuses) complain(ctx context.Context, found *unstructured.Unstructured, old queueStatus, news queueNews) error {
	name := found.GetName()
	before, known := q.problems[name]
	if c := meta.FindStatusCondition(old.Conditions, queueAccepted); !known && c != nil && c.Status == metav1.ConditionFalse {
		before = c.Message
	}
	if before != news.problem {
		if err := q.sendQueueEvent(ctx, found, news.problem); err != nil {
			return err
		}
	}
	q.problems[name] = news.problem
	return nil
}

func (q *queueStatuses) sendQueueEvent(ctx context.Context, found *unstructured.Unstructured, problem string) error {
	e := happening{
		about: v1.ObjectReference{APIVersion: found.GetAPIVersion(), Kind: found.GetKind(), Name: found.GetName(), UID: found.GetUID()},
		kind:  v1.EventTypeWarning, reason: "QueueRefused", note: problem, at: q.Clock.Now(),
	}
	if problem == "" {
		e.kind, e.reason, e.note = v1.EventTypeNormal, "QueueAccepted", "what was wrong with its declaration is mended"
	}
	return q.sendEvent(ctx, e)
}
