package run

import (
	"context"
	"fmt"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	config "muster.sh/muster/api/config/v1alpha1"
	"muster.sh/muster/scheduler/effects"
	"muster.sh/muster/scheduler/source"
)

// Clients are what a scheduler reads and writes a cluster by.
type Clients struct {
	// Kubernetes is for the built-in kinds of objects.
	Kubernetes kubernetes.Interface
	// Dynamic is for PodGroups, Queues, Reservations and what asks autoscalers for room.
	Dynamic dynamic.Interface
}

// RunOn schedules by clients until the context ends. All of the scheduler runs
// as under Run, but alone: it competes for no lease and serves no pages, and
// how the cluster is reached is the caller's business. It is for measuring the
// scheduler on something that takes the place of an API server.
//
// begin is called once, when all that exists has been taken up and nothing has
// been decided yet. Nothing is decided before it returns.
func RunOn(ctx context.Context, c *config.SchedulerConfiguration, clients Clients, begin func()) error {
	e, on, err := build(ctx, c, nil, clients, nil)
	if err != nil {
		return err
	}
	e.feed = gate{feed: e.feed, loop: e.loop, begin: begin}
	if !e.sync(ctx, on) {
		return nil
	}
	return e.act(ctx)
}

// build makes an engine that is not running, with all that it needs.
func build(ctx context.Context, c *config.SchedulerConfiguration, server *rest.Config, clients Clients, gates map[string]bool) (*engine, cluster, error) {
	on := cluster{rest: server, Clients: clients}
	if err := setGates(ctx, clients.Kubernetes.Discovery(), gates); err != nil {
		return nil, on, err
	}
	on.informers, on.pods = newInformers(clients.Kubernetes)
	e, err := assemble(ctx, c, on)
	if err != nil {
		return nil, on, err
	}
	return e, on, e.connect(c, on)
}

func newClients(server *rest.Config) (Clients, error) {
	client, err := kubernetes.NewForConfig(server)
	if err != nil {
		return Clients{}, fmt.Errorf("API client: %w", err)
	}
	dynamicClient, err := dynamic.NewForConfig(server)
	if err != nil {
		return Clients{}, fmt.Errorf("API client: %w", err)
	}
	return Clients{Kubernetes: client, Dynamic: dynamicClient}, nil
}

// connect gives an engine the source that feeds it and the effects that write
// for it.
func (e *engine) connect(c *config.SchedulerConfiguration, on cluster) error {
	in, err := source.New(source.Config{
		Client: on.Kubernetes, Dynamic: on.Dynamic, Informers: on.informers, Pods: on.pods, SchedulerName: c.SchedulerName,
		ConfigMapTimeout: c.Spark.ConfigMapTimeout.Duration, MinExecutorsFloor: int(*c.Spark.MinExecutorsFloor),
		SettleTime: c.Spark.SettleTime.Duration, EmptyPodGroups: c.PodGroups.Empty == config.EnqueueEmpty,
		Budgets: c.Consolidation.Enabled || *c.Reclaim.Enabled,
	})
	if err != nil {
		return err
	}
	out, err := effects.New(effects.Config{
		Client: on.Kubernetes, Dynamic: on.Dynamic, SchedulerName: c.SchedulerName,
		Post: e.loop.Post, Pod: in.Pod, Ended: in.Ended, Queues: e.queueRecords, Autoscaling: autoscaling(&c.Autoscaling),
	})
	if err != nil {
		return err
	}
	e.feed, e.writes = in, out
	return nil
}
