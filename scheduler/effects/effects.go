// Package effects carries the decisions of core out: it stores Reservations,
// evicts pods, shows why a gang waits by an event, a condition and a status, asks
// cluster autoscalers for room, and tells of queues on their status. Each kind of write
// has a file.
//
// Writes go out beside the loop that decides. Those of one gang keep their
// order; one that was overtaken by a newer one of its kind is never sent; one
// that failed for a passing reason is tried again, with growing pauses. When
// the context ends, as it does when leadership is lost, no further write is
// sent.
package effects

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// Config is what Effects need. All but Ended, Queues, Instance and Clock must be set.
type Config struct {
	Client kubernetes.Interface
	// Dynamic writes Reservations, the status of PodGroups and Queues, and what asks
	// cluster autoscalers for room.
	Dynamic dynamic.Interface
	// SchedulerName is who events come from.
	SchedulerName string
	// Instance tells apart who reports events; by default it is made of the
	// scheduler's and the host's name.
	Instance string
	// Post takes acknowledgements. It must not block.
	Post func(core.Event)
	// Pod returns a pod as it was seen last, or nil.
	Pod func(gang.PodID) *v1.Pod
	// Ended returns how many members of a PodGroup have ended, and how.
	Ended func(gang.ID) (succeeded, failed int)
	// Queues returns the records of the queues once they are known. Without it nothing is
	// told of queues.
	Queues func(context.Context) ([]core.QueueRecord, error)
	// Autoscaling is how cluster autoscalers are told of gangs that lack room.
	Autoscaling Autoscaling
	Clock       clock.WithTicker
}

// Effects sends the writes that decisions ask for.
type Effects struct {
	cfg       Config
	queue     queue[gang.ID]
	evictions *evictions
	asks      *asks

	mu    sync.Mutex
	works map[gang.ID]*work
}

// work is what is to be written for one gang. Parts that are nil have nothing
// to write.
type work struct {
	reservation *reservationWrite
	explain     *explainWrite
	status      *statusWrite
}

func (w work) empty() bool { return w.reservation == nil && w.explain == nil && w.status == nil }

const (
	workers    = 8
	firstPause = 50 * time.Millisecond
	longPause  = 10 * time.Second
	// gather is how long a verdict or a status waits for others that belong to
	// it, so that they go out as one write.
	gather = 100 * time.Millisecond
	// passing is how long a state must last before it is shown, where it is
	// one that a gang usually only passes through.
	passing = 2 * time.Second
	// coming is how long members may be on their way before that is shown. A
	// Spark driver that ends removes its executors first, and seems to wait for
	// others in the meantime.
	coming = 10 * time.Second
)

// New checks a configuration and makes Effects. Decisions are taken at once,
// and carried out while Run runs.
func New(cfg Config) (*Effects, error) {
	if cfg.Client == nil || cfg.Dynamic == nil || cfg.SchedulerName == "" || cfg.Post == nil || cfg.Pod == nil {
		return nil, errors.New("effects: Client, Dynamic, SchedulerName, Post and Pod are needed")
	}
	if cfg.Instance == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "unknown"
		}
		cfg.Instance = shorten(cfg.SchedulerName+"-"+host, 128)
	}
	if cfg.Ended == nil {
		cfg.Ended = func(gang.ID) (succeeded, failed int) { return 0, 0 }
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.RealClock{}
	}
	e := &Effects{
		cfg: cfg, works: map[gang.ID]*work{},
		queue: newQueue[gang.ID](cfg.Clock, firstPause, longPause),
	}
	e.evictions = newEvictions(&e.cfg)
	e.asks = newAsks(&e.cfg)
	return e, nil
}

