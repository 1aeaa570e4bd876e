package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"muster.sh/muster/internal/localcluster/node/cgroup"
	"muster.sh/muster/internal/localcluster/toolchain"
)

// Requirement is something that a machine lacks for real nodes.
type Requirement struct {
	// Name is what is missing.
	Name string
	// Cure is what to do about it.
	Cure string
	// Brings is what works once it is there.
	Brings string
}

func (r Requirement) String() string {
	return fmt.Sprintf("%s is missing; %s: %s", r.Name, r.Cure, r.Brings)
}

const bringsNodes = "brings real nodes"

// Missing lists what keeps this machine from running real nodes whose state
// lies in dir; none means that it can.
func Missing(ctx context.Context, dir string) []Requirement {
	var missing []Requirement
	need := func(name, cure string) { missing = append(missing, Requirement{name, cure, bringsNodes}) }
	if runtime.GOOS != "linux" {
		need("Linux", "run on Linux")
		return missing
	}
	for program, cure := range map[string]string{
		"nft":   "apt-get install nftables",
		"mount": "apt-get install mount",
	} {
		if _, err := exec.LookPath(program); err != nil {
			need("the program "+program, cure)
		}
	}
	for _, tool := range toolchain.Missing(ctx) {
		need(tool.Name, tool.Cure)
	}
	if _, err := cgroup.Detect(""); err != nil {
		need("a way to group processes", err.Error())
	}
	if os.Geteuid() != 0 {
		need("root", "run as root (sudo)")
		return missing // no more can be found out
	}
	return append(missing, missingInKernel(ctx, dir)...)
}

// cureControllers names a scope first: what others write into the top's
// subtree_control systemd takes back when it next looks at its units.
const cureControllers = "start by systemd-run --scope --property=Delegate=yes COMMAND, or without systemd " +
	"enable them in /sys/fs/cgroup/cgroup.subtree_control, and do not mount them as version 1"

// Capabilities says what the nodes of this machine can do and can't.
type Capabilities struct {
	// Cgroups is how control groups are used.
	Cgroups cgroup.Mode
	// Limits tells whether the CPU and memory limits of pods really hold.
	Limits bool
	// Lacking says what is missing for what can't be done.
	Lacking []Requirement
}

// FindCapabilities looks at this machine.
func FindCapabilities(ctx context.Context) (Capabilities, error) {
	host, err := cgroup.Detect("")
	if err != nil {
		return Capabilities{}, err
	}
	c := Capabilities{Cgroups: host.Mode, Limits: host.Mode.EnforcesLimits()}
	if !c.Limits {
		c.Lacking = append(c.Lacking, Requirement{
			Name:   "cgroup v2 controllers " + strings.Join(host.Lacking, ", "),
			Cure:   cureControllers,
			Brings: "makes the CPU and memory limits of pods hold",
		})
	}
	if !toolchain.HasSeccomp(ctx) {
		c.Lacking = append(c.Lacking, Requirement{
			Name:   "libseccomp's development files",
			Cure:   "apt-get install libseccomp-dev pkg-config",
			Brings: "lets pods with a seccomp profile start",
		})
	}
	return c, nil
}

// oldestKernel is the first whose nftables suffice for kube-proxy.
const oldestKernel = "5.13"

// kernelIsOld tells whether a release, such as 5.10.0-28-amd64, is older.
func kernelIsOld(release, oldest string) bool {
	var major, minor, wantMajor, wantMinor int
	_, err := fmt.Sscanf(release, "%d.%d", &major, &minor)
	if err != nil {
		return true
	}
	if _, err := fmt.Sscanf(oldest, "%d.%d", &wantMajor, &wantMinor); err != nil {
		return true
	}
	return major < wantMajor || major == wantMajor && minor < wantMinor
}

func kernelRelease() (string, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "", errors.Join(errors.New("ask for the kernel's release"), err)
	}
	return unix.ByteSliceToString(name.Release[:]), nil
}
