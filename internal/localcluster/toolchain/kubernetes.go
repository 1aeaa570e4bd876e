package toolchain

import (
	"context"
	"strings"
)

// kubernetesPrefix begins the names of the tools that are control planes.
const kubernetesPrefix = "kubernetes-"

// Kubernetes names the tool that has kube-apiserver, kube-controller-manager and
// kube-scheduler of an older version than the one in this module, such as 1.34.
func Kubernetes(version string) string { return kubernetesPrefix + version }

// KubernetesLinkerFlags make components of Kubernetes say that they are of a
// version, such as v1.37.2. Which of their features are on follows from it.
func KubernetesLinkerFlags(version string) []string {
	major, minor, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ = strings.Cut(minor, ".")
	var flags []string
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X", pkg+".gitVersion="+version,
			"-X", pkg+".gitMajor="+major,
			"-X", pkg+".gitMinor="+minor,
			"-X", pkg+".gitTreeState=clean")
	}
	return flags
}

// stampKubernetes writes into Kubernetes' components the version of their module.
func (r *recipe) stampKubernetes(ctx context.Context) error {
	version, err := r.moduleVersion(ctx, "k8s.io/kubernetes")
	if err != nil {
		return err
	}
	r.ldflags = append(r.ldflags, KubernetesLinkerFlags(version)...)
	return nil
}
