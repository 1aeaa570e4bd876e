// Package trial lets one scheduler do one scenario on a cluster of its own, and
// tells what came of it, from outside: by the API server's audit log and the
// processes' own CPU time.
package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/util/wait"

	"muster.sh/muster/benchmarks/audit"
	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/meter"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/internal/localcluster"
)

// Trial is one run to be done.
type Trial struct {
	Scenario  scenario.Scenario
	Contender contender.Contender
	Round     int
	// Logs is where the logs of a run that fails are kept.
	Logs string
	// Timeout bounds the time from the scheduler's start to the last bind.
	Timeout time.Duration
	// Progress is told what happens; nil: nothing is said.
	Progress io.Writer
}

// quiet is the least part of the machine's work that must be the run's own for
// its times to mean something.
const quiet = .9

// Run does it. A scheduler that fails is a result; an error is what keeps a run
// from being one, such as a cluster that does not start.
func (t Trial) Run(ctx context.Context) (Result, error) {
	r := Result{Scenario: t.Scenario, Contender: t.Contender.Name, Round: t.Round, At: time.Now(), Costs: map[string]meter.Cost{}}
	if t.Scenario.Mode == scenario.Loop {
		return t.loop(ctx, r)
	}
	dir, err := os.MkdirTemp("", "muster-bench-")
	if err != nil {
		return r, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // what matters of it is copied
	cluster, err := t.up(ctx, dir)
	if err != nil {
		return r, err
	}
	m := &measured{Trial: t, cluster: cluster, result: &r}
	r.Processes, err = processes(cluster, t.Contender.Components)
	if err == nil {
		err = m.run(ctx)
	}
	if err == nil {
		err = m.judge()
	}
	if err != nil || r.Failed != "" {
		err = errors.Join(err, m.keepLogs())
	}
	return r, errors.Join(err, cluster.Close())
}

func (t Trial) up(ctx context.Context, dir string) (*localcluster.Cluster, error) {
	shape, err := localcluster.ParseShape(t.Scenario.Shape())
	if err != nil {
		return nil, err
	}
	spec := localcluster.Spec{
		Dir: filepath.Join(dir, "cluster"), SimNodes: t.Scenario.Nodes, SimNodeShape: shape,
		Schedulers: []localcluster.SchedulerSpec{}, AuditLog: true, SeparateProcesses: true, Progress: t.Progress,
	}
	if err := t.Contender.Setup(ctx, &spec, dir); err != nil {
		return nil, fmt.Errorf("set up %s: %w", t.Contender.Name, err)
	}
	return localcluster.Up(ctx, spec)
}

// measured is a run on its cluster.
type measured struct {
	Trial
	cluster *localcluster.Cluster
	result  *Result
	began   time.Time
	own     time.Duration // this process's CPU time before
	// repeated is how often the scheduler had written again of what it holds before.
	repeated int
}

func (m *measured) run(ctx context.Context) error {
	load, err := newLoad(m.cluster, m.Scenario, m.Contender)
	if err != nil {
		return err
	}
	if err := load.makeNamespace(ctx, scenario.Namespace); err != nil {
		return err
	}
	if err := m.before(ctx, load); err != nil {
		return err
	}
	before, err := m.costs()
	if err != nil {
		return err
	}
	own, err := meter.Process(os.Getpid())
	if err != nil {
		return err
	}
	m.own = own.CPU
	machine, err := meter.Machine()
	if err != nil {
		return err
	}
	m.began = time.Now()
	limited, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	if err := m.work(limited, load); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		m.result.Failed = err.Error()
	}
	return m.count(before, machine)
}

// before does what is not measured.
func (m *measured) before(ctx context.Context, load *load) error {
	switch m.Scenario.Mode {
	case scenario.PreCreated, scenario.Restart:
		if m.Scenario.Running > 0 {
			if err := load.runGangs(ctx); err != nil {
				return err
			}
		}
		if err := load.declare(ctx, load.gangs()...); err != nil {
			return err
		}
		if err := m.measureStart(ctx); err != nil {
			return err
		}
		return load.create(ctx, load.pods(load.gangs()...)...)
	case scenario.Concurrent:
		return load.declare(ctx, load.gangs()...)
	case scenario.Stream:
		return m.hold(ctx, load)
	case scenario.Contention:
		return m.settle(ctx)
	}
	return nil
}

