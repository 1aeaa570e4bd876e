package guest

import (
	"strings"
	"testing"

	"muster.sh/muster/internal/localcluster/node"
)

func TestAMachineHasTheNUMANodesThatAreAskedFor(t *testing.T) {
	c := &Config{Node: node.Config{Dir: "/state"}, Hardware: Hardware{NUMANodes: 2, CPUs: 3, MemoryMiB: 1024}}
	got := strings.Join(c.arguments("/linux", "/root.cpio"), " ")
	for _, want := range []string{
		"-smp 6,sockets=2 -m 2048M", "-kernel /linux -initrd /root.cpio",
		"id=memory0,size=1024M -numa node,nodeid=0,memdev=memory0,cpus=0-2",
		"id=memory1,size=1024M -numa node,nodeid=1,memdev=memory1,cpus=3-5",
		"-serial file:/state/console.log -serial file:/state/containerd.log -serial file:/state/kubelet.log",
		"rdinit=/opt/muster/muster-local -- node-init boot",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("QEMU is called without %q: %s", want, got)
		}
	}
}
