package spark

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"muster.sh/muster/internal/sparksubmit"
)

// killedComponents kills every process of the cluster in turn, each time together
// with an executor, so that another must come by way of what was killed. The oldest
// executor goes: while its watch of the API server is broken, a driver sees pods
// only now and then, and never replaces one that came and went in between.
func killedComponents(s *story) {
	components := s.Components()
	deaths := len(components) + len(daemons)
	app := application{
		name: "outlives-everything", executors: full, steps: slices.Concat([]int{full}, slices.Repeat([]int{rest, full}, deaths)),
		settings: []sparksubmit.Setting{
			{Key: "spark.kubernetes.executor.apiPollingInterval", Value: "5s"},
			{Key: "spark.executor.maxNumFailures", Value: "100"},
			{Key: "spark.task.maxFailures", Value: "100"},
		},
	}
	s.settle("neighbour")
	s.submit(app)
	s.meet(app, 0)()
	step := 0
	replaced := func(kill func(victim *corev1.Pod)) {
		goOn := s.meet(app, step+1)
		victim := slices.MinFunc(s.awaitRunning(app, full), func(a, b *corev1.Pod) int {
			return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
		})
		s.deleteAtOnce(victim)
		kill(victim)
		goOn()
		step += 2
		s.meet(app, step)()
	}
	for _, component := range components {
		s.Logf("killing %s", component)
		replaced(func(*corev1.Pod) { s.must(s.Outage(s.ctx, component)) })
	}
	for _, daemon := range daemons {
		s.Logf("killing %s", daemon)
		replaced(func(victim *corev1.Pod) { s.killDaemon(daemon, victim.Spec.NodeName) })
	}
	s.succeed(app)
}
