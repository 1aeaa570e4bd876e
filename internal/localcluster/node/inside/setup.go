package inside

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// setup turns a process in new namespaces into a node's first one.
func setup(specFile string) error {
	spec, err := readSpec(specFile)
	if err != nil {
		return err
	}
	// By then the owner has put this process into its control group, which
	// becomes the top of all that the node sees.
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("wait for the node's owner: %w", err)
	}
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("make a cgroup namespace: %w", err)
	}
	if err := unix.Sethostname([]byte(spec.Name)); err != nil {
		return fmt.Errorf("set the host name: %w", err)
	}
	if err := enterRoot(spec); err != nil {
		return err
	}
	argv := []string{filepath.Base(Binary), Command, StepRun}
	return fmt.Errorf("start %s: %w", Binary, syscall.Exec(Binary, argv, environment(spec)))
}

// environment is that of the node's processes: nothing of the host's.
func environment(spec *Spec) []string {
	path := ""
	for _, tool := range spec.Tools {
		path += filepath.Join(ToolsDir, tool) + ":"
	}
	return []string{
		"PATH=" + path + "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root",
	}
}

// enterRoot assembles the node's root folder and makes it this process's.
func enterRoot(spec *Spec) error {
	// From here on nothing that is mounted reaches the host, and the other way.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("part from the host's mounts: %w", err)
	}
	r := root(spec.Root)
	for _, build := range []func() error{
		r.create,
		r.bindPrograms,
		r.writeEtc,
		r.mountKernel,
		func() error { return spec.Cgroups.Mount(r.path(cgroupsDir)) },
		func() error { return r.bindAll(spec.Binds) },
		r.enter,
	} {
		if err := build(); err != nil {
			return fmt.Errorf("assemble the node's root: %w", err)
		}
	}
	return nil
}
