package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Labels that Spark puts on its pods.
const (
	appNameLabel  = "spark-app-name"     // on the driver: the name given to spark-submit
	selectorLabel = "spark-app-selector" // on all pods of an application: its id
	roleLabel     = "spark-role"
)

// application is what is submitted.
type application struct {
	question
	size
}

// run is what the cluster shows of one application. It is folded together from
// its pods, in whatever order these are seen, and forgets nothing when they go.
type run struct {
	application
	id        string // spark-app-selector, known once there is a driver
	driver    podState
	executors map[string]podState // by name
}

// podState is what matters of a pod.
type podState struct {
	name, node             string
	phase                  corev1.PodPhase
	created, bound, ended  time.Time
	unschedulable, failure string // messages
}

// board holds the state of all applications.
type board struct {
	runs     []*run
	byID     map[string]*run
	homeless map[string][]podState // executors seen before their driver, by id
}

func newBoard(apps []application) *board {
	b := &board{byID: map[string]*run{}, homeless: map[string][]podState{}}
	for _, app := range apps {
		b.runs = append(b.runs, &run{application: app, executors: map[string]podState{}})
	}
	return b
}

// see takes a pod's present state in, and returns the application that it belongs
// to, or nil where that isn't known (yet).
func (b *board) see(pod *corev1.Pod) *run {
	id, state := pod.Labels[selectorLabel], stateOf(pod)
	if pod.Labels[roleLabel] == "executor" {
		r := b.byID[id]
		if r == nil {
			b.homeless[id] = append(b.homeless[id], state)
			return nil
		}
		r.executors[state.name] = state
		return r
	}
	for _, r := range b.runs {
		if r.name != pod.Labels[appNameLabel] || (r.id != "" && r.id != id) {
			continue
		}
		r.id, r.driver = id, state
		b.byID[id] = r
		for _, executor := range b.homeless[id] {
			r.executors[executor.name] = executor
		}
		delete(b.homeless, id)
		return r
	}
	return nil
}

// stateOf reads a pod. Its times are those of the API, whole seconds.
func stateOf(pod *corev1.Pod) podState {
	s := podState{name: pod.Name, node: pod.Spec.NodeName, phase: pod.Status.Phase, created: pod.CreationTimestamp.Time}
	for _, c := range pod.Status.Conditions {
		if c.Type != corev1.PodScheduled {
			continue
		}
		if c.Status == corev1.ConditionTrue {
			s.bound = c.LastTransitionTime.Time
		} else {
			s.unschedulable = c.Message
		}
	}
	for _, c := range pod.Status.ContainerStatuses {
		if t := c.State.Terminated; t != nil {
			s.ended = t.FinishedAt.Time
			if t.ExitCode != 0 {
				s.failure = fmt.Sprintf("exit code %d %s", t.ExitCode, t.Reason)
			}
		}
	}
	if s.failure == "" && s.phase == corev1.PodFailed {
		s.failure = strings.TrimSpace(pod.Status.Reason + " " + pod.Status.Message)
	}
	return s
}

// ended tells whether the application has come to its end, good or bad.
func (r *run) ended() bool {
	return r.driver.phase == corev1.PodSucceeded || r.driver.phase == corev1.PodFailed
}

// waiting tells whether the application has not got any room yet.
func (r *run) waiting() bool { return r.driver.node == "" && !r.ended() }

// boundExecutors counts the executors that have a node, or had one.
func (r *run) boundExecutors() int {
	n := 0
	for _, e := range r.executors {
		if e.node != "" {
			n++
		}
	}
	return n
}

// starving tells that the driver holds room while none of its executors has any
// and at least one was refused: it can neither work nor end.
func (r *run) starving() bool {
	return r.driver.phase == corev1.PodRunning && r.boundExecutors() == 0 && r.refusal() != ""
}

// refusal is why an executor has no node, in the scheduler's words. What
// kube-scheduler adds about preemption says nothing here, and is left out.
func (r *run) refusal() string {
	for _, name := range slices.Sorted(maps.Keys(r.executors)) {
		if e := r.executors[name]; e.node == "" && e.unschedulable != "" {
			reason, _, _ := strings.Cut(e.unschedulable, " preemption:")
			return reason
		}
	}
	return ""
}

// places counts the executors on each node, as "node-1 ×2, node-2".
func (r *run) places() string {
	count := map[string]int{}
	for _, e := range r.executors {
		if e.node != "" {
			count[e.node]++
		}
	}
	var list []string
	for _, node := range slices.Sorted(maps.Keys(count)) {
		if n := count[node]; n > 1 {
			node += fmt.Sprintf(" ×%d", n)
		}
		list = append(list, node)
	}
	return strings.Join(list, ", ")
}

// String says how the application does, in half a line.
func (r *run) String() string {
	d := r.driver
	switch {
	case r.id == "":
		return "not submitted yet"
	case d.phase == corev1.PodSucceeded:
		return fmt.Sprintf("has finished after %d s", seconds(d.bound, d.ended))
	case d.phase == corev1.PodFailed:
		return "has failed: " + cmp.Or(d.failure, "no reason given")
	case d.node == "" && d.unschedulable == "":
		return "is submitted"
	case d.node == "":
		return "waits whole: " + d.unschedulable
	case d.phase == corev1.PodPending:
		return "has its room, driver starts on " + d.node
	case r.starving():
		return fmt.Sprintf("driver holds %s CPU on %s without executors: %s", r.driverCPU.String(), d.node, r.refusal())
	case r.boundExecutors() >= r.size.executors:
		return fmt.Sprintf("runs whole, driver on %s, executors on %s", d.node, r.places())
	case r.refusal() != "":
		return fmt.Sprintf("runs with %d of %d executors: %s", r.boundExecutors(), r.size.executors, r.refusal())
	}
	return "driver runs on " + d.node // its executors are on their way
}

func seconds(from, to time.Time) int {
	if from.IsZero() || to.IsZero() {
		return 0
	}
	return int(to.Sub(from).Seconds())
}
