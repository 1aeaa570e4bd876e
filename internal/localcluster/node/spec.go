package node

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"muster.sh/muster/internal/localcluster/node/cgroup"
	"muster.sh/muster/internal/localcluster/node/inside"
)

// spec is what the node's first process is told.
func (c *Config) spec(host cgroup.Host) *inside.Spec {
	files := layout(c.Dir)
	spec := &inside.Spec{
		Name:    c.Name,
		Root:    files.root(),
		Cgroups: host,
		Images:  []string{inConfig(pauseFile)},
		Tools:   requiredTools,
		Kubelet: c.kubeletFlags(),
		View:    inside.View{CPUs: c.CPUs, MemoryBytes: c.MemoryBytes},
	}
	if c.ProxyKubeconfig != "" {
		spec.KubeProxy = []string{"--config=" + inConfig(kubeProxyFile)}
	}
	spec.Binds = []inside.Bind{
		{Source: files.config(), Target: inside.ConfigDir, ReadOnly: true},
		{Source: files.logs(), Target: inside.LogDir},
		{Source: c.Binary, Target: inside.Binary, ReadOnly: true},
	}
	for _, name := range stateFolders {
		spec.Binds = append(spec.Binds, inside.Bind{Source: files.state(name), Target: filepath.Join(inside.StateDir, name)})
	}
	for _, tool := range requiredTools {
		spec.Binds = append(spec.Binds, inside.Bind{Source: c.Tools[tool], Target: filepath.Join(inside.ToolsDir, tool), ReadOnly: true})
	}
	for _, folder := range c.Shared {
		spec.Binds = append(spec.Binds, inside.Bind{Source: folder, Target: folder})
	}
	return spec
}

// kubeletFlags are what the kubelet's configuration file has no place for.
func (c *Config) kubeletFlags() []string {
	flags := []string{
		"--config=" + inConfig(kubeletFile),
		"--kubeconfig=" + inConfig(kubeletKubeconfig),
		"--hostname-override=" + c.Name,
		"--node-ip=" + c.IP.String(),
	}
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
		labels = append(labels, fmt.Sprintf("%s=%s", name, c.Labels[name]))
	}
	if len(labels) > 0 {
		flags = append(flags, "--node-labels="+strings.Join(labels, ","))
	}
	return flags
}
