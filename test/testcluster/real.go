package testcluster

import (
	"context"
	"testing"

	"muster.sh/muster/internal/localcluster"
)

// RealSpec says on what real nodes stories are played, with Muster's scheduler
// beside the default one.
type RealSpec struct {
	Nodes         int
	SharedFolders []string // of this machine, at the same path on every node
	Manifest      []byte   // applied beside Muster's own objects
	SchedulerArgs []string // of Muster's scheduler
	Operators     bool     // muster-operators runs
	// OperatorsConfig is the content of its configuration file; empty: none.
	OperatorsConfig string
}

// StartReal starts a cluster of real nodes that ends with the test. It skips the
// test with -short, on older versions of Kubernetes, and where the machine can't
// run real nodes.
func StartReal(ctx context.Context, t *testing.T, spec RealSpec) *Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a whole cluster: not with -short")
	}
	if newest := newestKubernetes(); KubernetesVersion() != newest {
		t.Skip("real nodes are of Kubernetes", newest)
	}
	dir := t.TempDir()
	if missing := localcluster.MissingForNodes(ctx, dir); len(missing) > 0 {
		t.Skip(missing)
	}
	muster := localcluster.MusterScheduler()
	muster.Args = spec.SchedulerArgs
	local := localcluster.Spec{
		Dir: dir, Nodes: spec.Nodes, SharedFolders: spec.SharedFolders,
		Schedulers: []localcluster.SchedulerSpec{localcluster.DefaultScheduler(), muster},
	}
	if spec.Operators {
		local.Operators = &localcluster.OperatorsSpec{Config: spec.OperatorsConfig}
	}
	return start(ctx, t, local, Muster, spec.Manifest)
}
