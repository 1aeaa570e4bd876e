package guest

import (
	"fmt"
	"path/filepath"
	"strings"

	"muster.sh/muster/internal/localcluster/node"
)

const qemu = "qemu-system-x86_64"

// logDevices are the machine's serial ports after the first, its console.
var logDevices = []struct{ daemon, device string }{
	{"containerd", "/dev/ttyS1"},
	{"kubelet", "/dev/ttyS2"},
}

// arguments are QEMU's. The processor is emulated everywhere: what a host offers as
// /dev/kvm may not boot an ordinary kernel. One thread emulates all CPUs in turn: with
// a thread for each, more than the host has CPUs, one would spin for another that does
// not run. The processor is not said to copy bytes quickly (erms, fsrm), or the kernel
// and Go would clear and copy memory so, which is emulated a byte at a time.
func (c *Config) arguments(image, archive string) []string {
	h := c.Hardware
	args := []string{
		"-machine", "q35", "-accel", "tcg,thread=single", "-cpu", "max,la57=off,erms=off,fsrm=off",
		"-smp", fmt.Sprintf("%d,sockets=%d", h.NUMANodes*h.CPUs, h.NUMANodes), "-m", fmt.Sprintf("%dM", h.NUMANodes*h.MemoryMiB),
		"-nodefaults", "-display", "none", "-no-reboot",
		"-kernel", image, "-initrd", archive, "-append", kernelCommand(),
		"-netdev", "user,id=network", "-device", "virtio-net-pci,netdev=network,romfile=",
		"-serial", "file:" + filepath.Join(c.Node.Dir, "console.log"),
	}
	for _, log := range logDevices {
		args = append(args, "-serial", "file:"+filepath.Join(c.Node.Dir, log.daemon+".log"))
	}
	for i := range h.NUMANodes {
		args = append(args,
			"-object", fmt.Sprintf("memory-backend-ram,id=memory%d,size=%dM", i, h.MemoryMiB),
			"-numa", fmt.Sprintf("node,nodeid=%d,memdev=memory%d,cpus=%d-%d", i, i, i*h.CPUs, (i+1)*h.CPUs-1))
	}
	return args
}

// kernelCommand is the kernel's command line. A kernel whose first process has
// ended has nothing left to do, and switches the machine off. It does without what
// takes time and serves nobody here.
func kernelCommand() string {
	init, args, _ := strings.Cut(node.MachineInit, " ")
	return "console=ttyS0 quiet panic=-1 mitigations=off apparmor=0 numa_balancing=disable rdinit=" + init + " -- " + args
}
