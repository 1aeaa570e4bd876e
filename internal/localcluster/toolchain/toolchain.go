// Package toolchain builds the programs that a real node runs beside the
// kubelet: containerd, runc, CNI plugins, CoreDNS and a few of our own; the
// schedulers and the operator of others that ours are compared with, and Karpenter to make
// nodes; an exporter of nodes' zones; Helm; and control planes of older versions of
// Kubernetes.
//
// They are built from source, by the versions that tools/*/go.mod pin, once:
// what was built lies in the user's cache and serves every later cluster, in a
// folder whose name tells everything that went into it.
package toolchain

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// The tools that Build knows.
const (
	Containerd = "containerd" // containerd, containerd-shim-runc-v2, ctr
	Runc       = "runc"       // runc
	CNI        = "cni"        // ptp, host-local, portmap, loopback
	CoreDNS    = "coredns"    // coredns
	NodeTools  = "node-tools" // pause, runc-nolimits: of this module

	Coscheduling = "coscheduling" // scheduler: kube-scheduler with the plugin
	Kueue        = "kueue"        // kueue
	Karpenter    = "karpenter"    // kwok: Karpenter that makes simulated nodes

	NFD = "nfd" // nfd-topology-updater, of node-feature-discovery

	Helm = "helm" // helm

	SparkOperator = "spark-operator" // operator
)

// All names every tool of a node, in the order of building.
func All() []string { return []string{Runc, CNI, NodeTools, Containerd, CoreDNS} }

// Event tells how far the building of one tool is.
type Event struct {
	Tool string
	// Done and Total count Go packages. What Go finds in its own cache is not
	// counted in Done, so a tool may be finished long before Done is Total.
	Done, Total int
	// Finished is set on a tool's last event.
	Finished bool
	// Cached is set when nothing had to be built.
	Cached bool
	Took   time.Duration
}

// Progress is told of every event; it must not block.
type Progress func(Event)

// Paths holds the folder of each built tool, by the tool's name.
type Paths map[string]string

// Program is the file of one program of a tool.
func (p Paths) Program(tool, program string) string {
	return filepath.Join(p[tool], program)
}

// Build returns the folders of the named tools, and builds those that the
// cache lacks. Several processes may call it at once. The sources are looked
// for in $MUSTER_SRC, else in the module around the working directory.
func Build(ctx context.Context, progress Progress, tools ...string) (Paths, error) {
	source, err := findSource(ctx)
	if err != nil {
		return nil, err
	}
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	if progress == nil {
		progress = func(Event) {}
	}
	paths := Paths{}
	for _, tool := range tools {
		r, err := newRecipe(ctx, source, tool)
		if err != nil {
			return nil, err
		}
		dir := filepath.Join(cache, tool+"-"+r.key)
		if err := r.ensure(ctx, dir, progress); err != nil {
			return nil, fmt.Errorf("build %s: %w", tool, err)
		}
		paths[tool] = dir
	}
	return paths, nil
}

// ModuleDir returns the folder of a module that a tool is made of, in the version
// that is pinned here.
func ModuleDir(ctx context.Context, tool, module string) (string, error) {
	source, err := findSource(ctx)
	if err != nil {
		return "", err
	}
	r, err := newRecipe(ctx, source, tool)
	if err != nil {
		return "", err
	}
	dir, err := r.output(ctx, "list", "-m", "-f", "{{.Dir}}", module)
	if err != nil {
		return "", fmt.Errorf("find module %s: %w", module, err)
	}
	return dir, nil
}

// cacheDir is where built tools are kept.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder (set XDG_CACHE_HOME or HOME): %w", err)
	}
	return filepath.Join(base, "muster", "bin"), nil
}
