package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const mountFlags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

// Mount mounts the hierarchies at the folder, for a process that has a cgroup
// namespace of its own: it sees its group as the top of each.
func (h Host) Mount(folder string) error {
	if h.Mode != V1 {
		if err := unix.Mount("cgroup2", folder, "cgroup2", mountFlags, ""); err != nil {
			return fmt.Errorf("mount cgroup2: %w", err)
		}
		return nil
	}
	if err := unix.Mount("tmpfs", folder, "tmpfs", mountFlags, "mode=755"); err != nil {
		return fmt.Errorf("mount a place for cgroups: %w", err)
	}
	for _, hierarchy := range h.Hierarchies {
		if err := mountV1(folder, hierarchy.Controllers); err != nil {
			return fmt.Errorf("mount cgroup %s: %w", hierarchy.Controllers, err)
		}
	}
	return nil
}

func mountV1(folder, controllers string) error {
	name, named := strings.CutPrefix(controllers, "name=")
	options := controllers
	if named {
		options = "none," + controllers
	}
	point := filepath.Join(folder, name)
	if err := os.Mkdir(point, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("cgroup", point, "cgroup", mountFlags, options); err != nil {
		return err
	}
	// Programs look for one controller by its own name.
	if parts := strings.Split(name, ","); len(parts) > 1 {
		for _, controller := range parts {
			if err := os.Symlink(name, filepath.Join(folder, controller)); err != nil {
				return err
			}
		}
	}
	return nil
}

// ownGroup is where a process that has settled is, and those that it starts.
const ownGroup = "init"

// Settle makes room for groups with controllers below the own one, whose mount
// is at the folder: such a group must have no processes itself, so the calling
// one, the only one there, moves into a group of its own.
func (h Host) Settle(folder string) error {
	if h.Mode == V1 {
		return nil
	}
	home := filepath.Join(folder, ownGroup)
	if err := os.Mkdir(home, 0o755); err != nil {
		return fmt.Errorf("settle in a cgroup: %w", err)
	}
	if err := os.WriteFile(filepath.Join(home, "cgroup.procs"), []byte("0"), 0o644); err != nil {
		return fmt.Errorf("settle in a cgroup: %w", err)
	}
	available, err := os.ReadFile(filepath.Join(folder, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("read the controllers: %w", err)
	}
	for _, controller := range strings.Fields(string(available)) {
		// One at a time: a controller that refuses takes no other with it.
		err := os.WriteFile(filepath.Join(folder, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
		if err != nil && h.Mode == V2 {
			return fmt.Errorf("hand %s down: %w", controller, err)
		}
	}
	return nil
}

// Confine leaves a process that has settled, and those that it starts, some CPUs alone,
// as the kernel lists them: 0,2-3.
func Confine(folder, cpus string) error {
	if err := os.WriteFile(filepath.Join(folder, ownGroup, "cpuset.cpus"), []byte(cpus), 0o644); err != nil {
		return fmt.Errorf("keep to CPUs %s: %w", cpus, err)
	}
	return nil
}
