package localcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"muster.sh/muster/internal/localcluster/gobuild"
	"muster.sh/muster/internal/localcluster/toolchain"
)

const (
	binaryName    = "muster-local"
	binaryPackage = "muster.sh/muster/cmd/muster-local"
)

// findBinary returns the path of muster-local.
func (c *Cluster) findBinary(ctx context.Context) (string, error) {
	if c.spec.Binary != "" {
		return filepath.Abs(c.spec.Binary)
	}
	if self, err := os.Executable(); err == nil && filepath.Base(self) == binaryName {
		return self, nil
	}
	if path := os.Getenv("MUSTER_LOCAL"); path != "" {
		// The go command takes a test for done if all that the test has looked at
		// is as it was, so the program is looked at.
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("$MUSTER_LOCAL: %w; make build builds it", err)
		}
		return filepath.Abs(path)
	}
	var path string
	err := c.steps.watch(ctx, "build "+binaryName, func(ctx context.Context, g *gauge) error {
		var err error
		path, err = buildBinary(ctx, g)
		return err
	})
	return path, err
}

// buildBinary builds muster-local from the module around the working directory
// into the user's cache. The go command does nothing if it is up to date.
func buildBinary(ctx context.Context, g *gauge) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	dir := filepath.Join(cache, "muster", "bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the cache folder: %w", err)
	}
	unlock, err := lockBuild(filepath.Join(dir, "."+binaryName+".lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	path := filepath.Join(dir, binaryName)
	build := gobuild.Build{
		Env:      []string{"CGO_ENABLED=0", "GOFLAGS=-buildvcs=false"},
		Args:     []string{"-ldflags", "-s -w " + strings.Join(toolchain.KubernetesLinkerFlags(kubernetesVersion), " "), "-o", path},
		Packages: []string{binaryPackage},
	}
	if g != nil {
		build.Progress = g.set
	}
	if err := build.Run(ctx); err != nil {
		return "", fmt.Errorf("build %s (inside a checkout of Muster; elsewhere name a built one in $MUSTER_LOCAL): %w", binaryName, err)
	}
	return path, nil
}

// lockBuild keeps two processes from writing the same file.
func lockBuild(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the build: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the build: %w", err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}
