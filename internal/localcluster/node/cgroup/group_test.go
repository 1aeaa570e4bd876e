package cgroup

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// create makes a group on this machine, or skips the test.
func create(t *testing.T, node string) *Group {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make cgroups")
	}
	host, err := Detect("")
	if err != nil {
		t.Skip("needs cgroups: ", err)
	}
	name, err := Name(os.Getpid(), node)
	if err != nil {
		t.Fatal(err)
	}
	group, err := host.Create(name)
	if errors.Is(err, fs.ErrPermission) {
		t.Skip("needs cgroups that can be written: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = group.removeNow() }) // a test may have removed it
	return group
}

func assertGone(t *testing.T, group *Group) {
	t.Helper()
	for _, folder := range group.Folders {
		if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", folder, err)
		}
	}
}

func TestAGroupHoldsItsProcessesAndGoesAfterThem(t *testing.T) {
	group := create(t, "holds")
	child := exec.Command("sleep", "1000")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })
	if err := group.Add(child.Process.Pid); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(group.Folders[0], "pod", "container")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := group.Remove(ended); err == nil {
		t.Error("a group was removed that has a process")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := group.Remove(ctx); err != nil {
		t.Fatal(err)
	}
	assertGone(t, group)
	if err := group.Remove(ctx); err != nil {
		t.Errorf("removing again: %v", err)
	}
}

func TestAGroupWeighsAsMuchAsItsCPUs(t *testing.T) {
	group := create(t, "weighs")
	if err := group.Weigh(3); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, folder := range group.Folders {
		for file, want := range map[string]string{"cpu.shares": "3072", "cpu.weight": "300"} {
			if got, err := os.ReadFile(filepath.Join(folder, file)); err == nil {
				found = true
				if strings.TrimSpace(string(got)) != want {
					t.Errorf("%s is %s, want %s", file, got, want)
				}
			}
		}
	}
	if found != group.Mode.EnforcesLimits() {
		t.Errorf("a weight was found: %t, in mode %s", found, group.Mode)
	}
}

func TestSweepRemovesTheGroupsOfTheDeadAndKeepsThoseOfTheLiving(t *testing.T) {
	ours := create(t, "living")
	owner := exec.Command("true")
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	name, err := Name(owner.Process.Pid, "dead")
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Wait(); err != nil {
		t.Fatal(err)
	}
	host, err := Detect("")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := host.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := Sweep(); err != nil {
		t.Fatal(err)
	}
	assertGone(t, theirs)
	for _, folder := range ours.Folders {
		if _, err := os.Stat(folder); err != nil {
			t.Errorf("a living owner's group is gone: %v", err)
		}
	}
}

func TestOwnersAreKnownByTheNamesOfTheirGroups(t *testing.T) {
	name, err := Name(os.Getpid(), "node-with-dashes")
	if err != nil {
		t.Fatal(err)
	}
	if alive, ours := ownerIsAlive(name); !alive || !ours {
		t.Errorf("%s: alive %t, ours %t", name, alive, ours)
	}
	// Another process that once had the number was started at another time.
	parts := strings.SplitN(name, "-", 4)
	parts[2] = "1"
	if alive, ours := ownerIsAlive(strings.Join(parts, "-")); alive || !ours {
		t.Errorf("%v: alive %t, ours %t", parts, alive, ours)
	}
	for _, name := range []string{"kubepods", "muster-", "muster-x-1-a", "muster-12", "system.slice"} {
		if _, ours := ownerIsAlive(name); ours {
			t.Errorf("%q is taken for one of ours", name)
		}
	}
}
