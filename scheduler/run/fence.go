package run

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

var errLeaseRanOut = errors.New("not sent: the lease was not renewed in time, and another replica may lead")

// fence keeps back what a replica would write when another may lead: one that
// was stopped for a while goes on where it was, before it learns that its lease
// has run out. It is shut until the lease is first held.
type fence struct {
	// validity is for how long a renewal opens it, counted from when the renewal
	// was sent. What it is shorter than the lease is left for writes on their way.
	validity time.Duration
	until    atomic.Pointer[time.Time]
}

// guard returns a copy of a client's configuration whose writes stop at the
// fence.
func (f *fence) guard(server *rest.Config) *rest.Config {
	guarded := rest.CopyConfig(server)
	guarded.Wrap(func(next http.RoundTripper) http.RoundTripper { return fenced{next, f} })
	return guarded
}

// check is an error while the fence is shut.
func (f *fence) check() error {
	if until := f.until.Load(); until == nil || !time.Now().Before(*until) {
		return errLeaseRanOut
	}
	return nil
}

// fenced sends requests that pass the fence. It stands behind the client's rate
// limiter, where a write may wait for long.
type fenced struct {
	next  http.RoundTripper
	fence *fence
}

// RoundTrip sends a request, unless it writes and the fence is shut.
func (f fenced) RoundTrip(r *http.Request) (*http.Response, error) {
	if isWrite(r) {
		if err := f.fence.check(); err != nil {
			if r.Body != nil {
				_ = r.Body.Close() // nothing was read from it
			}
			return nil, err
		}
	}
	return f.next.RoundTrip(r)
}

// WrappedRoundTripper lets client-go find what is wrapped.
func (f fenced) WrappedRoundTripper() http.RoundTripper { return f.next }

// fencingLock tells a fence when the lease was renewed or given up.
type fencingLock struct {
	resourcelock.Interface
	fence *fence
}

// Create makes the lease.
func (l fencingLock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	sent := time.Now()
	return l.tell(sent, record, l.Interface.Create(ctx, record))
}

// Update renews the lease, takes it over or gives it up.
func (l fencingLock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	sent := time.Now()
	return l.tell(sent, record, l.Interface.Update(ctx, record))
}

func (l fencingLock) tell(sent time.Time, record resourcelock.LeaderElectionRecord, err error) error {
	if err != nil {
		return err
	}
	until := sent
	if record.HolderIdentity == l.Identity() {
		until = sent.Add(l.fence.validity)
	}
	l.fence.until.Store(&until)
	return nil
}
