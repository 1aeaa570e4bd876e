package run

import (
	"context"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	kubescheduler "k8s.io/kubernetes/pkg/scheduler"
	schedulerconfig "k8s.io/kubernetes/pkg/scheduler/apis/config"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"
	"k8s.io/kubernetes/pkg/scheduler/profile"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/scheduler/core"
	"muster.sh/muster/scheduler/gang"
	"muster.sh/muster/scheduler/hold"
	"muster.sh/muster/scheduler/planner"
	"muster.sh/muster/scheduler/plugin"
	"muster.sh/muster/scheduler/source"
)

// cluster is what an engine is built on.
type cluster struct {
	Clients
	// rest is the connection of the clients, nil where they have none.
	rest      *rest.Config
	informers informers.SharedInformerFactory
	pods      cache.SharedIndexInformer // all of them
}

// assemble builds an engine that is not running. The order matters:
// kube-scheduler's queue is wrapped before its informers start, and nothing
// has taken the inner queue from it by then but the nominator and the
// activator, for which it is the right one.
func assemble(ctx context.Context, c *config.SchedulerConfiguration, on cluster) (*engine, error) {
	kube, err := kubeSchedulerConfig(c)
	if err != nil {
		return nil, err
	}
	board := &core.Board{}
	member := members(c.SchedulerName)
	options := machineOptions(c)
	e := &engine{recovered: make(chan struct{}), contention: plugin.NewContention(board), recording: newRecording(c, options)}
	machine := core.NewMachine(options)
	e.metrics = newMetrics(e, machine)
	e.loop = core.NewLoop(machine, core.LoopOptions{
		Board: board, Now: steadyClock(),
		Handle: func(decisions []core.Decision) { e.carryOut(ctx, decisions) },
		Observe: func(event core.Stamped, decisions []core.Decision, took time.Duration) {
			e.observe(ctx, event, decisions, took)
		},
	})
	e.latch = plugin.NewLatch(board.Placement, e.loop.Post)

	e.broadcast = events.NewBroadcaster(&events.EventSinkImpl{Interface: on.Kubernetes.EventsV1()})
	e.kube, err = newKubeScheduler(ctx, kube, on, recorders(e.broadcast, c, member), plugin.Options{
		Board: board, Member: member, Aligned: source.Demand, Post: e.loop.Post, Latch: e.latch, Contention: e.contention,
	})
	if err != nil {
		return nil, err
	}
	e.queue = hold.Wrap(e.kube.SchedulingQueue, hold.Options{
		Member: member, Placement: board.Placement, Post: e.loop.Post, Gone: e.latch.Gone,
	})
	e.kube.SchedulingQueue = e.queue
	e.kube.NextEntity = e.queue.Pop
	handler := &failures{
		stock: e.kube.FailureHandler, member: member, queue: e.queue, placement: board.Placement,
		post: e.loop.Post, vetoed: e.metrics.vetoed,
	}
	e.kube.FailureHandler = handler.handle
	return e, nil
}

// newKubeScheduler is kube-scheduler with our plugins. It gets no factory of
// dynamic informers: none of the plugins watches a custom resource, and an
// event of ours that no informer delivers is allowed only without one.
func newKubeScheduler(ctx context.Context, kube *schedulerconfig.KubeSchedulerConfiguration, on cluster, recorder profile.RecorderFactory, o plugin.Options) (*kubescheduler.Scheduler, error) {
	s, err := kubescheduler.New(ctx, on.Kubernetes, on.informers, nil, recorder,
		kubescheduler.WithComponentConfigVersion(kube.APIVersion),
		kubescheduler.WithKubeConfig(on.rest),
		kubescheduler.WithProfiles(kube.Profiles...),
		kubescheduler.WithPercentageOfNodesToScore(kube.PercentageOfNodesToScore),
		kubescheduler.WithFrameworkOutOfTreeRegistry(frameworkruntime.Registry{
			plugin.Name:           plugin.Factory(o),
			plugin.PreemptionName: plugin.PreemptionFactory(o.Member),
		}),
		kubescheduler.WithPodMaxBackoffSeconds(kube.PodMaxBackoffSeconds),
		kubescheduler.WithPodInitialBackoffSeconds(kube.PodInitialBackoffSeconds),
		kubescheduler.WithExtenders(kube.Extenders...),
		kubescheduler.WithParallelism(kube.Parallelism),
	)
	if err != nil {
		return nil, fmt.Errorf("set up kube-scheduler: %w", err)
	}
	return s, nil
}

// members says which pods are members: pods of our name that say so. Others
// are scheduled one by one, whatever labels they have.
func members(schedulerName string) func(*v1.Pod) bool {
	return func(pod *v1.Pod) bool {
		if pod.Spec.SchedulerName != schedulerName {
			return false
		}
		_, _, ok := source.GangOf(pod)
		return ok
	}
}

func machineOptions(c *config.SchedulerConfiguration) core.Options {
	o := core.DefaultOptions()
	o.ExpectedTimeout = c.Gangs.ExpectedMemberTimeout.Duration
	o.BackOff = c.Gangs.ExpectedMemberBackOff.Duration
	o.BelowMinimum = gang.BelowMinimum{Policy: policies[c.Gangs.BelowMinimum.Policy], Timeout: c.Gangs.BelowMinimum.Timeout.Duration}
	o.MaxAttempts = int(c.Gangs.MaxAttempts)
	o.RetryAfter = c.Gangs.RetryAfter.Duration
	o.Backfill = int(*c.Backfill.Depth)
	o.Strategy = strategies[c.Placement.Strategy]
	if c.Autoscaling.Asks() {
		o.AskAfter = c.Autoscaling.After.Duration
	}
	if moves := &c.Consolidation; moves.Enabled {
		o.Moves = core.Clearing{
			MaxPods: int(moves.MaxMoves), MaxTries: int(*moves.MaxTries), After: moves.After.Duration,
			MinRuntime: moves.Cooldown.Duration, Cooldown: moves.Cooldown.Duration, Timeout: moves.Timeout.Duration,
		}
	}
	if takes := &c.Reclaim; *takes.Enabled {
		o.Reclaim = core.Clearing{
			MaxPods: int(takes.MaxEvictions), MaxTries: int(*takes.MaxTries), After: takes.After.Duration,
			MinRuntime: takes.MinRuntime.Duration, Cooldown: takes.Cooldown.Duration, Timeout: takes.Timeout.Duration,
		}
	}
	return o
}

// policies of gangs below their minimum, by their names in the configuration.
var policies = map[config.BelowMinimumPolicy]gang.Policy{
	config.ContinueBelowMinimum: gang.Continue, config.WaitBelowMinimum: gang.Wait, config.GoBelowMinimum: gang.Go,
}

// strategies of placing, by their names in the configuration.
var strategies = map[config.Strategy]func([]planner.Sample) planner.Strategy{
	config.Pack:   func([]planner.Sample) planner.Strategy { return planner.Pack{} },
	config.Spread: func([]planner.Sample) planner.Strategy { return planner.Spread{} },
	config.Fragmentation: func(usual []planner.Sample) planner.Strategy {
		return planner.Fragmentation{Workload: usual}
	},
}
