package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
)

var epoch = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func at(seconds int) metav1.Time {
	return metav1.NewTime(epoch.Add(time.Duration(seconds) * time.Second))
}

func testApps(names ...string) []application {
	var apps []application
	for _, name := range names {
		s := size{driverCPU: resource.MustParse("1"), executorCPU: resource.MustParse("300m"), executors: 3}
		apps = append(apps, application{question{name: name}, s})
	}
	return apps
}

// driver and executor make pods as Spark does; the options bring them further.
func driver(app string, opts ...func(*corev1.Pod)) *corev1.Pod {
	return pod(app+"-driver", map[string]string{appNameLabel: app, selectorLabel: "spark-" + app, roleLabel: "driver"}, opts)
}

func executor(app string, n int, opts ...func(*corev1.Pod)) *corev1.Pod {
	return pod(fmt.Sprintf("%s-exec-%d", app, n), map[string]string{selectorLabel: "spark-" + app, roleLabel: "executor"}, opts)
}

func pod(name string, labels map[string]string, opts []func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels, CreationTimestamp: at(0)}}
	p.Status.Phase = corev1.PodPending
	for _, opt := range opts {
		opt(p)
	}
	return p
}

func refused(message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: message}}
	}
}

func boundTo(node string, second int) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.NodeName = node
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: at(second)}}
	}
}

func inPhase(phase corev1.PodPhase) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.Phase = phase }
}

func exited(code int32, second int) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodSucceeded
		if code != 0 {
			p.Status.Phase = corev1.PodFailed
		}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Error", FinishedAt: at(second)},
		}}}
	}
}

func TestWhatIsSaidOfAnApplication(t *testing.T) {
	running := []func(*corev1.Pod){boundTo("node-1", 7), inPhase(corev1.PodRunning)}
	for _, c := range []struct {
		name string
		pods []*corev1.Pod
		want string
	}{
		{"before its driver exists", nil, "not submitted yet"},
		{"before anyone has looked at it", []*corev1.Pod{driver("a")}, "is submitted"},
		{"while it waits", []*corev1.Pod{driver("a", refused("1.9 CPUs are missing"))}, "waits whole: 1.9 CPUs are missing"},
		{"when its driver is bound", []*corev1.Pod{driver("a", boundTo("node-1", 7))}, "has its room, driver starts on node-1"},
		{"when its driver runs", []*corev1.Pod{driver("a", running...)}, "driver runs on node-1"},
		{
			"when it runs with what it needs",
			[]*corev1.Pod{
				driver("a", running...), executor("a", 1, boundTo("node-2", 9)), executor("a", 2, boundTo("node-2", 9)), executor("a", 3, boundTo("node-1", 9)),
			},
			"runs whole, driver on node-1, executors on node-1, node-2 ×2",
		},
		{
			"when its executors fit nowhere",
			[]*corev1.Pod{driver("a", running...), executor("a", 1, refused("Insufficient cpu"))},
			"driver holds 1 CPU on node-1 without executors: Insufficient cpu",
		},
		{
			"when it runs with less than it needs",
			[]*corev1.Pod{driver("a", running...), executor("a", 1, boundTo("node-2", 9)), executor("a", 2, refused("Insufficient cpu"))},
			"runs with 1 of 3 executors: Insufficient cpu",
		},
		{
			"when not all executors have come",
			[]*corev1.Pod{driver("a", running...), executor("a", 1, boundTo("node-2", 9))},
			"driver runs on node-1",
		},
		{"when it is done", []*corev1.Pod{driver("a", boundTo("node-1", 7), exited(0, 40))}, "has finished after 33 s"},
		{
			"when somebody has deleted its driver",
			[]*corev1.Pod{driver("a", running...), deleted(driver("a", running...))},
			"has failed: its pod was deleted",
		},
		{
			"when its driver was deleted after its end",
			[]*corev1.Pod{deleted(driver("a", boundTo("node-1", 7), exited(0, 40)))},
			"has finished after 33 s",
		},
		{"when it has failed", []*corev1.Pod{driver("a", boundTo("node-1", 7), exited(1, 9))}, "has failed: exit code 1 Error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBoard(testApps("a"))
			for _, p := range c.pods {
				b.see(p)
			}
			if got := b.runs[0].String(); got != c.want {
				t.Errorf("said %q, want %q", got, c.want)
			}
		})
	}
}

