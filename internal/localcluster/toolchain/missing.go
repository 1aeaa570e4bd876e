package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Missing lists what this machine lacks to build the tools, each with its cure.
func Missing() []string {
	var missing []string
	if _, err := exec.LookPath("go"); err != nil {
		missing = append(missing, "the Go toolchain (https://go.dev/dl), with go in PATH")
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		missing = append(missing, "a C compiler for runc (apt-get install gcc libc6-dev)")
	}
	return missing
}

// HasSeccomp tells whether runc can be built with seccomp. Without it, pods
// that ask for a seccomp profile do not start; all others do.
func HasSeccomp(ctx context.Context) bool {
	return exec.CommandContext(ctx, "pkg-config", "--exists", "libseccomp").Run() == nil
}

// explain adds what go printed to the error of a command that was run for its
// output.
func explain(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
