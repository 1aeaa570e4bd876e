package node

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"muster.sh/muster/internal/localcluster/network/osthread"
)

// probe is one thing that a node will ask of the kernel.
type probe struct {
	requirement string
	cure        string
	try         func() error
}

// missingInKernel tries what nodes need, in namespaces that end with the try.
func missingInKernel(ctx context.Context, dir string) []Requirement {
	release, err := kernelRelease()
	if err != nil || kernelIsOld(release, oldestKernel) {
		return []Requirement{{"Linux " + oldestKernel, "update the kernel " + release, bringsNodes}}
	}
	thread, err := osthread.New(enterProbe)
	if err != nil {
		return []Requirement{{"the right to make namespaces", fmt.Sprintf("run on the machine itself or in a privileged container (%v)", err), bringsNodes}}
	}
	defer thread.End()
	var missing []Requirement
	for _, p := range []probe{
		{"overlayfs on " + dir, "modprobe overlay, and a state folder on ext4 or xfs", func() error { return tryOverlay(dir) }},
		{"bridges and veth pairs", "modprobe -a bridge veth", tryLinks},
		{"nftables", "modprobe nf_tables, and nft 1.0.1 or later", func() error { return tryTables(ctx) }},
	} {
		if err := thread.Do(p.try); err != nil {
			missing = append(missing, Requirement{p.requirement, fmt.Sprintf("%s (%v)", p.cure, err), bringsNodes})
		}
	}
	return missing
}

func enterProbe() error {
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWCGROUP); err != nil {
		return err
	}
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
}

// tryOverlay mounts layers as containerd does, where dir is or will be. Not every
// file system can be the upper one.
func tryOverlay(dir string) (err error) {
	for !exists(dir) {
		dir = filepath.Dir(dir)
	}
	folder, err := os.MkdirTemp(dir, "probe-")
	if err != nil {
		return err
	}
	defer func() {
		if removeErr := os.RemoveAll(folder); err == nil {
			err = removeErr
		}
	}()
	var options []string
	for _, layer := range []string{"lowerdir", "upperdir", "workdir"} {
		path := filepath.Join(folder, layer)
		if err := os.Mkdir(path, 0o700); err != nil {
			return err
		}
		options = append(options, layer+"="+path)
	}
	merged := filepath.Join(folder, "merged")
	if err := os.Mkdir(merged, 0o700); err != nil {
		return err
	}
	if err := unix.Mount("overlay", merged, "overlay", 0, strings.Join(options, ",")); err != nil {
		return err
	}
	return unix.Unmount(merged, 0)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func tryLinks() error {
	links, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer links.Close()
	bridge := netlink.NewLinkAttrs()
	bridge.Name = "probe"
	if err := links.LinkAdd(&netlink.Bridge{LinkAttrs: bridge}); err != nil {
		return fmt.Errorf("add a bridge: %w", err)
	}
	end := netlink.NewLinkAttrs()
	end.Name = "probe0"
	if err := links.LinkAdd(&netlink.Veth{LinkAttrs: end, PeerName: "probe1"}); err != nil {
		return fmt.Errorf("add a veth pair: %w", err)
	}
	return nil
}

func tryTables(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "nft", "add", "table", "ip", "probe").CombinedOutput()
	if err != nil {
		return fmt.Errorf("nft: %w %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
