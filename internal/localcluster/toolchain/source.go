package toolchain

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// SourceVariable names the environment variable that tells where Muster's
// source lies, for programs that run outside of a checkout.
const SourceVariable = "MUSTER_SRC"

// findSource returns the root of Muster's source tree.
func findSource(ctx context.Context) (string, error) {
	if dir := os.Getenv(SourceVariable); dir != "" {
		if !isSource(dir) {
			return "", fmt.Errorf("%s=%s is not a checkout of Muster: it has no tools/runc/go.mod", SourceVariable, dir)
		}
		return filepath.Abs(dir)
	}
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("ask go for its module (is Go installed and in PATH?): %w", err)
	}
	dir := filepath.Dir(strings.TrimSpace(string(out)))
	if !isSource(dir) {
		return "", fmt.Errorf("this is built from source: run from within a checkout of Muster, or set %s to one", SourceVariable)
	}
	return dir, nil
}

func isSource(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "tools", "runc", "go.mod"))
	return err == nil
}
