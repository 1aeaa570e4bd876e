package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"

	config "muster.sh/muster/api/config/v1alpha1"
)

// ErrLeaseLost is returned when another replica may lead from now on. The
// process must end: what it remembers is out of date.
var ErrLeaseLost = errors.New("the lease was lost; another replica leads")

// fenceIn makes the lock that replicas compete for, and the configuration of
// clients whose writes need it. There is no lock, and no fence, where no leader
// is elected.
func fenceIn(c *config.LeaderElection, server *rest.Config) (resourcelock.Interface, *rest.Config, error) {
	if !*c.LeaderElect {
		return nil, server, nil
	}
	lock, err := newLock(c, server)
	if err != nil {
		return nil, nil, err
	}
	f := &fence{validity: c.RenewDeadline.Duration}
	return fencingLock{lock, f}, f.guard(server), nil
}

// newLock makes the lock on the Lease that replicas compete for.
func newLock(c *config.LeaderElection, server *rest.Config) (resourcelock.Interface, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("leader election: %w", err)
	}
	// Two processes of one host must not take each other for themselves.
	identity := host + "_" + string(uuid.NewUUID())
	lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, c.ResourceNamespace, c.ResourceName,
		resourcelock.ResourceLockConfig{Identity: identity}, server, c.RenewDeadline.Duration)
	if err != nil {
		return nil, fmt.Errorf("leader election: %w", err)
	}
	return lock, nil
}

// lead waits until this process leads, then acts. It returns when act has
// ended: because ctx has, because of act's own error, or, with ErrLeaseLost,
// because the lease could not be renewed. leads, if set, is told who leads whenever that
// is another one.
func lead(ctx context.Context, c *config.LeaderElection, lock resourcelock.Interface, watchdog *leaderelection.HealthzAdaptor, leads func(identity string), act func(context.Context) error) error {
	electing, stop := context.WithCancel(ctx)
	defer stop()
	led := make(chan struct{})
	acted := make(chan error, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, WatchDog: watchdog, Name: c.ResourceName,
		LeaseDuration: c.LeaseDuration.Duration, RenewDeadline: c.RenewDeadline.Duration, RetryPeriod: c.RetryPeriod.Duration,
		// The elector would give the lease up before act has ended.
		ReleaseOnCancel: false,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				close(led)
				acted <- act(ctx)
				if ctx.Err() == nil {
					stop() // it has ended by itself, and the lease is still ours
				}
			},
			OnStoppedLeading: func() {},
			OnNewLeader:      leads,
		},
	})
	if err != nil {
		return fmt.Errorf("leader election: %w", err)
	}
	elector.Run(electing)
	// The elector ends with its context, or because the lease is lost.
	lost := electing.Err() == nil
	if !elector.IsLeader() && !isClosed(led) {
		return nil
	}
	err = <-acted
	switch {
	case lost:
		return errors.Join(ErrLeaseLost, err)
	case err == nil:
		release(ctx, lock)
	}
	return err
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// release gives the lease up once nothing of ours acts any more, so that the
// next replica need not wait for it to run out.
func release(ctx context.Context, lock resourcelock.Interface) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	record, _, err := lock.Get(ctx)
	if err == nil && record.HolderIdentity == lock.Identity() {
		record.HolderIdentity = ""
		record.LeaseDurationSeconds = 1
		err = lock.Update(ctx, *record)
	}
	if err != nil {
		klog.FromContext(ctx).Error(err, "The lease could not be given up; the next replica waits until it runs out")
	}
}