// measureStart finds what it costs the scheduler to start and to read all nodes,
// and leaves it down.
func (m *measured) measureStart(ctx context.Context) error {
	if err := m.each((*localcluster.Cluster).Kill); err != nil {
		return err
	}
	err := m.each(func(c *localcluster.Cluster, name string) error { return c.Start(ctx, name) })
	if err != nil {
		return err
	}
	if m.result.Start, err = m.idle(ctx); err != nil {
		return err
	}
	return m.each((*localcluster.Cluster).Kill)
}

const (
	idlePoll = 500 * time.Millisecond
	// idlePart is how much of a CPU a process may use that has nothing to do.
	idlePart = .05
)

// idle waits until the scheduler has nothing to do any more, and returns what it
// has used.
func (m *measured) idle(ctx context.Context) (time.Duration, error) {
	last := time.Duration(-1)
	var used time.Duration
	err := wait.PollUntilContextCancel(ctx, idlePoll, true, func(context.Context) (bool, error) {
		var err error
		if used, err = m.used(); err != nil {
			return false, err
		}
		quiet := last >= 0 && (used-last).Seconds() <= idlePart*idlePoll.Seconds()
		last = used
		return quiet, nil
	})
	return used, err
}

// used is the CPU time of the scheduler's processes since they were started.
func (m *measured) used() (time.Duration, error) {
	var sum time.Duration
	for _, name := range m.Contender.Components {
		pid, err := m.cluster.PID(name)
		if err != nil {
			return 0, err
		}
		cost, err := meter.Process(pid)
		if err != nil {
			return 0, err
		}
		sum += cost.CPU
	}
	return sum, nil
}

// work has the scheduler bind all pods.
func (m *measured) work(ctx context.Context, load *load) error {
	switch m.Scenario.Mode {
	case scenario.Burst:
		return m.burst(ctx, load)
	case scenario.Stream:
		return m.stream(ctx, load)
	case scenario.Contention, scenario.Trace:
		return m.contend(ctx, load)
	}
	bound := make(chan error, 1)
	go func() { bound <- m.awaitBound(ctx, load.client) }()
	var err error
	if m.Scenario.Mode == scenario.Concurrent {
		err = load.create(ctx, load.pods(load.gangs()...)...)
	} else {
		err = m.start(ctx)
	}
	return errors.Join(err, <-bound)
}

// start starts the scheduler, and notes when it is ready and what that has cost.
func (m *measured) start(ctx context.Context) error {
	if err := m.each(func(c *localcluster.Cluster, name string) error { return c.Start(ctx, name) }); err != nil {
		return err
	}
	m.result.Ready = time.Since(m.began).Seconds()
	var err error
	m.result.ReadyCPU, err = m.used()
	return err
}

// each does something with all of the contender's processes at the same time.
func (m *measured) each(do func(*localcluster.Cluster, string) error) error {
	var group errgroup.Group
	for _, name := range m.Contender.Components {
		group.Go(func() error { return do(m.cluster, name) })
	}
	return group.Wait()
}

// costs are those of all components that run.
func (m *measured) costs() (map[string]meter.Cost, error) {
	costs := map[string]meter.Cost{}
	for _, name := range m.cluster.Components() {
		pid, err := m.cluster.PID(name)
		if err != nil {
			return nil, err
		}
		if pid == 0 {
			continue
		}
		if costs[name], err = meter.Process(pid); err != nil {
			return nil, err
		}
	}
	return costs, nil
}

// count takes what the measured time has cost.
func (m *measured) count(before map[string]meter.Cost, machine time.Duration) error {
	after, err := m.costs()
	if err != nil {
		return err
	}
	total, err := meter.Machine()
	if err != nil {
		return err
	}
	own, err := meter.Process(os.Getpid())
	if err != nil {
		return err
	}
	sum := own.CPU - m.own // the load's
	for name, cost := range after {
		cost.CPU -= before[name].CPU
		m.result.Costs[name] = cost
		sum += cost.CPU
		if slices.Contains(m.Contender.Components, name) {
			m.result.Scheduler.CPU += cost.CPU
			m.result.Scheduler.PeakMemory += cost.PeakMemory
		}
	}
	m.result.takeShare(sum, total-machine)
	return nil
}

