// Package guest runs a real Kubernetes node in a virtual machine that QEMU emulates,
// with hardware of any shape: NUMA nodes that the host doesn't have, say.
//
// The machine has no disk and no distribution: its kernel unpacks an archive, in
// which muster-local is the first process, and everything is written to memory. It
// reaches the host's loopback at HostIP, and nothing reaches it. Neither root nor
// hardware virtualization is needed, so all runs about ten times as slowly as on
// the host.
package guest

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"muster.sh/muster/internal/localcluster/network"
	"muster.sh/muster/internal/localcluster/network/osthread"
	"muster.sh/muster/internal/localcluster/node"
)

// Addresses of the network that QEMU makes for each guest alone.
var (
	// HostIP is where a guest finds what listens on the host's loopback.
	HostIP  = netip.MustParseAddr("10.0.2.2")
	address = netip.MustParsePrefix("10.0.2.15/24")
)

// SystemCPU is the number of the CPU on which a guest's daemons run. They work hand in
// hand, and on emulated CPUs each would wait for the turn of the other's.
const SystemCPU = "0"

// ProgramsDir is where a guest has Config.Programs.
const ProgramsDir = "/opt/programs"

// Config describes a guest.
type Config struct {
	// Node describes the node but for its addresses, which all guests have alike.
	Node     node.Config
	Hardware Hardware
	// Programs are files of the host, by their names in the guest.
	Programs map[string]string
}

// Hardware is what a guest has: NUMA nodes, each a processor of its own, with as many
// CPUs and as much memory as the others.
type Hardware struct {
	NUMANodes int
	// CPUs and MemoryMiB are of each NUMA node.
	CPUs, MemoryMiB int
}

// Guest is a running guest.
type Guest struct {
	dir    string
	keeper *osthread.Thread // QEMU dies with it, and it with this process
	qemu   *exec.Cmd
	ended  chan struct{}
}

// Start boots a guest and returns at once; its kubelet then registers the node. The
// guest lives until Stop, or until this process ends.
func Start(c Config) (*Guest, error) {
	c.Node.IP, c.Node.Pods = address.Addr(), network.PodCIDR(0)
	g := &Guest{dir: c.Node.Dir, ended: make(chan struct{})}
	if err := g.start(&c); err != nil {
		return nil, fmt.Errorf("start guest %s: %w", c.Node.Name, err)
	}
	return g, nil
}

func (g *Guest) start(c *Config) error {
	if err := os.MkdirAll(g.dir, 0o700); err != nil {
		return err
	}
	kernel, err := findKernel()
	if err != nil {
		return err
	}
	archive := filepath.Join(g.dir, "initial-root.cpio")
	if err := c.writeRoot(archive, kernel); err != nil {
		return err
	}
	if g.keeper, err = osthread.New(func() error { return nil }); err != nil {
		return err
	}
	log, err := os.Create(g.log("qemu"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // QEMU has its own copy
	g.qemu = exec.Command(qemu, c.arguments(kernel.image, archive)...)
	g.qemu.Stdout, g.qemu.Stderr = log, log
	g.qemu.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := g.keeper.Do(g.qemu.Start); err != nil {
		g.keeper.End()
		return err
	}
	go func() {
		_ = g.qemu.Wait() // it is killed in the end
		close(g.ended)
	}()
	return nil
}

// LogDir is the folder of the logs.
func (g *Guest) LogDir() string { return g.dir }

// Logs are the files of the logs: QEMU's, the console's, to which the kernel and the
// node's first process write, and the daemons'.
func (g *Guest) Logs() []string {
	files := []string{g.log("qemu"), g.log("console")}
	for _, log := range logDevices {
		files = append(files, g.log(log.daemon))
	}
	return files
}

func (g *Guest) log(name string) string { return filepath.Join(g.dir, name+".log") }

// Ended is closed when the guest is gone, by Stop or by itself.
func (g *Guest) Ended() <-chan struct{} { return g.ended }

// Stop switches the guest off at once. It must be called once.
func (g *Guest) Stop() error {
	defer g.keeper.End()
	if err := g.qemu.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the guest in %s: %w", g.dir, err)
	}
	<-g.ended
	return nil
}
