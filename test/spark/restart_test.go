package spark

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"muster.sh/muster/test/testcluster"
)

func killedScheduler(s *story) {
	app := application{name: "outlives-scheduler", executors: full, steps: []int{full}}
	readyBefore := s.readySince()
	s.settle("neighbour")
	s.submit(app)
	driver := s.awaitDriver(app, "is bound", testcluster.Bound)
	began := time.Now()
	s.must(s.Kill(testcluster.MusterComponent))
	if n := len(s.executors(app, anyPod)); n > 0 {
		s.Fatalf("%d executors were there before the scheduler was killed, so nothing would be shown", n)
	}
	reserved := s.reservedNodes(driver)
	if len(reserved) != full {
		s.Errorf("room is reserved on %v, want it for %d executors", reserved, full)
	}
	thief := s.createSleeper("thief")
	s.await("the executors wait for a scheduler", func() bool { return len(s.executors(app, anyPod)) == full })
	s.must(s.Start(s.ctx, testcluster.MusterComponent))
	s.Excuse(began)

	leave := s.meet(app, 0)
	var nodes []string
	for _, executor := range s.awaitRunning(app, full) {
		nodes = append(nodes, executor.Spec.NodeName)
	}
	slices.Sort(nodes)
	slices.Sort(reserved)
	if !slices.Equal(nodes, reserved) {
		s.Errorf("the executors run on %v, want %v, where their room was reserved", nodes, reserved)
	}
	if n := len(s.Pods.List(testcluster.And(is(thief), testcluster.Bound))); n > 0 {
		s.Error("a pod that had come before the executors has taken their room")
	}
	s.requireUndisturbed(driver, readyBefore)
	leave()
	s.succeed(app)
	s.await("the pod that waited runs", func() bool {
		return len(s.Pods.List(testcluster.And(is(thief), testcluster.Running))) == 1
	})
}

// readySince tells since when each node is ready.
func (s *story) readySince() map[string]metav1.Time {
	s.Helper()
	nodes, err := s.Client().CoreV1().Nodes().List(s.ctx, metav1.ListOptions{})
	s.must(err)
	since := map[string]metav1.Time{}
	for _, node := range nodes.Items {
		for _, c := range node.Status.Conditions {
			if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
				since[node.Name] = c.LastTransitionTime
			}
		}
	}
	return since
}

// requireUndisturbed requires that all nodes have been ready ever since, and that
// the container of a pod has never been started again.
func (s *story) requireUndisturbed(pod *corev1.Pod, readyBefore map[string]metav1.Time) {
	s.Helper()
	ready := s.readySince()
	for node, since := range readyBefore {
		if now, isReady := ready[node]; !isReady || !now.Equal(&since) {
			s.Errorf("node %s has not been ready all the time", node)
		}
	}
	for _, p := range s.Pods.List(is(pod)) {
		for _, c := range p.Status.ContainerStatuses {
			if c.RestartCount > 0 || c.State.Running == nil {
				s.Errorf("the container of %s did not run all the time", p.Name)
			}
		}
	}
}