// takeShare notes how much of the machine's work was the run's own.
func (r *Result) takeShare(own, machine time.Duration) {
	if machine > 0 {
		r.Share = own.Seconds() / machine.Seconds()
	}
	if r.Share < quiet {
		r.Unfit = fmt.Sprintf("only %.0f %% of the machine's work was the run's own", 100*r.Share)
	}
}

// judge reads the audit log.
func (m *measured) judge() error {
	log, err := audit.Open(m.cluster.AuditLogPath())
	if err != nil {
		return err
	}
	timeline := log.Timeline()
	gangs := m.gangs(timeline)
	if m.Scenario.Mode == scenario.Burst {
		gangs = m.applications(timeline)
	}
	verdict := audit.Judge(log, timeline, audit.Case{Gangs: gangs, Options: audit.Options{End: time.Now()}})
	m.result.take(verdict, m.Contender.Blind)
	m.times(gangs)
	switch m.Scenario.Mode {
	case scenario.Stream:
		m.judgeStream(gangs, verdict.Writes)
	case scenario.Contention:
		m.judgeContest(timeline, gangs)
	case scenario.Trace:
		m.judgeReplay(timeline, gangs)
	default:
		m.writes(verdict.Writes)
	}
	return nil
}

// writes counts what the contender has written, per gang.
func (m *measured) writes(w audit.WriteCounts) {
	n := float64(m.Scenario.Gangs)
	m.result.Writes = float64(w.All.Sum(func(w audit.Write) bool { return m.wrote(w) && w.Resource != "pods/binding" }).Done) / n
	m.result.Events = float64(w.Events.Sum(m.wrote).Done) / n
}

// wrote tells whether the contender wrote it.
func (m *measured) wrote(w audit.Write) bool { return slices.Contains(m.Contender.Users, w.User) }

// name is that of what is kept of the run.
func (t Trial) name() string {
	return fmt.Sprintf("%s-%s-%d", strings.ReplaceAll(t.Scenario.Name, "/", "-"), t.Contender.Name, t.Round)
}

// keepLogs copies the logs of the cluster.
func (m *measured) keepLogs() error {
	dir := filepath.Join(m.Logs, m.name())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("keep the logs: %w", err)
	}
	files := []string{m.cluster.AuditLogPath()}
	for _, name := range m.cluster.Components() {
		files = append(files, m.cluster.LogPath(name))
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), data, 0o600)
		}
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("keep the logs: %w", err)
		}
	}
	return nil
}

func (m *measured) gangs(tl *audit.Timeline) []audit.Gang {
	sizes := map[string]int{}
	for _, a := range m.Scenario.Arrivals() {
		sizes[a.Name] = a.Size
	}
	members := map[string][]*audit.Pod{}
	for _, p := range tl.Pods {
		if name := p.Labels[contender.GangLabel]; name != "" && p.Namespace == scenario.Namespace {
			members[name] = append(members[name], p)
		}
	}
	var gangs []audit.Gang
	for name, pods := range members {
		least := cmp.Or(sizes[name], m.Scenario.Size)
		if m.Scenario.Plain {
			least = 1
		}
		gangs = append(gangs, audit.Gang{Namespace: scenario.Namespace, Name: name, Min: least, Members: pods})
	}
	slices.SortFunc(gangs, func(a, b audit.Gang) int { return strings.Compare(a.Name, b.Name) })
	return gangs
}

func (m *measured) times(gangs []audit.Gang) {
	since := func(created, bound time.Time) float64 {
		if created.Before(m.began) {
			created = m.began
		}
		return bound.Sub(created).Seconds()
	}
	var pods, starts []float64
	for _, g := range gangs {
		for _, p := range g.Members {
			if !p.Bound.Known() {
				continue
			}
			m.result.Binds = append(m.result.Binds, p.Bound.By.Sub(m.began).Seconds())
			pods = append(pods, since(p.Created.By, p.Bound.By))
		}
	}
	for _, t := range audit.Times(gangs) {
		if !t.MinBound.IsZero() {
			starts = append(starts, since(t.Created, t.MinBound))
		}
	}
	for _, list := range [][]float64{m.result.Binds, pods, starts} {
		slices.Sort(list)
	}
	m.result.GangLatencies = starts
	m.result.Bound = len(m.result.Binds)
	if m.result.Bound > 0 {
		m.result.Span = m.result.Binds[m.result.Bound-1]
	}
	m.result.PodLatency, m.result.GangLatency = distribution(pods), distribution(starts)
}
