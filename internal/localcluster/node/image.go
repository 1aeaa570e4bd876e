package node

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"muster.sh/muster/internal/localcluster/network/osthread"
	"muster.sh/muster/internal/localcluster/node/inside"
	"muster.sh/muster/internal/localcluster/toolchain"
)

// LoadImage imports an archive of images, as docker save and oci-archive write
// them, and unpacks it on the node.
func (n *Node) LoadImage(ctx context.Context, archive string) error {
	return LoadImage(ctx, n.config.Dir, archive)
}

// LoadImage imports an archive of images on the running node whose folder is
// dir, whichever process has started it.
func LoadImage(ctx context.Context, dir, archive string) error {
	file, err := os.Open(archive)
	if err != nil {
		return fmt.Errorf("load image: %w", err)
	}
	defer func() { _ = file.Close() }() // it is only read
	thread, err := osthread.New(func() error { return enterMounts(dir) })
	if err != nil {
		return fmt.Errorf("load image %s: enter the node (does it run?): %w", archive, err)
	}
	defer thread.End()
	// Among the node's mounts the client unpacks by itself. Through the daemon's
	// streams it would take twice the time.
	cmd := exec.CommandContext(ctx, filepath.Join(inside.ToolsDir, toolchain.Containerd, "ctr"),
		"--address", inside.Containerd, "--namespace", "k8s.io", "images", "import", "--local", "--snapshotter", "overlayfs", "-")
	var output bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = file, &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := thread.Do(cmd.Start); err != nil {
		return fmt.Errorf("load image %s: %w", archive, err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("load image %s: %w: %s", archive, err, strings.TrimSpace(output.String()))
	}
	return nil
}

// enterMounts moves the calling thread into the mount namespace of the node
// whose folder is dir.
func enterMounts(dir string) error {
	pid, err := os.ReadFile(layout(dir).pid())
	if err != nil {
		return err
	}
	mounts, err := os.Open(filepath.Join("/proc", string(pid), "ns", "mnt"))
	if err != nil {
		return err
	}
	defer func() { _ = mounts.Close() }() // it is only held
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	return unix.Setns(int(mounts.Fd()), unix.CLONE_NEWNS)
}
