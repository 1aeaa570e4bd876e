package effects

import (
	"context"
	"fmt"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

const (
	evictors = 4
	// Disruption budgets refuse for long: until other pods are healthy again.
	firstEvictionPause = 500 * time.Millisecond
	longEvictionPause  = 30 * time.Second
)

// evictions are the pods that are to be evicted. Each is tried by itself, and
// beside all other writes: a disruption budget may refuse one for hours.
type evictions struct {
	cfg   *Config
	queue queue[gang.PodID]

	mu     sync.Mutex
	wanted map[gang.PodID]*eviction
}

// eviction is one that is not done yet.
type eviction struct {
	core.Evict
	// refused says that core knows that it does not succeed at once.
	refused bool
}

func newEvictions(cfg *Config) *evictions {
	return &evictions{
		cfg: cfg, wanted: map[gang.PodID]*eviction{},
		queue: newQueue[gang.PodID](cfg.Clock, firstEvictionPause, longEvictionPause),
	}
}

func (e *evictions) want(d core.Evict) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wanted[d.Pod] = &eviction{Evict: d}
	e.queue.Add(d.Pod)
}

// spare takes an eviction back. One that is being sent may still be done.
func (e *evictions) spare(id gang.PodID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.wanted, id)
}

func (e *evictions) get(id gang.PodID) *eviction {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.wanted[id]
}

// done forgets an eviction, unless it was taken back meanwhile or is wanted anew.
func (e *evictions) done(w *eviction) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.wanted[w.Pod] == w {
		delete(e.wanted, w.Pod)
	}
}

// run sends evictions until the context ends, and returns once none is being
// sent any more.
func (e *evictions) run(ctx context.Context) { drain(ctx, e.queue, evictors, e.next) }

// next tries one eviction, and reports false at the end.
func (e *evictions) next(ctx context.Context) bool {
	id, end := e.queue.Get()
	if end {
		return false
	}
	defer e.queue.Done(id)
	w := e.get(id)
	if w == nil {
		e.queue.Forget(id)
		return true
	}
	err := e.send(ctx, w)
	if ctx.Err() != nil {
		return false
	}
	e.answer(ctx, w, err)
	return true
}

// answer tells core how a try went, and sees that it is tried again if that may
// help. That it does not succeed at once is told only once.
func (e *evictions) answer(ctx context.Context, w *eviction, err error) {
	a := core.Evicted{ID: w.Pod, Again: passes(err)}
	if err != nil {
		a.Err = refusal(err)
	}
	if a.Again {
		e.queue.AddRateLimited(w.Pod)
		if w.refused {
			return
		}
		w.refused = true
	} else {
		e.queue.Forget(w.Pod)
		e.done(w)
	}
	if err != nil {
		klog.FromContext(ctx).Info("A pod can't be evicted", "gang", w.Gang, "uid", w.Pod, "triedAgain", a.Again, "err", err, "why", a.Err)
	}
	e.cfg.Post(a)
}

// refusal says why a pod can't be evicted: the API server names the disruption
// budget only among the causes.
func refusal(err error) string {
	if cause, ok := apierrors.StatusCause(err, policyv1.DisruptionBudgetCause); ok {
		return cause.Message
	}
	return err.Error()
}

// send evicts a pod as kubectl drain does, so that no disruption budget is
// overrun. One that has ended, or is being deleted, is left alone: evicting it
// would remove what it has to tell. A conflict is tried again: then it is known
// whether the pod is gone, and another has its name.
func (e *evictions) send(ctx context.Context, w *eviction) error {
	p := e.cfg.Pod(w.Pod)
	if p == nil || p.DeletionTimestamp != nil || p.Status.Phase == v1.PodSucceeded || p.Status.Phase == v1.PodFailed {
		return nil
	}
	err := e.cfg.Client.CoreV1().Pods(p.Namespace).EvictV1(ctx, &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(p.UID))},
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("evict pod %s/%s: %w", p.Namespace, p.Name, err)
	}
	e.tellEvicted(ctx, p, w.Reason)
	return nil
}

// tellEvicted says by an event why a pod was evicted. It is not tried again: the pod is
// gone whether that can be said or not.
func (e *evictions) tellEvicted(ctx context.Context, p *v1.Pod, why string) {
	now := e.cfg.Clock.Now()
	_, err := e.cfg.Client.EventsV1().Events(p.Namespace).Create(ctx, &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{Name: fmt.Sprintf("%s.%x", shorten(p.Name, 200), now.UnixNano()), Namespace: p.Namespace},
		EventTime:           metav1.NewMicroTime(now),
		ReportingController: e.cfg.SchedulerName,
		ReportingInstance:   e.cfg.Instance,
		Action:              "Evicting",
		Reason:              "Evicted",
		Regarding:           v1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID},
		Note:                shorten(why, maxNote),
		Type:                v1.EventTypeNormal,
	}, metav1.CreateOptions{})
	if err != nil {
		klog.FromContext(ctx).Error(err, "An eviction could not be told of", "pod", klog.KObj(p))
	}
}
