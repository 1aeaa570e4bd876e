package inside

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Machine is what a node is told that has a machine of its own, such as a virtual
// one, and is its first process.
type Machine struct {
	// Modules are the kernel's, as files, in the order of loading.
	Modules []string `json:"modules"`
	// Address is that of its network card, and Gateway the way to everything else.
	Address netip.Prefix `json:"address"`
	Gateway netip.Addr   `json:"gateway"`
	// SystemCPUs are those on which the node's daemons run, as the kernel lists them.
	SystemCPUs string `json:"systemCPUs"`
	// Logs are devices to which daemons' logs are written, by the daemon's name.
	Logs map[string]string `json:"logs"`
}

// boot makes the machine a node, and goes on as run. It is called by the kernel,
// with the console as standard input, which never ends.
func boot() error {
	if err := leaveInitialRoot(); err != nil {
		return fmt.Errorf("leave the initial root: %w", err)
	}
	spec, err := readSpec(SpecFile)
	if err != nil {
		return err
	}
	for _, step := range []func() error{
		mountMachine,
		func() error { return spec.Cgroups.Mount(cgroupsDir) },
		reportToConsole,
		func() error { return unix.Sethostname([]byte(spec.Name)) },
		func() error { return loadModules(spec.Machine.Modules) },
		spec.Machine.connect,
		spec.Machine.openLogs,
		func() error { return setEnvironment(spec) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("boot: %w", err)
		}
	}
	return run()
}

// leaveInitialRoot makes a mount of the root that the kernel has unpacked its
// archive into, and moves into that: containers can't turn away from the first
// one, which is no mount.
func leaveInitialRoot() error {
	const place = "/machine"
	if err := os.Mkdir(place, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("/", place, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if err := os.Chdir(place); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return err
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return os.Chdir("/")
}

// mountMachine mounts what the kernel shows, and memory for what is written.
func mountMachine() error {
	const plain = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	for _, m := range []struct {
		kind, target string
		flags        uintptr
		options      string
	}{
		{"devtmpfs", "/dev", unix.MS_NOSUID, "mode=755"},
		{"proc", "/proc", plain, ""},
		{"sysfs", "/sys", plain, ""},
		{"tmpfs", "/run", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
		{"tmpfs", "/tmp", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
		{"tmpfs", "/dev/shm", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
		{"tmpfs", StateDir, 0, "mode=755"},
	} {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.target, m.kind, m.flags, m.options); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.kind, m.target, err)
		}
	}
	// As on any machine: what the kubelet mounts for a pod, containerd sees.
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "")
}

// reportToConsole makes the console what the node's owner is told by.
func reportToConsole() error {
	return unix.Dup2(int(os.Stdout.Fd()), statusFile)
}

func loadModules(files []string) error {
	for _, file := range files {
		if err := loadModule(file); err != nil {
			return fmt.Errorf("load %s: %w", filepath.Base(file), err)
		}
	}
	return nil
}

func loadModule(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it is only read
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return nil
}

// connect gives the network card its address.
func (m *Machine) connect() error {
	for _, name := range []string{"lo", "eth0"} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return fmt.Errorf("find %s: %w", name, err)
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return fmt.Errorf("bring %s up: %w", name, err)
		}
	}
	card, err := netlink.LinkByName("eth0")
	if err != nil {
		return err
	}
	own := &net.IPNet{IP: m.Address.Addr().AsSlice(), Mask: net.CIDRMask(m.Address.Bits(), m.Address.Addr().BitLen())}
	if err := netlink.AddrAdd(card, &netlink.Addr{IPNet: own}); err != nil {
		return fmt.Errorf("add address %s: %w", m.Address, err)
	}
	if err := netlink.RouteAdd(&netlink.Route{Gw: m.Gateway.AsSlice(), LinkIndex: card.Attrs().Index}); err != nil {
		return fmt.Errorf("add the default route: %w", err)
	}
	return nil
}

// openLogs leads the daemons' logs out of the machine.
func (m *Machine) openLogs() error {
	if err := os.MkdirAll(LogDir, 0o755); err != nil {
		return err
	}
	for name, device := range m.Logs {
		if err := os.Symlink(device, (daemon{name: name}).logFile()); err != nil {
			return err
		}
	}
	return nil
}

func setEnvironment(spec *Spec) error {
	os.Clearenv()
	for _, variable := range environment(spec) {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}
