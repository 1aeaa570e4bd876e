package run

import (
	"errors"
	"fmt"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	config "muster.sh/muster/api/config/v1alpha1"
)

// besideNobody is an affinity that no node meets, and that planning does not
// know of: only the member's own cycle can tell.
func besideNobody(p *v1.Pod) {
	p.Spec.Affinity = &v1.Affinity{PodAffinity: &v1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []v1.PodAffinityTerm{{
		LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "nobody"}}, TopologyKey: v1.LabelHostname,
	}}}}
}

func TestOneRefusedMemberKeepsItsWholeGangBack(t *testing.T) {
	s := newStage(t, 4, "cpu=4,memory=16Gi")
	s.schedule(nil)
	s.podGroup("picky", 4)
	for i := range 3 {
		s.pod(fmt.Sprint("picky-", i), "picky", "1")
	}
	s.pod("picky-3", "picky", "1", besideNobody)
	s.await("it was vetoed", func() bool {
		return s.metric(`muster_scheduler_vetoes_total{plugin="InterPodAffinity"}`) != ""
	})
	// It does not stand in the way of others.
	s.podGroup("plain", 4)
	for i := range 4 {
		s.pod(fmt.Sprint("plain-", i), "plain", "2")
	}
	s.awaitBound("plain-0", "plain-1", "plain-2", "plain-3")

	// What it waits for comes: a pod beside which the last member may run.
	s.pod("nobody", "", "1", func(p *v1.Pod) { p.Labels = map[string]string{"app": "nobody"} })
	s.await("all is bound", func() bool { return len(s.bound()) == 9 })
}

