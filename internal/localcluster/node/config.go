package node

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/util/validation"
	kubeletconfig "k8s.io/kubelet/config/v1beta1"

	"muster.sh/muster/internal/localcluster/node/cgroup"
	"muster.sh/muster/internal/localcluster/toolchain"
)

// Config describes a node.
type Config struct {
	// Name is the node's name and host name.
	Name string
	// IP is its address on the hub's network, and Pods the addresses of its
	// pods; see network.NodeIP and network.PodCIDR.
	IP   netip.Addr
	Pods netip.Prefix
	// Dir holds the node's state: images, containers, logs. A node started in a
	// folder with the state of an earlier run goes on as a machine does that
	// was switched off and on.
	Dir string
	// Binary is the path of muster-local.
	Binary string
	// Tools are the built daemons: Containerd, Runc, CNI and NodeTools.
	Tools toolchain.Paths

	// Kubeconfig is the kubelet's, of the user system:node:NAME, and
	// ProxyKubeconfig kube-proxy's; without it the node has none, and no
	// Services. They name the API server by the hub's address, and hold
	// certificates and keys themselves.
	Kubeconfig, ProxyKubeconfig string
	// ClientCA is the file of the authority whose clients the kubelet trusts.
	ClientCA string

	// CPUs is how many CPUs the node shows, MemoryBytes how much memory; zero
	// shows the machine's. Pods see the machine's in any case.
	CPUs        int
	MemoryBytes int64
	// Labels are set on the node when it registers.
	Labels map[string]string
	// Kubelet changes the kubelet's configuration, if it is not nil.
	Kubelet func(*kubeletconfig.KubeletConfiguration)
	// FeatureGates are the kubelet's and kube-proxy's.
	FeatureGates map[string]bool
	// Shared are folders of the host that the node sees at the same path and
	// can write to, for hostPath volumes.
	Shared []string
	// Cgroups chooses how control groups are used; empty takes the best way.
	Cgroups cgroup.Mode
}

func (c *Config) validate() error {
	var errs []error
	for _, bad := range validation.IsDNS1123Label(c.Name) {
		errs = append(errs, fmt.Errorf("name %q: %s", c.Name, bad))
	}
	if !c.IP.Is4() || !c.Pods.IsValid() {
		errs = append(errs, errors.New("an IPv4 address and a pod network are needed"))
	}
	if c.CPUs < 0 || c.MemoryBytes < 0 {
		errs = append(errs, fmt.Errorf("CPUs %d and memory %d must not be below 0", c.CPUs, c.MemoryBytes))
	}
	for _, path := range append([]string{c.Dir, c.Binary}, c.Shared...) {
		if !filepath.IsAbs(path) {
			errs = append(errs, fmt.Errorf("path %q is not absolute", path))
		}
	}
	for _, tool := range requiredTools {
		if c.Tools[tool] == "" {
			errs = append(errs, fmt.Errorf("the tool %s is not built", tool))
		}
	}
	return errors.Join(errs...)
}

// requiredTools are what a node's programs are made of.
var requiredTools = []string{toolchain.Containerd, toolchain.Runc, toolchain.CNI, toolchain.NodeTools}

// layout names what lies in a node's folder.
type layout string

func (l layout) config() string          { return filepath.Join(string(l), "etc") }
func (l layout) file(name string) string { return filepath.Join(l.config(), name) }
func (l layout) root() string            { return filepath.Join(string(l), "root") }
func (l layout) logs() string            { return filepath.Join(string(l), "log") }
func (l layout) log(name string) string  { return filepath.Join(l.logs(), name+".log") }
func (l layout) pid() string             { return filepath.Join(string(l), "pid") }

// state is a folder below /var/lib in the node.
func (l layout) state(name string) string { return filepath.Join(string(l), "lib", name) }

// stateFolders are those that outlive a run of the node.
var stateFolders = []string{"kubelet", "containerd", "cni"}

// create makes the folders; keys and pods' volumes lie in them.
func (l layout) create() error {
	folders := []string{l.config(), l.root(), l.logs()}
	for _, name := range stateFolders {
		folders = append(folders, l.state(name))
	}
	for _, folder := range folders {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("make the node's folders: %w", err)
		}
	}
	return nil
}
