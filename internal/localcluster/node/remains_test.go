package node_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// footprint is all that a process and its descendants hold of the machine.
type footprint struct {
	processes  map[int]process
	namespaces []string // such as net:[4026532287], without the test's own
	cgroups    []string // folders that are named after the owner
}

type process struct {
	parent  int
	started string
	command string
}

// footprintOf measures the owner and all that it has started. Processes that
// end meanwhile are left out.
func footprintOf(t *testing.T, owner int, ofOwner bool) footprint {
	t.Helper()
	all := processes(t)
	f := footprint{processes: map[int]process{}}
	for pid, p := range all {
		if descends(all, pid, owner) && (ofOwner || pid != owner) {
			f.processes[pid] = p
		}
	}
	own := namespacesOf("self")
	for pid := range f.processes {
		for _, namespace := range namespacesOf(strconv.Itoa(pid)) {
			if !slices.Contains(own, namespace) && !slices.Contains(f.namespaces, namespace) {
				f.namespaces = append(f.namespaces, namespace)
			}
		}
	}
	f.cgroups = cgroupsOf(t, owner)
	return f
}

func processes(t *testing.T) map[int]process {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	all := map[int]process{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "stat"))
		if err != nil {
			continue
		}
		// The name, in parentheses, may hold anything.
		end := strings.LastIndexByte(string(stat), ')')
		fields := strings.Fields(string(stat[end+1:]))
		parent, err := strconv.Atoi(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		if fields[0] != "Z" {
			all[pid] = process{parent: parent, started: fields[19], command: string(stat[:end+1])}
		}
	}
	return all
}

func descends(all map[int]process, pid, ancestor int) bool {
	for pid > 1 {
		if pid == ancestor {
			return true
		}
		pid = all[pid].parent
	}
	return false
}

func namespacesOf(pid string) []string {
	links, _ := filepath.Glob(filepath.Join("/proc", pid, "ns", "*")) // the pattern is good
	var names []string
	for _, link := range links {
		if name, err := os.Readlink(link); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// cgroupsOf finds the control groups named after the process.
func cgroupsOf(t *testing.T, owner int) []string {
	t.Helper()
	var found []string
	prefix := fmt.Sprintf("muster-%d-", owner)
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && entry.IsDir() && strings.HasPrefix(entry.Name(), prefix) {
			found = append(found, path)
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// remains lists what is still there of a footprint.
func (f footprint) remains(t *testing.T) []string {
	t.Helper()
	var left []string
	now := processes(t)
	for pid, p := range f.processes {
		if again, ok := now[pid]; ok && again.started == p.started {
			left = append(left, fmt.Sprintf("process %s", p.command))
		}
	}
	for pid := range now {
		if ofAnotherTest(now, pid) {
			continue
		}
		for _, pattern := range []string{"ns", "fd"} {
			for _, held := range linksIn(filepath.Join("/proc", strconv.Itoa(pid), pattern)) {
				if slices.Contains(f.namespaces, held) {
					left = append(left, fmt.Sprintf("namespace %s, held by process %d", held, pid))
				}
			}
		}
	}
	for _, folder := range f.cgroups {
		if _, err := os.Stat(folder); err == nil {
			left = append(left, "cgroup "+folder)
		}
	}
	return left
}

// ofAnotherTest says whether a process was started by a test that runs beside
// this one. The kernel gives a name space the number of one that is gone, so that
// others seem to hold what they have never seen.
func ofAnotherTest(all map[int]process, pid int) bool {
	return descends(all, pid, os.Getppid()) && !descends(all, pid, os.Getpid())
}

func linksIn(folder string) []string {
	entries, _ := os.ReadDir(folder) // of a process that has ended
	var targets []string
	for _, entry := range entries {
		if target, err := os.Readlink(filepath.Join(folder, entry.Name())); err == nil {
			targets = append(targets, target)
		}
	}
	return targets
}

// awaitNothing waits until nothing is left of a footprint. The kernel takes
// namespaces apart in its own time, and tells no one.
func (f footprint) awaitNothing(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		left := f.remains(t)
		if len(left) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
			return
		case <-ticker.C:
		}
	}
}

// machine is what nobody but nodes would change on the machine meanwhile.
type machine struct {
	links    []string
	mounts   []string // those in the folder, and those of namespaces
	settings map[string]string
}

// lookAtMachine looks at what the host itself shows of a cluster in dir.
func lookAtMachine(t *testing.T, dir string) machine {
	t.Helper()
	m := machine{settings: map[string]string{}}
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		m.links = append(m.links, i.Name)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, dir) || strings.Contains(line, " - nsfs ") {
			m.mounts = append(m.mounts, line)
		}
	}
	for _, name := range []string{
		"kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory", "vm/panic_on_oom",
		"kernel/keys/root_maxkeys", "net/ipv4/ip_forward", "kernel/hostname",
	} {
		value, err := os.ReadFile(filepath.Join("/proc/sys", name))
		if err != nil {
			t.Fatal(err)
		}
		m.settings[name] = string(value)
	}
	return m
}
