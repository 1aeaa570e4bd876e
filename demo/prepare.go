package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"muster.sh/muster/internal/localcluster"
	"muster.sh/muster/internal/sparkdist"
	"muster.sh/muster/internal/sparksubmit"
)

// app is what the image has in it for the demo.
//
//go:embed app
var app embed.FS

// prepare starts a cluster with two nodes, and readies what the applications run
// on: Spark, or an actor where this machine can't run real nodes.
func prepare(ctx context.Context, o options, c *console, dir string) (ground, *localcluster.Cluster, error) {
	access := filepath.Join(dir, "spark.yaml")
	if err := os.WriteFile(access, sparksubmit.Access(), 0o644); err != nil {
		return nil, nil, err
	}
	spec := localcluster.Spec{
		Dir: filepath.Join(dir, "cluster"), Keep: true, AuditLog: true, Progress: c.out,
		Manifests:  []string{access},
		Schedulers: []localcluster.SchedulerSpec{localcluster.DefaultScheduler()},
	}
	if o.scheduler == musterScheduler {
		spec.Schedulers = append(spec.Schedulers, localcluster.MusterScheduler())
	}
	if !o.simulate {
		if missing := localcluster.MissingForNodes(ctx, spec.Dir); len(missing) > 0 {
			for _, requirement := range missing {
				c.say("no real nodes on this machine: %s", requirement)
			}
			o.simulate = true
		}
	}
	if o.simulate {
		return prepareSimulated(ctx, o, c, spec)
	}
	return prepareReal(ctx, o, c, dir, spec)
}

func prepareSimulated(ctx context.Context, o options, c *console, spec localcluster.Spec) (ground, *localcluster.Cluster, error) {
	c.say("SIMULATED: two nodes of the size of a laptop are simulated, and an actor plays Spark's drivers; the scheduler is real")
	shape, err := localcluster.ParseShape("cpu=2,memory=8Gi")
	if err != nil {
		return nil, nil, err
	}
	spec.SimNodes, spec.SimNodeShape, spec.SparkActor = 2, shape, true
	cluster, err := localcluster.Up(ctx, spec)
	if err != nil {
		return nil, nil, err
	}
	return &simulatedSpark{cluster.Client(), o.scheduler}, cluster, nil
}

func prepareReal(ctx context.Context, o options, c *console, dir string, spec localcluster.Spec) (ground, *localcluster.Cluster, error) {
	files, err := fs.Sub(app, "app")
	if err != nil {
		return nil, nil, err
	}
	progress, end := c.building()
	dist, err := sparkdist.Ensure(ctx, sparkdist.Options{App: files}, progress)
	end()
	if err != nil {
		return nil, nil, fmt.Errorf("provide Spark: %w", err)
	}
	g := &realSpark{submitter: submitter{scheduler: o.scheduler, events: filepath.Join(dir, "events")}, dir: filepath.Join(dir, "spark")}
	if g.flights, err = readFlights(filepath.Join(dist.DataDir, sparkdist.FlightsCSV)); err != nil {
		return nil, nil, err
	}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return nil, nil, err
	}
	if err := makeOpenFolder(g.events); err != nil {
		return nil, nil, err
	}
	spec.Nodes, spec.SharedFolders = 2, []string{g.events}
	cluster, err := localcluster.Up(ctx, spec)
	if err != nil {
		return nil, nil, err
	}
	g.client = cluster.Client()
	if err = cluster.LoadImage(ctx, dist.ImageTar); err == nil {
		g.spark, err = sparksubmit.Login(ctx, dist, g.client, cluster.RESTConfig(), g.dir)
	}
	if err != nil {
		return nil, nil, closing(cluster, err)
	}
	return g, cluster, nil
}

// makeOpenFolder makes a folder that any user can write to: in a pod, Spark has
// a user of its own.
func makeOpenFolder(path string) error {
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	return os.Chmod(path, 0o777|os.ModeSticky) // whatever the umask is
}
