package inside

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"muster.sh/muster/internal/localcluster/node/cgroup"
)

// cgroupsDir is where control groups are mounted.
const cgroupsDir = "/sys/fs/cgroup"

// run is the node's first process once it is in the node's root. It ends when
// the owner closes the lifeline or ends, and with it, by the kernel's hand, ends
// every process of the node.
func run() error {
	spec, err := readSpec(SpecFile)
	if err != nil {
		return err
	}
	unix.CloseOnExec(statusFile) // it is this process's alone
	go waitForEnd()
	if err := spec.Cgroups.Settle(cgroupsDir); err != nil {
		return err
	}
	if spec.Machine != nil {
		if err := cgroup.Confine(cgroupsDir, spec.Machine.SystemCPUs); err != nil {
			return err
		}
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return fmt.Errorf("let packets of pods pass: %w", err)
	}
	if err := startDaemons(spec); err != nil {
		return err
	}
	report(Ready)
	select {}
}

// waitForEnd ends this process when the lifeline does.
func waitForEnd() {
	_, _ = io.Copy(io.Discard, os.Stdin) // any end is the end
	os.Exit(0)
}

func startDaemons(spec *Spec) error {
	r := newReaper()
	containerd := daemon{"containerd", []string{"containerd", "--config", filepath.Join(ConfigDir, "containerd.toml")}}
	if err := containerd.up(r); err != nil {
		return err
	}
	for _, image := range spec.Images {
		if err := runOnce(r, "ctr", "--address", Containerd, "--namespace", "k8s.io", "images", "import", image); err != nil {
			return fmt.Errorf("import %s: %w", filepath.Base(image), err)
		}
	}
	kubelet := daemon{"kubelet", append([]string{Binary, Command, StepKubelet}, spec.Kubelet...)}
	if err := kubelet.up(r); err != nil {
		return err
	}
	if len(spec.KubeProxy) == 0 {
		return nil
	}
	proxy := daemon{"kube-proxy", append([]string{Binary, "kube-proxy"}, spec.KubeProxy...)}
	ended, err := proxy.start(r, "")
	if err != nil {
		return err
	}
	go proxy.keep(r, ended)
	return nil
}