// Do takes a decision on. It never blocks. Decisions about members' own ways,
// Release and the latch's, are not for this package and are ignored.
func (e *Effects) Do(d core.Decision) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch d := d.(type) {
	case core.StoreReservation:
		w := e.work(d.Gang)
		w.reservation = store(d).after(w.reservation)
		e.queue.Add(d.Gang)
	case core.DropReservation:
		e.work(d.Gang).reservation = &reservationWrite{gang: d.Gang}
		e.queue.Add(d.Gang)
	case core.Evict:
		e.evictions.want(d)
	case core.Spare:
		e.evictions.spare(d.Pod)
	case core.AskForRoom:
		e.asks.ask(d.Gang, &d)
	case core.AskNoMore:
		e.asks.ask(d.Gang, nil)
	case core.Explain:
		if d.Verdict.Code == gang.Collecting && len(d.Waiting) == 0 {
			// It has ended: nobody is there to be told.
			if w := e.works[d.Gang]; w != nil {
				w.explain = nil
			}
			return
		}
		write := &explainWrite{Explain: d, decided: e.cfg.Clock.Now()}
		e.work(d.Gang).explain = write
		e.queue.AddAfter(d.Gang, write.due().Sub(write.decided))
	case core.Status:
		if !isPodGroup(d.Owner) {
			return
		}
		write := &statusWrite{Status: d, decided: e.cfg.Clock.Now()}
		e.work(d.Gang).status = write
		e.queue.AddAfter(d.Gang, write.due().Sub(write.decided))
	}
}

func (e *Effects) work(id gang.ID) *work {
	w := e.works[id]
	if w == nil {
		w = &work{}
		e.works[id] = w
	}
	return w
}

// Run carries decisions out until the context ends, and returns once nothing
// is being sent any more.
func (e *Effects) Run(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() { e.evictions.run(ctx) })
	running.Go(func() { e.asks.run(ctx) })
	if e.cfg.Queues != nil {
		running.Go(func() { newQueueStatuses(&e.cfg).run(ctx) })
	}
	drain(ctx, e.queue, workers, e.next)
	running.Wait()
}

// next carries out what is due for one gang, and reports false at the end.
func (e *Effects) next(ctx context.Context) bool {
	id, end := e.queue.Get()
	if end {
		return false
	}
	defer e.queue.Done(id)
	due, later := e.take(id)
	left := e.carryOut(ctx, due)
	if ctx.Err() != nil {
		return false
	}
	if left.empty() {
		e.queue.Forget(id)
	} else {
		e.putBack(id, left)
		e.queue.AddRateLimited(id)
	}
	if later > 0 {
		e.queue.AddAfter(id, later)
	}
	return true
}

// take takes out what is due for a gang, and tells in how long the rest will be.
func (e *Effects) take(id gang.ID) (due work, later time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.works[id]
	if w == nil {
		return work{}, 0
	}
	now := e.cfg.Clock.Now()
	due.reservation, w.reservation = w.reservation, nil
	if w.explain != nil {
		if wait := w.explain.due().Sub(now); wait > 0 {
			later = wait
		} else {
			due.explain, w.explain = w.explain, nil
		}
	}
	if w.status != nil {
		// A PodGroup is told of both by one write.
		along := due.explain != nil && isPodGroup(due.explain.Owner)
		if wait := w.status.due().Sub(now); wait > 0 && !along {
			later = max(later, wait)
		} else {
			due.status, w.status = w.status, nil
		}
	}
	if w.empty() {
		delete(e.works, id)
	}
	return due, later
}

// putBack keeps what failed, unless something newer has come.
func (e *Effects) putBack(id gang.ID, failed work) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.work(id)
	if failed.reservation != nil {
		w.reservation = w.reservation.after(failed.reservation)
	}
	if w.explain == nil {
		w.explain = failed.explain
	}
	if w.status == nil {
		w.status = failed.status
	}
}

// carryOut sends the writes of one gang and returns those to be tried again.
func (e *Effects) carryOut(ctx context.Context, w work) (left work) {
	if r := w.reservation; r != nil && !e.settle(ctx, r) {
		left.reservation = r
	}
	if x := w.explain; x != nil {
		err := e.show(ctx, x)
		logFailure(ctx, err, "A verdict could not be shown", x.Gang)
		if passes(err) {
			left.explain = x
		}
	}
	if id, owner, ok := w.podGroup(); ok {
		err := e.showPodGroup(ctx, id, owner, news{verdict: w.explain, status: w.status})
		logFailure(ctx, err, "The status of a PodGroup could not be written", id)
		if passes(err) {
			left.explain, left.status = w.explain, w.status
		}
	}
	return left
}

// logFailure logs what will not be tried again.
func logFailure(ctx context.Context, err error, what string, id gang.ID) {
	if err != nil && !passes(err) {
		klog.FromContext(ctx).Error(err, what, "gang", id)
	}
}

func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return s[:limit]
}
