package node

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"muster.sh/muster/internal/localcluster/node/inside"
	"muster.sh/muster/internal/localcluster/toolchain"
)

// LoadImage imports an archive of images, as docker save and oci-archive write
// them, and unpacks it on the node.
func (n *Node) LoadImage(ctx context.Context, archive string) error {
	return LoadImage(ctx, n.config.Dir, n.config.Tools, archive)
}

// LoadImage imports an archive of images on the running node whose folder is
// dir, whichever process has started it.
func LoadImage(ctx context.Context, dir string, tools toolchain.Paths, archive string) error {
	pid, err := os.ReadFile(layout(dir).pid())
	if err != nil {
		return fmt.Errorf("load image %s: find the node: %w", archive, err)
	}
	socket := filepath.Join("/proc", string(pid), "root", inside.Containerd)
	if _, err := os.Stat(socket); err != nil {
		return fmt.Errorf("load image %s: the node does not run: %w", archive, err)
	}
	ctr := tools.Program(toolchain.Containerd, "ctr")
	cmd := exec.CommandContext(ctx, ctr, "--address", socket, "--namespace", "k8s.io", "images", "import", archive)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("load image %s: %w: %s", archive, err, strings.TrimSpace(string(out)))
	}
	return nil
}
