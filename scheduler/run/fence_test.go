package run

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fencedClient writes to a server that counts what arrives.
func fencedClient(t *testing.T, f *fence) (kubernetes.Interface, *atomic.Int32) {
	t.Helper()
	var arrived atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		w.Header().Set("Content-Type", "application/json")
		if _, err := w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Success"}`)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	client, err := kubernetes.NewForConfig(f.guard(&rest.Config{Host: server.URL}))
	if err != nil {
		t.Fatal(err)
	}
	return client, &arrived
}

func bindOne(t *testing.T, client kubernetes.Interface) error {
	t.Helper()
	return client.CoreV1().Pods("n").Bind(t.Context(), &v1.Binding{ObjectMeta: metav1.ObjectMeta{Name: "p"}}, metav1.CreateOptions{})
}

func TestWritesNeedALeaseThatIsFresh(t *testing.T) {
	_, lock := lockOn(fake.NewClientset(), "a")
	for _, c := range []struct {
		name     string
		validity time.Duration
		renew    []string
		sent     bool
	}{
		{name: "never held", validity: time.Hour},
		{name: "held", validity: time.Hour, renew: []string{"a"}, sent: true},
		{name: "run out", validity: time.Nanosecond, renew: []string{"a"}},
		{name: "given up", validity: time.Hour, renew: []string{"a", ""}},
		{name: "held again", validity: time.Hour, renew: []string{"a", "", "a"}, sent: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fence{validity: c.validity}
			client, arrived := fencedClient(t, f)
			l := fencingLock{lock, f}
			for _, holder := range c.renew {
				if err := l.tell(time.Now(), resourcelock.LeaderElectionRecord{HolderIdentity: holder}, nil); err != nil {
					t.Fatal(err)
				}
			}
			err := bindOne(t, client)
			if sent := arrived.Load() == 1; sent != c.sent || (err == nil) != c.sent {
				t.Errorf("sent %t, error %v", sent, err)
			}
			if err != nil && !strings.Contains(err.Error(), errLeaseRanOut.Error()) {
				t.Errorf("got %v", err)
			}
			if _, err := client.CoreV1().Pods("n").Get(t.Context(), "p", metav1.GetOptions{}); err != nil {
				t.Errorf("reading needs no lease, got %v", err)
			}
		})
	}
}

// A renewal that took long to be answered counts from when it was sent: others
// may have seen it as early as that.
func TestTheFenceIsOpenFromWhenTheRenewalWasSent(t *testing.T) {
	_, lock := lockOn(fake.NewClientset(), "a")
	f := &fence{validity: time.Minute}
	sent := time.Now().Add(-2 * time.Minute)
	if err := (fencingLock{lock, f}).tell(sent, resourcelock.LeaderElectionRecord{HolderIdentity: "a"}, nil); err != nil {
		t.Fatal(err)
	}
	if f.check() == nil {
		t.Error("it is open")
	}
}

func TestALeadersLockOpensItsFence(t *testing.T) {
	c, lock := lockOn(fake.NewClientset(), "a")
	f := &fence{validity: c.RenewDeadline.Duration}
	err := lead(t.Context(), c, fencingLock{lock, f}, nil, nil, func(ctx context.Context) error { return f.check() })
	if err != nil {
		t.Error(err)
	}
	if f.check() == nil {
		t.Error("it is open after the lease was given up")
	}
}