func TestADeadlockIsOneOnlyWhenNothingCanMove(t *testing.T) {
	stuck := func(app string) []*corev1.Pod {
		return []*corev1.Pod{driver(app, boundTo("node-1", 1), inPhase(corev1.PodRunning)), executor(app, 1, refused("Insufficient cpu"))}
	}
	for _, c := range []struct {
		name string
		pods []*corev1.Pod
		want bool
	}{
		{"all drivers run, all executors are refused", append(stuck("a"), stuck("b")...), true},
		{"one driver waits for room, which the other will never give", append(stuck("a"), driver("b", refused("Insufficient cpu"))), true},
		{"one has ended, the other is stuck", append(stuck("a"), driver("b", exited(0, 9))), true},
		{"one has an executor, and will end", append(append(stuck("a"), stuck("b")...), executor("b", 2, boundTo("node-2", 2))), false},
		{"one driver has only just started", append(stuck("a"), driver("b", boundTo("node-2", 1), inPhase(corev1.PodRunning))), false},
		{"one is not submitted yet", stuck("a"), false},
		{"both wait, none holds any room", []*corev1.Pod{driver("a", refused("x")), driver("b", refused("x"))}, false},
		{"both have ended", []*corev1.Pod{driver("a", exited(0, 9)), driver("b", exited(1, 9))}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBoard(testApps("a", "b"))
			for _, p := range c.pods {
				b.see(p)
			}
			if got := b.deadlocked(); got != c.want {
				t.Errorf("deadlocked is %v, want %v", got, c.want)
			}
		})
	}
}

// TestTheOrderInWhichPodsAreSeen checks that only each pod's own order matters.
func TestTheOrderInWhichPodsAreSeen(t *testing.T) {
	states := map[string][]*corev1.Pod{
		"driver":     {driver("a"), driver("a", boundTo("node-1", 3)), driver("a", boundTo("node-1", 3), exited(0, 30))},
		"executor 1": {executor("a", 1), executor("a", 1, boundTo("node-2", 5))},
		"executor 2": {executor("a", 2, refused("x")), executor("a", 2, boundTo("node-1", 5))},
		"stranger":   {driver("z"), executor("z", 1)},
	}
	rapid.Check(t, func(t *rapid.T) {
		b, next := newBoard(testApps("a")), map[string]int{}
		for {
			var open []string
			for name := range states {
				if next[name] < len(states[name]) {
					open = append(open, name)
				}
			}
			if len(open) == 0 {
				break
			}
			slices.Sort(open)
			name := rapid.SampledFrom(open).Draw(t, "next")
			b.see(states[name][next[name]])
			next[name]++
		}
		r := b.runs[0]
		if r.String() != "has finished after 27 s" || r.places() != "node-1, node-2" || r.boundExecutors() != 2 {
			t.Fatalf("ended as %q with executors on %q", r, r.places())
		}
	})
}

func TestFollow(t *testing.T) {
	pods := make(chan *corev1.Pod, 8)
	failed := make(chan error, 1)
	c := &console{out: io.Discard}
	t.Run("ends when all applications have ended", func(t *testing.T) {
		pods <- driver("a", boundTo("node-1", 1), exited(0, 5))
		pods <- driver("b", boundTo("node-1", 1), exited(1, 5))
		if err := c.follow(t.Context(), newBoard(testApps("a", "b")), pods, failed); err != nil {
			t.Error(err)
		}
	})
	t.Run("ends when an application cannot be submitted", func(t *testing.T) {
		failed <- io.ErrUnexpectedEOF
		if err := c.follow(t.Context(), newBoard(testApps("a")), pods, failed); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("error is %v, want %v", err, io.ErrUnexpectedEOF)
		}
	})
	t.Run("tells each change once", func(t *testing.T) {
		var said strings.Builder
		c := &console{began: time.Now(), out: &said}
		for range 3 {
			pods <- driver("a", refused("no room"))
		}
		pods <- driver("a", boundTo("node-1", 1), exited(0, 5))
		if err := c.follow(t.Context(), newBoard(testApps("a")), pods, failed); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(said.String(), "waits whole: no room\n"); n != 1 {
			t.Errorf("said %d times that it waits, want once:\n%s", n, said.String())
		}
	})
}
