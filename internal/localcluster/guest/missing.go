package guest

import (
	"context"
	"os/exec"
	"runtime"

	"muster.sh/muster/internal/localcluster/node"
	"muster.sh/muster/internal/localcluster/toolchain"
)

// Missing lists what keeps this machine from running guests; none means that it can.
func Missing(ctx context.Context) []node.Requirement {
	var missing []node.Requirement
	need := func(name, cure string) {
		missing = append(missing, node.Requirement{Name: name, Cure: cure, Brings: "brings nodes in virtual machines"})
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		need("Linux on amd64", "run on it")
	}
	if _, err := exec.LookPath(qemu); err != nil {
		need("the program "+qemu, "apt-get install qemu-system-x86")
	}
	if _, err := findKernel(); err != nil {
		need("a kernel for guests", "run make guest-kernel ("+err.Error()+")")
	}
	for _, lack := range toolchain.Missing(ctx) {
		need(lack.Name, lack.Cure)
	}
	return missing
}
