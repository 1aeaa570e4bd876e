package toolchain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"muster.sh/muster/internal/localcluster/gobuild"
)

// ownPackages is where the sources of NodeTools lie in this module.
const ownPackages = "internal/localcluster/node/programs"

// recipe is how one tool is built, as a value.
type recipe struct {
	tool     string
	dir      string   // where go runs: the root of the module that pins the tool
	packages []string // what go builds
	tags     []string
	ldflags  []string
	cgo      bool
	inputs   []string // files that decide what comes out
	key      string   // a hash of all the above and of the Go version
}

// newRecipe returns how the tool is built here, from the source tree.
func newRecipe(ctx context.Context, source, tool string) (*recipe, error) {
	r := &recipe{
		tool:     tool,
		dir:      filepath.Join(source, "tools", tool),
		packages: []string{"tool"}, // go's name for all that go.mod lists as tools
		ldflags:  []string{"-s", "-w"},
	}
	switch tool {
	case Containerd:
		r.tags = []string{"no_btrfs", "no_devmapper", "no_zfs", "urfave_cli_no_docs"}
		if err := r.stampContainerd(ctx); err != nil {
			return nil, err
		}
	case Runc:
		// runc needs C for the code that runs before Go's threads exist.
		r.cgo = true
		r.tags = []string{"netgo", "osusergo"}
		r.ldflags = append(r.ldflags, "-extldflags=-static")
		if HasSeccomp(ctx) {
			r.tags = append(r.tags, "seccomp")
		}
	case CNI, Coscheduling, Kueue, Karpenter, NFD, Helm, SparkOperator:
	case CoreDNS:
		r.packages = []string{"."}
	case NodeTools:
		r.dir = filepath.Join(source, ownPackages)
		r.packages = []string{"./..."}
	default:
		if !strings.HasPrefix(tool, kubernetesPrefix) {
			return nil, fmt.Errorf("no tool is called %q", tool)
		}
		if err := r.stampKubernetes(ctx); err != nil {
			return nil, err
		}
	}
	return r, r.seal(ctx)
}

// stampContainerd writes containerd's version into it.
func (r *recipe) stampContainerd(ctx context.Context) error {
	const module = "github.com/containerd/containerd/v2"
	version, err := r.moduleVersion(ctx, module)
	if err != nil {
		return err
	}
	r.ldflags = append(r.ldflags, "-X", module+"/version.Version="+version)
	return nil
}

// moduleVersion is the version in which a module is pinned. Programs that are built
// from modules do not know their own.
func (r *recipe) moduleVersion(ctx context.Context, module string) (string, error) {
	version, err := r.output(ctx, "list", "-m", "-f", "{{.Version}}", module)
	if err != nil {
		return "", fmt.Errorf("read the version of %s: %w", module, err)
	}
	return version, nil
}

// seal finds the inputs and hashes the recipe.
func (r *recipe) seal(ctx context.Context) error {
	var err error
	for _, pattern := range []string{"go.mod", "go.sum", "*.go", "*/*.go"} {
		files, err := filepath.Glob(filepath.Join(r.dir, pattern))
		if err != nil {
			return fmt.Errorf("list the sources of %s: %w", r.tool, err)
		}
		r.inputs = append(r.inputs, files...)
	}
	slices.Sort(r.inputs)
	version, err := r.output(ctx, "env", "GOVERSION")
	if err != nil {
		return fmt.Errorf("ask go for its version: %w", err)
	}
	r.key, err = r.hash(version)
	return err
}

func (r *recipe) hash(goVersion string) (string, error) {
	sum := sha256.New()
	// Flags are quoted: two recipes never read the same.
	build := r.goBuild("OUT")
	fmt.Fprintf(sum, "%q %q %q %q %q\n", goVersion, runtime.GOARCH, build.Args, build.Packages, build.Env)
	for _, file := range r.inputs {
		content, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("hash the sources of %s: %w", r.tool, err)
		}
		fmt.Fprintf(sum, "%q\n", filepath.Base(file))
		_, err = io.Copy(sum, content)
		_ = content.Close() // it was only read
		if err != nil {
			return "", fmt.Errorf("hash the sources of %s: %w", r.tool, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

// goBuild builds everything into the folder out.
func (r *recipe) goBuild(out string) gobuild.Build {
	args := []string{"-ldflags=" + strings.Join(r.ldflags, " "), "-o", out + "/"}
	if len(r.tags) > 0 {
		args = append(args, "-tags="+strings.Join(r.tags, ","))
	}
	return gobuild.Build{Dir: r.dir, Env: r.environment(), Args: args, Packages: r.packages}
}

// environment is what is added to this process's own.
func (r *recipe) environment() []string {
	cgo := "CGO_ENABLED=0"
	if r.cgo {
		cgo = "CGO_ENABLED=1"
	}
	return []string{cgo, "GOFLAGS=-buildvcs=false", "GOWORK=off"}
}

// command is go in the tool's module.
func (r *recipe) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), r.environment()...)
	return cmd
}

// output is what go prints for the arguments.
func (r *recipe) output(ctx context.Context, args ...string) (string, error) {
	out, err := r.command(ctx, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}
