package run

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	config "muster.sh/muster/api/config/v1alpha1"
)

// lockOn is one replica's lock, with times short enough for a test.
func lockOn(client *fake.Clientset, identity string) (*config.LeaderElection, resourcelock.Interface) {
	c := config.NewSchedulerConfiguration().LeaderElection
	c.LeaseDuration.Duration, c.RenewDeadline.Duration, c.RetryPeriod.Duration = 3*time.Second, time.Second, 50*time.Millisecond
	return &c, &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "l"}, Client: client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
	}
}

func holder(t *testing.T, client *fake.Clientset) string {
	t.Helper()
	lease, err := client.CoordinationV1().Leases("kube-system").Get(context.Background(), "l", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

func TestTheLeaseIsGivenUpOnceNothingActsAnyMore(t *testing.T) {
	client := fake.NewClientset()
	c, lock := lockOn(client, "a")
	ctx, cancel := context.WithCancel(t.Context())
	var whileActing string
	err := lead(ctx, c, lock, nil, nil, func(ctx context.Context) error {
		cancel()
		<-ctx.Done()
		whileActing = holder(t, client)
		return nil
	})
	if err != nil || whileActing != "a" || holder(t, client) != "" {
		t.Errorf("error %v, holder while acting %q, afterwards %q", err, whileActing, holder(t, client))
	}
}

func TestAFollowerActsWhenTheLeaderHasGone(t *testing.T) {
	client := fake.NewClientset()
	ca, a := lockOn(client, "a")
	cb, b := lockOn(client, "b")
	ctxA, stopA := context.WithCancel(t.Context())
	ctxB, stopB := context.WithCancel(t.Context())
	var acting atomic.Int32
	leads := func(led chan<- bool) func(context.Context) error {
		return func(ctx context.Context) error {
			if acting.Add(1) > 1 {
				t.Error("two act at a time")
			}
			led <- true
			<-ctx.Done()
			acting.Add(-1)
			return nil
		}
	}
	ledA, ledB, ended := make(chan bool, 1), make(chan bool, 1), make(chan error, 2)
	go func() { ended <- lead(ctxA, ca, a, nil, nil, leads(ledA)) }()
	<-ledA
	go func() { ended <- lead(ctxB, cb, b, nil, nil, leads(ledB)) }()
	stopA()
	<-ledB
	stopB()
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestALostLeaseEndsTheActingAndTheProcess(t *testing.T) {
	client := fake.NewClientset()
	var away atomic.Bool
	client.PrependReactor("update", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		return away.Load(), nil, errors.New("the API server is away")
	})
	c, lock := lockOn(client, "a")
	err := lead(t.Context(), c, lock, nil, nil, func(ctx context.Context) error {
		away.Store(true)
		<-ctx.Done()
		return nil
	})
	if !errors.Is(err, ErrLeaseLost) {
		t.Errorf("got %v", err)
	}
}

func TestAnErrorOfTheActingIsReturned(t *testing.T) {
	client := fake.NewClientset()
	c, lock := lockOn(client, "a")
	broken := errors.New("broken")
	if err := lead(t.Context(), c, lock, nil, nil, func(context.Context) error { return broken }); !errors.Is(err, broken) || errors.Is(err, ErrLeaseLost) {
		t.Errorf("got %v", err)
	}
}

func TestWhoNeverLedNeverActs(t *testing.T) {
	client := fake.NewClientset()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, lock := lockOn(client, "a")
	if err := lead(ctx, c, lock, nil, nil, func(context.Context) error { t.Error("it acts"); return nil }); err != nil {
		t.Error(err)
	}
}
