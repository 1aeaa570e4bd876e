// Package lostlease tells that two replicas of the scheduler follow each other
// without a fault: the leader is killed, and the next one falls asleep, loses the
// lease and wakes up again.
package lostlease

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/test/testcluster"
)

const (
	gangs   = 20
	members = 4
)

// settings keep the waits for a dead leader's lease short, and make binds wait
// for their turn, so that a leader falls asleep over some.
const settings = `
leaderElection:
  leaseDuration: 4s
  renewDeadline: 3s
  retryPeriod: 500ms
clientConnection:
  qps: 10
  burst: 10
`

func TestTwoReplicasFollowEachOtherWithoutAFault(t *testing.T) {
	ctx, c := testcluster.Start(t, testcluster.Spec{
		Scheduler: testcluster.Muster, Replicas: 2, Config: settings, Nodes: 4, Shape: "cpu=11,memory=64Gi",
	})
	first, second := testcluster.MusterComponent+"-0", testcluster.MusterComponent+"-1"
	s := story{c, ctx}
	leader, err := s.letLead(first, second)
	if err != nil {
		t.Fatal(err)
	}
	var groups []testcluster.PodGroup
	for i := range gangs {
		groups = append(groups, testcluster.PodGroup{Name: fmt.Sprintf("g%02d", i), Members: members, CPUs: 2, Runs: 2 * time.Second})
	}
	if err := c.CreatePodGroups(ctx, groups...); err != nil {
		t.Fatal(err)
	}
	if err := s.awaitBound(gangs * members / 4); err != nil {
		t.Fatal(err)
	}
	if leader, err = s.kill(first, leader); err != nil {
		t.Fatal(err)
	}
	if err := s.awaitBound(gangs * members / 2); err != nil {
		t.Fatal(err)
	}
	if err := s.sleepThroughLease(second, leader); err != nil {
		t.Fatal(err)
	}
	if err := c.Pods.Await(ctx, "all members have ended", func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.Ended) == gangs*members
	}); err != nil {
		t.Error(err)
	}
	verdict, _ := c.Judge(t, 0)
	if err := verdict.Err(); err != nil {
		t.Error(err)
	}
	// What the sleeper had begun must not be sent once it wakes up. The API server
	// refuses most such binds, but not that of a pod the next leader has yet to bind.
	if binds := verdict.Writes.All.Sum(func(w audit.Write) bool { return w.Resource == "pods/binding" }); binds.Failed > 0 {
		t.Errorf("%d binds were refused: a replica binds that leads no more", binds.Failed)
	}
}

type story struct {
	*testcluster.Cluster
	ctx context.Context
}

func (s story) awaitBound(n int) error {
	return s.Pods.Await(s.ctx, fmt.Sprintf("%d pods are bound", n), func(pods []*corev1.Pod) bool {
		return testcluster.Count(pods, testcluster.Bound) >= n
	})
}

// letLead makes one replica the leader and the other one follow it, and returns
// the name under which the first holds the lease.
func (s story) letLead(leader, follower string) (string, error) {
	holder, err := s.AwaitLeader(s.ctx, testcluster.MusterComponent, "")
	if err != nil {
		return "", err
	}
	for _, component := range []string{leader, follower} {
		if err := s.Kill(component); err != nil {
			return "", err
		}
	}
	if err := s.Start(s.ctx, leader); err != nil {
		return "", err
	}
	if holder, err = s.AwaitLeader(s.ctx, testcluster.MusterComponent, holder); err != nil {
		return "", err
	}
	return holder, s.Start(s.ctx, follower)
}

// kill ends the leader without warning, and starts it as a follower of the next.
func (s story) kill(component, leader string) (string, error) {
	began := time.Now()
	if err := s.Kill(component); err != nil {
		return "", err
	}
	next, err := s.AwaitLeader(s.ctx, testcluster.MusterComponent, leader)
	if err != nil {
		return "", err
	}
	s.Excuse(began)
	return next, s.Start(s.ctx, component)
}

// sleepThroughLease stops the leader's process until another one has its lease.
func (s story) sleepThroughLease(component, leader string) error {
	pid, err := s.PID(component)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stop %s: %w", component, err)
	}
	_, err = s.AwaitLeader(s.ctx, testcluster.MusterComponent, leader)
	s.Excuse(began)
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		return fmt.Errorf("continue %s: %w", component, err)
	}
	return err
}
