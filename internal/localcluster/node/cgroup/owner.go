package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const namePrefix = "muster-"

// Name is the name of a node's group, which also says whose it is: the process
// with that number that was started at that time.
func Name(owner int, node string) (string, error) {
	started, err := startTime(owner)
	if err != nil {
		return "", fmt.Errorf("name the cgroup of %s: %w", node, err)
	}
	return fmt.Sprintf("%s%d-%s-%s", namePrefix, owner, started, node), nil
}

// startTime is when the process was started, in the kernel's own count. With
// the number it tells two processes apart that had the same number.
func startTime(pid int) (string, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", err
	}
	// The second field is the program's name in parentheses, which may have
	// spaces and parentheses of its own.
	_, after, _ := strings.Cut(string(data[max(0, strings.LastIndexByte(string(data), ')')):]), " ")
	const startField = 22 - 3
	fields := strings.Fields(after)
	if len(fields) <= startField {
		return "", fmt.Errorf("process %d: stat has %d fields", pid, len(fields)+2)
	}
	return fields[startField], nil
}

// ownerIsAlive tells whether the group's name is one that Name gave for a
// process that still runs. ours is false for names that Name never gives.
func ownerIsAlive(name string) (alive, ours bool) {
	rest, ours := strings.CutPrefix(name, namePrefix)
	if !ours {
		return false, false
	}
	parts := strings.SplitN(rest, "-", 3)
	if len(parts) != 3 {
		return false, false
	}
	pid, err := strconv.Atoi(parts[0])
	if err != nil {
		return false, false
	}
	started, err := startTime(pid)
	return err == nil && started == parts[1], true
}

// Sweep removes the groups of owners that are gone: what a machine keeps when a
// process and its janitor are killed together. Groups that still hold processes
// stay.
func Sweep() error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("find cgroups: %w", err)
	}
	var errs []error
	for line := range strings.Lines(string(mounts)) {
		if _, point, _, _, ok := parseMount(line); ok {
			errs = append(errs, sweep(point))
		}
	}
	return errors.Join(errs...)
}

func sweep(top string) error {
	return filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return fs.SkipDir
		}
		if err != nil || !entry.IsDir() {
			return err
		}
		alive, ours := ownerIsAlive(entry.Name())
		if !ours {
			return nil
		}
		if !alive {
			// One that is in use can't be removed, and must not be.
			_ = removeTree(path)
		}
		return fs.SkipDir
	})
}