func TestMembersCostOneWriteEach(t *testing.T) {
	s := newStage(t, 10, "cpu=16,memory=64Gi")
	s.schedule(nil)
	const size = 100
	const binds = `muster_scheduler_api_writes_total{code="201",resource="pods/binding",verb="post"}`
	s.await("metrics are served", func() bool { return s.metric("muster_scheduler_held_pods") != "" })
	before := s.count(binds)
	s.podGroup("large", size)
	for i := range size {
		s.pod(fmt.Sprintf("large-%03d", i), "large", "1")
	}
	s.await("all are bound", func() bool { return len(s.bound()) == size })
	// The last answers may be on their way yet.
	s.await("all binds are counted", func() bool { return s.count(binds)-before >= size })
	if got := s.count(binds) - before; got != size {
		t.Errorf("%d binds for %d pods", got, size)
	}
	events, err := s.client.EventsV1().Events("default").List(s.ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	byMuster := 0
	for _, e := range events.Items {
		if e.ReportingController == "muster" {
			byMuster++
		}
	}
	if byMuster > 4 {
		t.Errorf("%d events for one gang", byMuster)
	}
	if got := s.metric(`muster_scheduler_gangs{phase="Started"}`); got != "1" {
		t.Errorf("%q gangs have started", got)
	}
	for _, p := range s.pods() {
		if p.Status.NominatedNodeName != "" {
			t.Fatalf("pod %s was nominated", p.Name)
		}
	}
}

func TestWhereItIsAskedForMembersHaveEventsOfTheirOwn(t *testing.T) {
	s := newStage(t, 2, "cpu=4,memory=16Gi")
	s.schedule(func(c *config.SchedulerConfiguration) { c.Gangs.PodEvents = true })
	s.podGroup("told", 3)
	for i := range 3 {
		s.pod(fmt.Sprint("told-", i), "told", "1")
	}
	s.await("each is told of", func() bool {
		events, err := s.client.EventsV1().Events("default").List(s.ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		told := map[string]bool{}
		for _, e := range events.Items {
			if e.Regarding.Kind == "Pod" && e.Reason == "Scheduled" {
				told[e.Regarding.Name] = true
			}
		}
		return len(told) == 3
	})
}

func TestNothingEvictsAMember(t *testing.T) {
	s := newStage(t, 2, "cpu=2,memory=8Gi")
	s.schedule(nil)
	for name, value := range map[string]int32{"high": 1000, "low": 1} {
		class := &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Value: value}
		if _, err := s.client.SchedulingV1().PriorityClasses().Create(s.ctx, class, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	priority := func(class string) func(*v1.Pod) { return func(p *v1.Pod) { p.Spec.PriorityClassName = class } }
	s.podGroup("gang", 2)
	s.pod("gang-0", "gang", "1", priority("low"))
	s.pod("gang-1", "gang", "1", priority("low"))
	s.pod("single-0", "", "1", priority("low"))
	s.pod("single-1", "", "1", priority("low"))
	s.awaitBound("gang-0", "gang-1", "single-0", "single-1")

	s.pod("important-0", "", "1", priority("high"))
	s.pod("important-1", "", "1", priority("high"))
	s.awaitBound("gang-0", "gang-1", "important-0", "important-1")
	s.pod("important-2", "", "1", priority("high"))
	s.await("nothing is left to evict", func() bool { return s.unschedulable("important-2") })
	s.awaitBound("gang-0", "gang-1", "important-0", "important-1")
}

func TestAStaleNominationPullsNoMemberAway(t *testing.T) {
	s := newStage(t, 2, "cpu=4,memory=16Gi")
	s.podGroup("gang", 2)
	s.pod("gang-0", "gang", "3")
	s.pod("gang-1", "gang", "3")
	nodes, err := s.client.CoreV1().Nodes().List(s.ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gang-0", "gang-1"} {
		patch := fmt.Sprintf(`{"status":{"nominatedNodeName":%q}}`, nodes.Items[0].Name)
		if _, err := s.client.CoreV1().Pods("default").Patch(s.ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status"); err != nil {
			t.Fatal(err)
		}
	}
	s.schedule(nil)
	s.awaitBound("gang-0", "gang-1")
	if pods := s.pods(); pods[0].Spec.NodeName == pods[1].Spec.NodeName {
		t.Error("both are on one node")
	}
}

func TestOneReplicaActsAtATime(t *testing.T) {
	s := newStage(t, 2, "cpu=4,memory=16Gi")
	elect := func(c *config.SchedulerConfiguration) {
		on := true
		c.LeaderElection.LeaderElect = &on
		c.LeaderElection.LeaseDuration.Duration = 6 * time.Second
		c.LeaderElection.RenewDeadline.Duration = 4 * time.Second
		c.LeaderElection.RetryPeriod.Duration = 500 * time.Millisecond
	}
	first := s.schedule(elect)
	s.podGroup("first", 2)
	s.pod("first-0", "first", "1")
	s.pod("first-1", "first", "1")
	s.awaitBound("first-0", "first-1")

	second := s.schedule(elect)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	s.podGroup("next", 2)
	s.pod("next-0", "next", "1")
	s.pod("next-1", "next", "1")
	s.awaitBound("first-0", "first-1", "next-0", "next-1")

	// Somebody takes the lease away: this one stops by itself.
	lease, err := s.client.CoordinationV1().Leases("kube-system").Get(s.ctx, "muster-scheduler", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	thief, long, now := "thief", int32(3600), metav1.NowMicro()
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds, lease.Spec.RenewTime = &thief, &long, &now
	s.await("the lease is taken away", func() bool {
		_, err := s.client.CoordinationV1().Leases("kube-system").Update(s.ctx, lease, metav1.UpdateOptions{})
		if err != nil {
			if fresh, e := s.client.CoordinationV1().Leases("kube-system").Get(s.ctx, "muster-scheduler", metav1.GetOptions{}); e == nil {
				lease.ResourceVersion = fresh.ResourceVersion
			}
		}
		return err == nil
	})
	if err := second.ended(); !errors.Is(err, ErrLeaseLost) {
		t.Errorf("it ended with %v", err)
	}
}
