package run

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/internal/localcluster/sparkactor"
)

// submit submits a Spark application without anybody who would play its
// driver: the test creates the executors.
func (s *stage) submit(name string, executors int) sparkactor.Submitted {
	s.t.Helper()
	app, err := sparkactor.Submit(s.ctx, s.client, sparkactor.App{
		Name: name, Namespace: "default", Executors: executors, SchedulerName: "muster",
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return app
}

// executor creates an executor as a driver does.
func (s *stage) executor(app sparkactor.Submitted, i int) *v1.Pod {
	s.t.Helper()
	controller := true
	return s.pod(fmt.Sprintf("%s-exec-%d", app.Driver, i), "", "1", func(p *v1.Pod) {
		p.Labels = map[string]string{"spark-role": "executor", "spark-app-selector": app.AppID, "spark-exec-id": fmt.Sprint(i)}
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: app.Driver, UID: app.DriverUID, Controller: &controller}}
		p.Spec.Containers[0].Resources.Requests[v1.ResourceMemory] = resource.MustParse("1Gi")
	})
}

func (s *stage) isBound(name string) bool {
	for _, b := range s.bound() {
		if b == name {
			return true
		}
	}
	return false
}

// metric returns the value of a metric, as it is written.
func (s *stage) metric(name string) string {
	for _, line := range strings.Split(s.get(strings.TrimSuffix(s.gangs, "/gangs")+"/metrics"), "\n") {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return value
		}
	}
	return ""
}

// count is metric for a counter, which is not there before it counts.
func (s *stage) count(name string) int {
	s.t.Helper()
	value := s.metric(name)
	if value == "" {
		return 0
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func TestRoomOfExecutorsToComeIsKept(t *testing.T) {
	s := newStage(t, 2, "cpu=2,memory=8Gi")
	first := s.schedule(nil)
	app := s.submit("kept", 3)
	s.await("the driver is bound", func() bool { return s.isBound(app.Driver) })

	// The cluster is full: 1 driver and 3 promised executors of 1 core each.
	s.pod("thief", "", "1")
	s.await("the thief was refused", func() bool { return s.unschedulable("thief") })
	if got := s.metric(`muster_scheduler_reserved_unclaimed{resource="cpu"}`); got != "3" {
		t.Errorf("promised to executors that are to come: %q cores, want 3", got)
	}

	// A scheduler that starts again finds the promise, and keeps it.
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	s.schedule(nil)
	s.executor(app, 1)
	s.await("an executor is bound", func() bool { return len(s.bound()) == 2 })
	s.executor(app, 2)
	s.executor(app, 3)
	s.await("all executors are bound", func() bool { return len(s.bound()) == 4 })
	if s.isBound("thief") {
		t.Fatal("a pod that is no member took room that was promised")
	}

	// With the driver the application ends; what was kept from others is free.
	s.deletePod(app.Driver)
	s.await("the thief is bound", func() bool { return s.isBound("thief") })
}

// One binary for all pods: those of the default scheduler's name respect what is
// promised, and are no members, whatever they say.
func TestTheDefaultSchedulersPodsRespectPromises(t *testing.T) {
	s := newStage(t, 2, "cpu=2,memory=8Gi")
	s.schedule(func(c *config.SchedulerConfiguration) { c.ServeDefaultScheduler = true })
	ordinary := func(p *v1.Pod) { p.Spec.SchedulerName = v1.DefaultSchedulerName }
	s.pod("web", "", "100m", ordinary)
	s.pod("says-it-is-a-member", "no-such-group", "100m", ordinary)
	s.awaitBound("says-it-is-a-member", "web")
	s.deletePod("web")
	s.deletePod("says-it-is-a-member")

	app := s.submit("kept", 3)
	s.await("the driver is bound", func() bool { return s.isBound(app.Driver) })
	s.pod("web", "", "1", ordinary)
	s.await("an ordinary pod was refused", func() bool { return s.unschedulable("web") })
	for i := range 3 {
		s.executor(app, i)
	}
	s.await("all executors are bound", func() bool { return len(s.bound()) == 4 })
	s.deletePod(app.Driver)
	s.await("the ordinary pod is bound", func() bool { return s.isBound("web") })
}

func TestRoomThatIsNotClaimedIsFreeForOthersInTheEnd(t *testing.T) {
	s := newStage(t, 1, "cpu=4,memory=16Gi")
	s.schedule(func(c *config.SchedulerConfiguration) { c.Gangs.ExpectedMemberTimeout.Duration = 3 * time.Second })
	app := s.submit("late", 3)
	s.await("the driver is bound", func() bool { return s.isBound(app.Driver) })
	s.pod("patient", "", "3")
	s.await("the patient pod was refused", func() bool { return s.unschedulable("patient") || s.isBound("patient") })
	// No pod ends and no node changes here: only the promise does.
	s.awaitBound(app.Driver, "patient")
}

func (s *stage) unschedulable(name string) bool {
	s.t.Helper()
	p, err := s.client.CoreV1().Pods("default").Get(s.ctx, name, metav1.GetOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range p.Status.Conditions {
		if c.Type == v1.PodScheduled && c.Status == v1.ConditionFalse {
			return true
		}
	}
	return false
}
