package node

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"text/template"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	proxyconfig "k8s.io/kube-proxy/config/v1alpha1"
	kubeletconfig "k8s.io/kubelet/config/v1beta1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"muster.sh/muster/internal/localcluster/network"
	"muster.sh/muster/internal/localcluster/node/inside"
	"muster.sh/muster/internal/localcluster/toolchain"
)

// Files of the node's configuration folder.
const (
	kubeletFile         = "kubelet.yaml"
	kubeletKubeconfig   = "kubelet.kubeconfig"
	kubeProxyFile       = "kube-proxy.yaml"
	kubeProxyKubeconfig = "kube-proxy.kubeconfig"
	clientCAFile        = "client-ca.crt"
	containerdFile      = "containerd.toml"
	cniFile             = "10-muster.conflist"
	pauseFile           = "pause.tar"
)

// specFile is the one that the node's first process reads.
var specFile = filepath.Base(inside.SpecFile)

// maxPods is the kubelet's own default, written down since a node's part of
// the pod network must hold them.
const maxPods = 110

// inConfig is the path of such a file as the node sees it.
func inConfig(name string) string { return filepath.Join(inside.ConfigDir, name) }

// inTool is the path of a tool's program as the node sees it.
func inTool(tool, program string) string {
	return filepath.Join(inside.ToolsDir, tool, program)
}

// kubelet renders the kubelet's configuration. Limits need control groups that
// enforce them; without those the kubelet must not make any.
func (c *Config) kubelet(limits bool) ([]byte, error) {
	config := kubeletconfig.KubeletConfiguration{
		TypeMeta: metav1.TypeMeta{APIVersion: kubeletconfig.SchemeGroupVersion.String(), Kind: "KubeletConfiguration"},
		Authentication: kubeletconfig.KubeletAuthentication{
			X509:      kubeletconfig.KubeletX509Authentication{ClientCAFile: inConfig(clientCAFile)},
			Webhook:   kubeletconfig.KubeletWebhookAuthentication{Enabled: ptr.To(true)},
			Anonymous: kubeletconfig.KubeletAnonymousAuthentication{Enabled: ptr.To(false)},
		},
		Authorization:            kubeletconfig.KubeletAuthorization{Mode: kubeletconfig.KubeletAuthorizationModeWebhook},
		CgroupDriver:             "cgroupfs",
		FailCgroupV1:             ptr.To(false),
		ContainerRuntimeEndpoint: "unix://" + inside.Containerd,
		ClusterDNS:               []string{network.HubIP().String()},
		ClusterDomain:            network.DomainName,
		ResolverConfig:           ptr.To(""), // pods resolve the cluster's names alone
		MakeIPTablesUtilChains:   ptr.To(false),
		FailSwapOn:               ptr.To(false),
		MaxPods:                  maxPods,
		FeatureGates:             c.FeatureGates,
		// The disk is the machine's and filled by others too; the kubelet
		// shall not evict pods for that.
		EvictionHard: map[string]string{
			"memory.available": "50Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%", "imagefs.available": "1%",
		},
		// Images can't be pulled again here.
		ImageGCHighThresholdPercent: ptr.To[int32](100),
	}
	if !limits {
		config.CgroupsPerQOS = ptr.To(false)
		config.EnforceNodeAllocatable = []string{"none"}
	}
	if c.Kubelet != nil {
		c.Kubelet(&config)
	}
	return yaml.Marshal(config)
}

// kubeProxy renders kube-proxy's configuration. Zeros leave the machine's
// settings for tracked connections alone.
func (c *Config) kubeProxy() ([]byte, error) {
	config := proxyconfig.KubeProxyConfiguration{
		TypeMeta:         metav1.TypeMeta{APIVersion: proxyconfig.SchemeGroupVersion.String(), Kind: "KubeProxyConfiguration"},
		Mode:             "nftables",
		HostnameOverride: c.Name,
		ClusterCIDR:      network.Pods.String(),
		Conntrack: proxyconfig.KubeProxyConntrackConfiguration{
			MaxPerCore:            ptr.To[int32](0),
			Min:                   ptr.To[int32](0),
			TCPEstablishedTimeout: &metav1.Duration{},
			TCPCloseWaitTimeout:   &metav1.Duration{},
		},
		HealthzBindAddress: "127.0.0.1:10256",
		MetricsBindAddress: "127.0.0.1:10249",
		FeatureGates:       c.FeatureGates,
	}
	config.ClientConnection.Kubeconfig = inConfig(kubeProxyKubeconfig)
	return yaml.Marshal(config)
}

//go:embed containerd.toml.tmpl
var containerdTemplate string

func containerd(limits bool) ([]byte, error) {
	runc := inTool(toolchain.Runc, "runc")
	if !limits {
		runc = inTool(toolchain.NodeTools, "runc-nolimits")
	}
	var out bytes.Buffer
	err := template.Must(template.New("containerd").Parse(containerdTemplate)).Execute(&out, map[string]any{
		"Socket":     inside.Containerd,
		"PauseImage": PauseImage,
		"Runc":       runc,
		"CNIBin":     filepath.Join(inside.ToolsDir, toolchain.CNI),
		"CNIConf":    inside.ConfigDir,
	})
	return out.Bytes(), err
}

// podNetwork renders the CNI configuration: every pod gets an address of the
// node's and a cable to it. Without a bridge between them all pods' packets are
// routed, so that Services work from the very node whose pod they lead to.
func podNetwork(pods netip.Prefix) ([]byte, error) {
	type object = map[string]any
	return json.MarshalIndent(object{
		"cniVersion": "1.0.0",
		"name":       "muster",
		"plugins": []object{
			{
				"type": "ptp",
				"ipam": object{
					"type":    "host-local",
					"dataDir": "/var/lib/cni/networks",
					"ranges":  [][]object{{{"subnet": pods.String()}}},
					"routes":  []object{{"dst": "0.0.0.0/0"}},
				},
			},
			{
				"type":         "portmap",
				"backend":      "nftables",
				"capabilities": object{"portMappings": true},
			},
		},
	}, "", "  ")
}

// configuration renders all that the daemons read, with what they show who they
// are by.
func (c *Config) configuration(limits bool) (map[string][]byte, error) {
	files := map[string][]byte{}
	renders := map[string]func() ([]byte, error){
		kubeletFile:       func() ([]byte, error) { return c.kubelet(limits) },
		kubeletKubeconfig: func() ([]byte, error) { return os.ReadFile(c.Kubeconfig) },
		clientCAFile:      func() ([]byte, error) { return os.ReadFile(c.ClientCA) },
		containerdFile:    func() ([]byte, error) { return containerd(limits) },
		cniFile:           func() ([]byte, error) { return podNetwork(c.Pods) },
		pauseFile:         func() ([]byte, error) { return pauseArchive(c.Tools.Program(toolchain.NodeTools, "pause")) },
	}
	if c.ProxyKubeconfig != "" {
		renders[kubeProxyFile] = c.kubeProxy
		renders[kubeProxyKubeconfig] = func() ([]byte, error) { return os.ReadFile(c.ProxyKubeconfig) }
	}
	for name, render := range renders {
		content, err := render()
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", name, err)
		}
		files[name] = content
	}
	return files, nil
}
