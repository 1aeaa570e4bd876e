package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Group is one control group in every hierarchy, as the folders of them.
type Group struct {
	Mode    Mode     `json:"mode"`
	Folders []string `json:"folders"`
}

// Create makes a group of the name. On an error nothing is left of it.
func (h Host) Create(name string) (*Group, error) {
	g := &Group{Mode: h.Mode}
	for _, hierarchy := range h.Hierarchies {
		folder := filepath.Join(hierarchy.Parent, name)
		if err := os.Mkdir(folder, 0o755); err != nil {
			return nil, fmt.Errorf("make a cgroup: %w", errors.Join(err, g.removeNow()))
		}
		g.Folders = append(g.Folders, folder)
		if err := inheritCPUs(hierarchy.Parent, folder); err != nil {
			return nil, fmt.Errorf("make a cgroup: %w", errors.Join(err, g.removeNow()))
		}
	}
	return g, nil
}

// Weigh lets the group's processes, all together, have as much CPU time beside the
// rest of the machine as processes on so many CPUs. A new group has as much as one.
func (g *Group) Weigh(cpus int) error {
	for _, folder := range g.Folders {
		for file, value := range map[string]int{
			"cpu.shares": 1024 * cpus,              // version 1
			"cpu.weight": min(100*cpus, maxWeight), // version 2
		} {
			path := filepath.Join(folder, file)
			if _, err := os.Stat(path); err != nil {
				continue // another controller or version
			}
			if err := os.WriteFile(path, []byte(strconv.Itoa(value)), 0o644); err != nil {
				return fmt.Errorf("weigh a cgroup: %w", err)
			}
		}
	}
	return nil
}

// maxWeight is the most that the kernel takes.
const maxWeight = 10_000

// inheritCPUs gives a new group of cpuset's version 1, which is born empty, all
// that its parent has, and lets its children be born with the same.
func inheritCPUs(parent, folder string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(parent, file))
		if errors.Is(err, fs.ErrNotExist) {
			return nil // another hierarchy, or version 2, which inherits by itself
		}
		if err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(folder, "cgroup.clone_children")); err != nil {
			return nil
		}
		if err := os.WriteFile(filepath.Join(folder, file), value, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, "cgroup.clone_children"), []byte("1"), 0o644)
}

// Add moves the process into the group.
func (g *Group) Add(pid int) error {
	for _, folder := range g.Folders {
		if err := os.WriteFile(filepath.Join(folder, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644); err != nil {
			return fmt.Errorf("move process %d into its cgroup: %w", pid, err)
		}
	}
	return nil
}

// Remove removes the group and all below it. Its processes must be about to
// end: it waits for that until ctx ends.
func (g *Group) Remove(ctx context.Context) error {
	// A process leaves its group some time after it was waited for, and
	// version 1 says nothing when it has.
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := g.removeNow()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("remove cgroup: %w", err)
		case <-ticker.C:
		}
	}
}

func (g *Group) removeNow() error {
	var errs []error
	for _, folder := range g.Folders {
		errs = append(errs, removeTree(folder))
	}
	return errors.Join(errs...)
}

// removeTree removes a group and those below it, the deepest first. Files in
// it are the kernel's and go with it.
func removeTree(folder string) error {
	var folders []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a group that vanished meanwhile
		}
		if err == nil && entry.IsDir() {
			folders = append(folders, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, path := range slices.Backward(folders) {
		if err := unix.Rmdir(path); err != nil && !errors.Is(err, unix.ENOENT) {
			return &fs.PathError{Op: "rmdir", Path: path, Err: err}
		}
	}
	return nil
}
