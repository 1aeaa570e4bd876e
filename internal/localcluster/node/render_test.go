package node

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
	kubeletconfig "k8s.io/kubelet/config/v1beta1"
	"sigs.k8s.io/yaml"

	"muster.sh/muster/internal/localcluster/network"
	"muster.sh/muster/internal/localcluster/node/cgroup"
	"muster.sh/muster/internal/localcluster/node/inside"
	"muster.sh/muster/internal/localcluster/toolchain"
)

// valid is a configuration that nothing is wrong with.
func valid() Config {
	return Config{
		Name: "node-0", IP: network.NodeIP(0), Pods: network.PodCIDR(0),
		Dir: "/state/node-0", Binary: "/bin/muster-local",
		Tools: toolchain.Paths{
			toolchain.Containerd: "/tools/containerd", toolchain.Runc: "/tools/runc",
			toolchain.CNI: "/tools/cni", toolchain.NodeTools: "/tools/node-tools",
		},
	}
}

func TestConfigurationsAreValidated(t *testing.T) {
	good := valid()
	good.CPUs, good.MemoryBytes, good.Shared = 3, 8<<30, []string{"/data"}
	if err := good.validate(); err != nil {
		t.Errorf("a good one is refused: %v", err)
	}
	for wrong, spoil := range map[string]func(*Config){
		"name":        func(c *Config) { c.Name = "Node 0" },
		"address":     func(c *Config) { c.IP = netip.IPv6Loopback() },
		"CPUs":        func(c *Config) { c.CPUs = -1 },
		"memory":      func(c *Config) { c.MemoryBytes = -1 },
		"state":       func(c *Config) { c.Dir = "state" },
		"shared path": func(c *Config) { c.Shared = []string{"data"} },
		"tool runc":   func(c *Config) { delete(c.Tools, toolchain.Runc) },
	} {
		c := valid()
		spoil(&c)
		if err := c.validate(); err == nil {
			t.Errorf("a wrong %s is accepted", wrong)
		}
	}
}

// decoded parses YAML or JSON into plain values.
func decoded(t *testing.T, data []byte) map[string]any {
	t.Helper()
	values := map[string]any{}
	if err := yaml.Unmarshal(data, &values); err != nil {
		t.Fatalf("%v in:\n%s", err, data)
	}
	return values
}

func TestTheKubeletEnforcesLimitsOnlyWhereItCan(t *testing.T) {
	c := valid()
	for _, limits := range []bool{true, false} {
		data, err := c.kubelet(limits)
		if err != nil {
			t.Fatal(err)
		}
		got := decoded(t, data)
		_, told := got["cgroupsPerQOS"]
		if told == limits {
			t.Errorf("limits %t: cgroupsPerQOS is %v", limits, got["cgroupsPerQOS"])
		}
	}
}

func TestTheKubeletLeavesTheMachineAlone(t *testing.T) {
	c := valid()
	data, err := c.kubelet(true)
	if err != nil {
		t.Fatal(err)
	}
	got := decoded(t, data)
	for setting, want := range map[string]any{
		"makeIPTablesUtilChains": false,
		"failSwapOn":             false,
		"failCgroupV1":           false,
		"resolvConf":             "",
		"clusterDomain":          "cluster.local",
		"cgroupDriver":           "cgroupfs",
	} {
		if value, set := got[setting]; !set || value != want {
			t.Errorf("%s is %v, want %v", setting, value, want)
		}
	}
	if dns := fmt.Sprint(got["clusterDNS"]); dns != "[192.168.88.1]" {
		t.Errorf("DNS is asked at %s", dns)
	}
}

func TestKubeProxyLeavesTrackedConnectionsAlone(t *testing.T) {
	c := valid()
	data, err := c.kubeProxy()
	if err != nil {
		t.Fatal(err)
	}
	got := decoded(t, data)
	if got["mode"] != "nftables" || got["hostnameOverride"] != "node-0" {
		t.Errorf("mode %v, host name %v", got["mode"], got["hostnameOverride"])
	}
	conntrack, _ := got["conntrack"].(map[string]any)
	for setting, want := range map[string]any{"maxPerCore": 0.0, "min": 0.0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"} {
		if conntrack[setting] != want {
			t.Errorf("conntrack.%s is %v, which is not %v", setting, conntrack[setting], want)
		}
	}
}

