package localcluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"muster.sh/muster/internal/localcluster/toolchain"
)

const (
	// kubernetesVersion is what the components in muster-local say they are. It must
	// be the version of k8s.io/kubernetes in go.mod.
	kubernetesVersion = "v1.37.2"
	// ownKubernetes is its minor version.
	ownKubernetes = "1.37"
)

// KubernetesVersions are those that a control plane may have. All but muster-local's
// own, the last one, are built when they are first asked for.
func KubernetesVersions() []string { return []string{"1.34", "1.35", "1.36", ownKubernetes} }

// older tells that the control plane is not made of muster-local's own components.
func (s *Spec) older() bool { return s.KubernetesVersion != ownKubernetes }

func (s *Spec) validateKubernetes() error {
	if known := KubernetesVersions(); !slices.Contains(known, s.KubernetesVersion) {
		return fmt.Errorf("version of Kubernetes: %q must be one of %s", s.KubernetesVersion, strings.Join(known, ", "))
	}
	if s.older() && s.Nodes > 0 {
		return fmt.Errorf("nodes: with Kubernetes %s they must be simulated: the kubelet here is of %s, and none may be newer than its API server", s.KubernetesVersion, ownKubernetes)
	}
	return nil
}

// validateChange refuses another version than that by which a folder's objects were
// stored: Kubernetes goes up by one version at a time, and never down.
func (s *Spec) validateChange(state State) error {
	before := cmp.Or(state.Spec.KubernetesVersion, ownKubernetes)
	if state.Server == "" || before == s.KubernetesVersion {
		return nil
	}
	return fmt.Errorf("the cluster in %s is of Kubernetes %s, not %s: choose another folder, or remove the cluster by muster-local down --purge", s.Dir, before, s.KubernetesVersion)
}

// buildControlPlane builds the components of an older version.
func (c *Cluster) buildControlPlane(ctx context.Context) error {
	if !c.spec.older() {
		return nil
	}
	return c.buildTools(ctx, "Kubernetes "+c.spec.KubernetesVersion, toolchain.Kubernetes(c.spec.KubernetesVersion))
}

// kubernetes is how a component of Kubernetes is called: the file, and words before
// its own arguments.
func (b *blueprint) kubernetes(component string) (file string, words []string) {
	if b.spec.older() {
		return b.tools.Program(toolchain.Kubernetes(b.spec.KubernetesVersion), component), nil
	}
	return b.binary, []string{component}
}
