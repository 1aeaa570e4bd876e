package effects

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/klog/v2"

	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
)

// Autoscaling is how cluster autoscalers are told what gangs have no room for. The
// zero Autoscaling tells them of one pod of a gang, by its condition.
type Autoscaling struct {
	// Request is the kind of the objects that ask for room, if any do. They ask for
	// members that have no pod, too.
	Request RequestKind
	// Class is that of ProvisioningRequests.
	Class string
	// MarkPods marks every pod that waits for room as one that autoscalers act on.
	// Requests are for the others then, so that nothing is asked for twice.
	MarkPods bool
}

const (
	askWorkers = 2
	// recheck is how often it is looked at whether a request is still there, and
	// still looked after: autoscalers give requests up.
	recheck = 5 * time.Minute
	// absent is how long nothing is asked for where the cluster does not serve the
	// kind of the requests.
	absent = 30 * time.Second
)

// asks keeps autoscalers told. Each gang has what it asks for now, if anything: what
// it asked for before, which may be an earlier leader's, is made to agree with it.
type asks struct {
	*Config
	queue queue[errand]
	// marks bounds how many conditions of pods are written in a second.
	marks flowcontrol.PassiveRateLimiter

	mu     sync.Mutex
	wanted map[gang.ID]*core.AskForRoom
	// known gangs may have objects that ask for them.
	known map[gang.ID]bool
	// absentUntil is when it is to be looked again whether requests are served.
	absentUntil time.Time
}

// errand is to bring the marks of a gang's pods up to date, or the objects that ask
// for it.
type errand struct {
	gang  gang.ID
	marks bool
}

func newAsks(cfg *Config) *asks {
	return &asks{
		Config: cfg, wanted: map[gang.ID]*core.AskForRoom{}, known: map[gang.ID]bool{},
		marks: flowcontrol.NewTokenBucketPassiveRateLimiterWithClock(marksPerSecond, marksPerSecond, cfg.Clock),
		queue: newQueue[errand](cfg.Clock, firstPause, longPause),
	}
}

// ask replaces what a gang asks for; nil for nothing.
func (a *asks) ask(id gang.ID, d *core.AskForRoom) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if d == nil && !a.known[id] {
		delete(a.wanted, id)
		return
	}
	a.wanted[id] = d
	if a.Autoscaling.Request != "" {
		a.queue.Add(errand{gang: id})
	}
	if a.Autoscaling.MarkPods {
		a.queue.Add(errand{gang: id, marks: true})
	}
}

// run keeps autoscalers told until the context ends.
func (a *asks) run(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() { a.adopt(ctx) })
	drain(ctx, a.queue, askWorkers, a.next)
	running.Wait()
}

// adopt tells of what an earlier leader has asked for, of which this one does not
// know whether it is still wanted.
func (a *asks) adopt(ctx context.Context) {
	if a.Autoscaling.Request == "" {
		return
	}
	found, err := a.found(ctx)
	for pause := firstPause; passes(err); pause = min(2*pause, longPause) {
		select {
		case <-a.Clock.After(pause):
		case <-ctx.Done():
			return
		}
		found, err = a.found(ctx)
	}
	if err != nil {
		klog.FromContext(ctx).Error(err, "What an earlier leader has asked autoscalers for can't be found")
	}
	for _, id := range found {
		a.mu.Lock()
		a.known[id] = true
		a.mu.Unlock()
		a.Post(core.AskFound{Gang: id})
	}
}

// next does an errand, and reports false at the end.
func (a *asks) next(ctx context.Context) bool {
	e, end := a.queue.Get()
	if end {
		return false
	}
	defer a.queue.Done(e)
	again, err := a.do(ctx, e)
	if ctx.Err() != nil {
		return false
	}
	logFailure(ctx, err, "Autoscalers can't be asked for room", e.gang)
	if passes(err) {
		a.queue.AddRateLimited(e)
		return true
	}
	a.queue.Forget(e)
	if again > 0 {
		a.queue.AddAfter(e, again)
	}
	return true
}

// do does an errand, and tells in how long to do it again.
func (a *asks) do(ctx context.Context, e errand) (again time.Duration, err error) {
	d, asked := a.want(e)
	switch {
	case !asked:
		return 0, nil
	case e.marks:
		return a.markAll(ctx, d)
	}
	if wait := a.absence(); wait > 0 {
		return wait, nil
	}
	switch err := a.request(ctx, e.gang, d); {
	case errors.Is(err, errNotServed):
		return a.missing(ctx), nil
	case err != nil:
		return 0, err
	case d != nil:
		return recheck, nil
	}
	a.forget(e.gang)
	return 0, nil
}

// want returns what a gang asks for now. From here on there may be objects that ask
// for it.
func (a *asks) want(e errand) (d *core.AskForRoom, asked bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d, asked = a.wanted[e.gang]
	if d != nil && !e.marks {
		a.known[e.gang] = true
	}
	return d, asked
}

// forget drops what nobody asks for any more.
func (a *asks) forget(id gang.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wanted[id] == nil {
		delete(a.wanted, id)
		delete(a.known, id)
	}
}

// absence is how long it is still taken for true that requests are not served.
func (a *asks) absence() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.absentUntil.Sub(a.Clock.Now())
}

// missing notes that requests are not served, says so for the first time, and tells
// in how long to look again.
func (a *asks) missing(ctx context.Context) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.absentUntil.IsZero() {
		klog.FromContext(ctx).Info("Autoscalers can't be asked for room: the cluster does not serve the kind of the requests; install the definition that comes with the autoscaler",
			"kind", a.Autoscaling.Request, "resource", a.requests().resource)
	}
	a.absentUntil = a.Clock.Now().Add(absent)
	return absent
}