func TestANodeWithAMachineOfItsOwnIsToldOfIt(t *testing.T) {
	c := valid()
	dir := t.TempDir()
	for _, file := range []*string{&c.Kubeconfig, &c.ClientCA} {
		*file = filepath.Join(dir, "credentials")
	}
	c.Tools[toolchain.NodeTools] = dir
	for _, name := range []string{"credentials", "pause"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := c.MachineFiles(Machine{Modules: []string{"/lib/modules/a.ko"}})
	if err != nil {
		t.Fatal(err)
	}
	spec := decoded(t, files["/etc/muster/node.json"])
	machine, _ := spec["machine"].(map[string]any)
	if fmt.Sprint(machine["modules"]) != "[/lib/modules/a.ko]" {
		t.Errorf("it is told of %v", machine)
	}
	if spec["kubeProxy"] != nil || spec["binds"] != nil {
		t.Errorf("without a kube-proxy's credentials and a host's folders it has %v and %v", spec["kubeProxy"], spec["binds"])
	}
	if mode := fmt.Sprint(spec["cgroups"]); !strings.Contains(mode, "v2") {
		t.Errorf("its control groups are %s", mode)
	}
	for _, name := range []string{"kubelet.yaml", "kubelet.kubeconfig", "client-ca.crt", "containerd.toml", "pause.tar"} {
		if len(files["/etc/muster/"+name]) == 0 {
			t.Errorf("it has no %s", name)
		}
	}
}

func TestTheKubeletsConfigurationCanBeChanged(t *testing.T) {
	c := valid()
	c.Kubelet = func(k *kubeletconfig.KubeletConfiguration) { k.CPUManagerPolicy = "static" }
	data, err := c.kubelet(true)
	if err != nil {
		t.Fatal(err)
	}
	if got := decoded(t, data)["cpuManagerPolicy"]; got != "static" {
		t.Errorf("cpuManagerPolicy is %v", got)
	}
}

func TestContainerdRunsTheRuncThatTheMachineAllows(t *testing.T) {
	for limits, runc := range map[bool]string{
		true:  "BinaryName = '/opt/muster/tools/runc/runc'",
		false: "BinaryName = '/opt/muster/tools/node-tools/runc-nolimits'",
	} {
		data, err := containerd(limits)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), runc) {
			t.Errorf("limits %t: no line %s in\n%s", limits, runc, data)
		}
	}
}

func TestPodsGetAddressesOfTheirNode(t *testing.T) {
	data, err := podNetwork(network.PodCIDR(6))
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Plugins []struct {
			Type string
			IPAM struct{ Ranges [][]struct{ Subnet string } }
		}
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	if first := list.Plugins[0]; first.Type != "ptp" || first.IPAM.Ranges[0][0].Subnet != "10.244.7.0/24" {
		t.Errorf("got %+v", first)
	}
}

func TestANodeSeesItsFoldersAndNoOthers(t *testing.T) {
	c := valid()
	c.Shared = []string{"/data"}
	c.Labels = map[string]string{"b": "2", "a": "1"}
	c.CPUs = 7
	spec := c.spec(cgroup.Host{Mode: cgroup.V2})
	writable := map[string]bool{
		"/var/log": true, "/var/lib/kubelet": true, "/var/lib/containerd": true, "/var/lib/cni": true, "/data": true,
	}
	for _, b := range spec.Binds {
		if b.ReadOnly == writable[b.Target] {
			t.Errorf("%s: read-only %t", b.Target, b.ReadOnly)
		}
		delete(writable, b.Target)
	}
	if len(writable) > 0 {
		t.Errorf("not to be seen: %v", writable)
	}
	if spec.View.CPUs != 7 {
		t.Errorf("%d CPUs are shown", spec.View.CPUs)
	}
	if !slices.Contains(spec.Kubelet, "--node-labels=a=1,b=2") {
		t.Errorf("labels are not among %q", spec.Kubelet)
	}
	for _, b := range spec.Binds {
		if b.Target == inside.Binary && b.Source != c.Binary {
			t.Errorf("the node runs %s", b.Source)
		}
	}
}

func TestThePauseImageRunsItsProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "pause")
	if err := os.WriteFile(program, []byte("binary"), 0o700); err != nil {
		t.Fatal(err)
	}
	data, err := pauseArchive(program)
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "pause.tar")
	if err := os.WriteFile(archive, data, 0o600); err != nil {
		t.Fatal(err)
	}
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if entry := fmt.Sprint(config.Config.Entrypoint); entry != "[/pause]" || config.Architecture != runtime.GOARCH {
		t.Errorf("entry point %s for %s", entry, config.Architecture)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Errorf("%d layers, %v", len(layers), err)
	}
}
