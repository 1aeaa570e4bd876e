package testcluster

import (
	"context"
	"testing"

	"k8s.io/client-go/dynamic"

	"muster.sh/muster/internal/localcluster"
)

// RealSpec says on what real nodes stories are played, with Muster's scheduler
// beside the default one.
type RealSpec struct {
	Nodes         int
	SharedFolders []string // of this machine, at the same path on every node
	Manifest      []byte   // applied beside Muster's own objects
	SchedulerArgs []string // of Muster's scheduler
}

// StartReal starts a cluster of real nodes that ends with the test. It skips the
// test with -short, and where the machine can't run real nodes.
func StartReal(ctx context.Context, t *testing.T, spec RealSpec) *Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a whole cluster: not with -short")
	}
	dir := t.TempDir()
	if missing := localcluster.MissingForNodes(ctx, dir); len(missing) > 0 {
		t.Skip(missing)
	}
	manifests := t.TempDir()
	if err := writeManifests(manifests, MusterComponent); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(manifests, "more.yaml", spec.Manifest); err != nil {
		t.Fatal(err)
	}
	muster := localcluster.MusterScheduler()
	muster.Args = spec.SchedulerArgs
	local, err := localcluster.Up(ctx, localcluster.Spec{
		Dir: dir, Nodes: spec.Nodes, SharedFolders: spec.SharedFolders, AuditLog: true, Manifests: []string{manifests},
		Schedulers: []localcluster.SchedulerSpec{localcluster.DefaultScheduler(), muster}, Progress: t.Output(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := local.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &Cluster{Cluster: local, Scheduler: Muster}
	if c.Dynamic, err = dynamic.NewForConfig(local.RESTConfig()); err != nil {
		t.Fatal(err)
	}
	if c.Pods, err = watchPods(ctx, local.Client()); err != nil {
		t.Fatal(err)
	}
	return c
}
