package toolchain

import (
	"context"
	"os/exec"
	"path/filepath"
)

// Lack is something that a machine lacks to build the tools.
type Lack struct {
	Name string // what
	Cure string // how to get it
}

// Missing lists what this machine lacks to build the tools. What is in the
// cache needs no compiler.
func Missing(ctx context.Context) []Lack {
	if _, err := exec.LookPath("go"); err != nil {
		return []Lack{{"the program go", "install Go (https://go.dev/dl) and have it in PATH"}}
	}
	source, err := findSource(ctx)
	if err != nil {
		return []Lack{{"Muster's source", err.Error()}}
	}
	if _, err := exec.LookPath("gcc"); err != nil && !cached(ctx, source, Runc) {
		return []Lack{{"a C compiler, for runc", "apt-get install gcc libc6-dev"}}
	}
	return nil
}

func cached(ctx context.Context, source, tool string) bool {
	cache, err := cacheDir()
	if err != nil {
		return false
	}
	r, err := newRecipe(ctx, source, tool)
	return err == nil && present(filepath.Join(cache, tool+"-"+r.key))
}

// HasSeccomp tells whether runc can be built with seccomp. Without it, pods
// that ask for a seccomp profile do not start; all others do.
func HasSeccomp(ctx context.Context) bool {
	return exec.CommandContext(ctx, "pkg-config", "--exists", "libseccomp").Run() == nil
}
