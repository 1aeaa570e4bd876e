package run

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	kubescheduler "k8s.io/kubernetes/pkg/scheduler"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/hold"
	"muster.sh/muster/scheduler/journal"
	"muster.sh/muster/scheduler/plugin"
)

// feed brings the loop what happens in the cluster. source.Source is one.
type feed interface {
	// Start posts all that exists, then goes on until the context ends. It
	// returns when all that exists has been posted.
	Start(ctx context.Context, post func(core.Event)) error
}

// writes carries decisions out that concern API objects. effects.Effects is
// one.
type writes interface {
	Do(d core.Decision)
	// Run sends what Do was given until the context ends.
	Run(ctx context.Context)
}

// engine is kube-scheduler with Muster around and inside of it.
type engine struct {
	kube       *kubescheduler.Scheduler
	broadcast  events.EventBroadcaster
	loop       *core.Loop
	queue      *hold.Queue
	latch      *plugin.Latch
	contention *plugin.Contention
	feed       feed
	writes     writes
	metrics    *metrics
	recording  recording
	// journal is that of this leadership.
	journal *journal.Writer
	// recovered is closed when the loop has taken up all that existed at the
	// start.
	recovered chan struct{}
	// leader is who holds the lease, as far as it is known.
	leader atomic.Pointer[string]
}

// carryOut begins what was decided, in order. It runs in the loop's goroutine
// and holds no lock of ours while it calls kube-scheduler's queue, but the
// hold's own.
func (e *engine) carryOut(ctx context.Context, decisions []core.Decision) {
	logger := klog.FromContext(ctx)
	for _, d := range decisions {
		logDecision(logger, d)
		switch d := d.(type) {
		case core.Release:
			e.queue.Release(ctx, d)
		case core.OpenLatch:
			e.latch.Open(d.Gang, d.Epoch)
		case core.ShutLatch:
			e.latch.Shut(d.Gang, d.Epoch, d.Reason)
		default:
			e.writes.Do(d)
		}
	}
}

// observe is told of every step of the loop, after the Board was brought up to
// date.
func (e *engine) observe(ctx context.Context, event core.Stamped, decisions []core.Decision, took time.Duration) {
	if logger := klog.FromContext(ctx).V(4); logger.Enabled() {
		logger.Info("Event", "kind", fmt.Sprintf("%T", event.Event), "event", fmt.Sprintf("%+v", event.Event), "took", took)
	}
	e.journal.Record(event, decisions)
	e.metrics.step(event, decisions, took)
	e.contention.Changed()
	if _, ok := event.Event.(core.Synced); ok {
		close(e.recovered)
	}
}

// act schedules until the context ends. It is called once, on becoming the
// leader; before, nothing is written.
func (e *engine) act(ctx context.Context) error {
	defer runtime.KeepAlive(make([]byte, ballast))
	context.AfterFunc(ctx, e.latch.Close)
	if err := e.broadcast.StartRecordingToSinkWithContext(ctx); err != nil {
		return fmt.Errorf("start to record events: %w", err)
	}
	var routines sync.WaitGroup
	defer routines.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var record func()
	e.journal, record = e.recording.begin(ctx)
	routines.Go(record)
	routines.Go(func() { e.loop.Run(ctx); e.journal.Close() })
	routines.Go(func() { e.writes.Run(ctx) })
	routines.Go(func() { e.contention.Run(ctx, func() { e.wake(ctx) }) })

	if err := e.feed.Start(ctx, e.loop.Post); err != nil {
		return fmt.Errorf("take up what exists: %w", err)
	}
	// No pod is scheduled before room that an earlier leader has promised is on
	// the Board again.
	select {
	case <-e.recovered:
	case <-ctx.Done():
		return nil
	}
	klog.FromContext(ctx).Info("Scheduling")
	e.kube.Run(ctx)
	return nil
}

// queueRecords are those of this moment, as soon as all that exists has been taken up.
func (e *engine) queueRecords(ctx context.Context) ([]core.QueueRecord, error) {
	select {
	case <-e.recovered:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var records []core.QueueRecord
	if err := e.loop.Ask(ctx, func(m *core.Machine) { records = m.QueueRecords() }); err != nil {
		return nil, err
	}
	return records, nil
}

// wake lets pods be tried again that promised room has kept out.
func (e *engine) wake(ctx context.Context) {
	e.queue.MoveAllToActiveOrBackoffQueue(klog.FromContext(ctx), plugin.RoomFreed, nil, nil, nil)
}
