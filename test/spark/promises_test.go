package spark

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/vishvananda/netns"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"muster.sh/muster/api/v1alpha1"
	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/internal/localcluster/network"
	"muster.sh/muster/internal/localcluster/network/osthread"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/test/testcluster"
)

// pollInterval is how often the scheduler is asked what it knows, of which it
// tells nobody by itself.
const pollInterval = 200 * time.Millisecond

// reservedNodes lists the nodes of the executors that a driver's Reservation
// promises, a node for each.
func (s *story) reservedNodes(driver *corev1.Pod) []string {
	s.Helper()
	list, err := s.Reservations(s.ctx)
	s.must(err)
	var nodes []string
	for _, r := range list {
		if r.Spec.Owner.UID != driver.UID {
			continue
		}
		for _, slots := range r.Spec.Slots {
			for range slots.Count {
				if slots.Role == "executor" {
					nodes = append(nodes, slots.Node)
				}
			}
		}
	}
	return nodes
}

// awaitForgotten waits until nothing is promised to an application any more and
// the scheduler doesn't know it.
func (s *story) awaitForgotten(driver *corev1.Pod) {
	s.Helper()
	s.must(s.awaitPromises(s.ctx, func(reservations []v1alpha1.Reservation, gangs []core.Record) error {
		for _, r := range reservations {
			if r.Spec.Owner.UID == driver.UID {
				return fmt.Errorf("reservation %s is left of %s", r.Name, driver.Name)
			}
		}
		for _, g := range gangs {
			if g.Owner.UID == string(driver.UID) {
				return fmt.Errorf("gang %s is left of %s", g.Gang, driver.Name)
			}
		}
		return nil
	}))
}

// awaitNothingPromised waits until nothing is promised to anybody.
func (s *stage) awaitNothingPromised(ctx context.Context) error {
	return s.awaitPromises(ctx, func(reservations []v1alpha1.Reservation, gangs []core.Record) error {
		for _, r := range reservations {
			return fmt.Errorf("reservation %s is left", r.Name)
		}
		for _, g := range gangs {
			return fmt.Errorf("gang %s is left", g.Gang)
		}
		return nil
	})
}

func (s *stage) awaitPromises(ctx context.Context, fault func([]v1alpha1.Reservation, []core.Record) error) error {
	var last error
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		reservations, err := s.Reservations(ctx)
		if err != nil {
			last = err
			return false, nil
		}
		gangs, err := s.scheduler.gangs(ctx)
		if err != nil {
			last = err
			return false, nil
		}
		last = fault(reservations, gangs)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("wait until nothing is promised: %w: %w", err, last)
	}
	return nil
}

// schedulerPages reads what Muster's scheduler serves. Where there are real nodes,
// it serves in a network of the cluster's own.
type schedulerPages struct {
	client http.Client
	url    string
}

func newSchedulerPages(t *testing.T, c *testcluster.Cluster, thread *osthread.Thread) *schedulerPages {
	t.Helper()
	state, err := localcluster.ReadState(c.Dir())
	if err != nil {
		t.Fatal(err)
	}
	host := net.JoinHostPort(network.HubIP().String(), strconv.Itoa(state.Ports[testcluster.MusterComponent]))
	dial := func(context.Context, string, string) (conn net.Conn, err error) {
		err = thread.Do(func() error {
			conn, err = net.DialTimeout("tcp4", host, 5*time.Second)
			return err
		})
		return conn, err
	}
	return &schedulerPages{url: "https://" + host, client: http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: dial, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // nothing secret is sent
	}}}
}

// enterNetwork returns a thread in the cluster's own network, in which the
// control plane is, but no pod.
func enterNetwork(t *testing.T, c *testcluster.Cluster) *osthread.Thread {
	t.Helper()
	// The API server is there, and is not killed here.
	pid, err := c.PID(testcluster.ControlPlane)
	if err != nil {
		t.Fatal(err)
	}
	thread, err := osthread.New(func() error {
		space, err := netns.GetFromPid(pid)
		if err != nil {
			return err
		}
		defer space.Close()
		return netns.Set(space)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(thread.End)
	return thread
}

// gangs are the records of all gangs.
func (p *schedulerPages) gangs(ctx context.Context) ([]core.Record, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/gangs", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := p.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the scheduler: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask the scheduler: %s", response.Status)
	}
	var records []core.Record
	if err := json.NewDecoder(response.Body).Decode(&records); err != nil {
		return nil, fmt.Errorf("read the scheduler's records: %w", err)
	}
	return records, nil
}
