package spark

import (
	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/internal/sparksubmit"
	"muster.sh/muster/test/testcluster"
)

func killedExecutor(s *story) {
	first := application{
		name: "loses-executor", executors: full, steps: []int{full, rest, full},
		// Spark looks for pods that were lost without a word every 30 s.
		settings: []sparksubmit.Setting{{Key: "spark.kubernetes.executor.apiPollingInterval", Value: "5s"}},
	}
	second := application{name: "waits-for-it", executors: full, steps: []int{full}}
	s.settle("neighbour")
	s.submit(first)
	s.meet(first, 0)()
	goOn := s.meet(first, 1)
	s.submit(second)
	s.awaitDriver(second, "waits for room", waits)

	before := s.awaitRunning(first, full)
	victim := before[0]
	s.deleteAtOnce(victim)
	s.await("the killed executor is gone", func() bool { return len(s.Pods.List(is(victim))) == 0 })
	after := s.awaitRunning(first, full)
	replacement := newIn(after, before)
	if len(replacement) != 1 {
		s.Fatalf("%d executors have come for the killed one, want 1", len(replacement))
	}
	if got, want := replacement[0].Spec.NodeName, victim.Spec.NodeName; got != want {
		s.Errorf("the replacement runs on %s, want %s, where the room of the killed one is", got, want)
	}
	s.requireUnbound(second)

	goOn()
	s.meet(first, 2)() // the replacement works, too
	s.succeed(first)
	s.meet(second, 0)()
	s.succeed(second)
}

func killedDriver(s *story) {
	first := application{name: "loses-driver", executors: full, steps: []int{full, rest}}
	second := application{name: "inherits", executors: full, steps: []int{full}}
	s.settle("neighbour")
	s.submit(first)
	s.meet(first, 0)()
	defer s.meet(first, 1)()
	s.submit(second)
	s.awaitDriver(second, "waits for room", waits)

	driver := s.awaitDriver(first, "runs", testcluster.Running)
	if n := len(s.reservedNodes(driver)); n != full {
		s.Fatalf("room for %d executors is reserved, want it for %d, or nothing could be left over", n, full)
	}
	s.execute(driver, "pkill", "-KILL", "java")
	if dead := s.awaitDriver(first, "has ended", testcluster.Ended); testcluster.Succeeded(dead) {
		s.Fatal("the killed driver has succeeded")
	}
	s.awaitForgotten(driver)
	s.meet(second, 0)()
	s.succeed(second)
}

func is(pod *corev1.Pod) func(*corev1.Pod) bool {
	return func(other *corev1.Pod) bool { return other.UID == pod.UID }
}

// newIn are the pods that were not there before.
func newIn(after, before []*corev1.Pod) []*corev1.Pod {
	var added []*corev1.Pod
	for _, pod := range after {
		if testcluster.Count(before, is(pod)) == 0 {
			added = append(added, pod)
		}
	}
	return added
}

// requireUnbound requires that no pod of an application has a node.
func (s *story) requireUnbound(a application) {
	s.Helper()
	if n := len(s.Pods.List(testcluster.And(of(a), testcluster.Bound))); n > 0 {
		s.Errorf("%d pods of %s are bound in a full cluster", n, a.name)
	}
}
