package spark

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/util/wait"
)

// daemons are the programs that run on every node.
var daemons = []string{"containerd", "kubelet", "kube-proxy"}

// killDaemon kills a program of a node without warning, and waits until it has
// been started again.
func (s *story) killDaemon(name, node string) {
	s.Helper()
	before, err := s.daemonOf(node, name)
	s.must(err)
	s.must(unix.Kill(before, unix.SIGKILL))
	s.must(wait.PollUntilContextCancel(s.ctx, pollInterval, true, func(context.Context) (bool, error) {
		after, err := s.daemonOf(node, name)
		return err == nil && after != before, nil
	}))
}

// daemonOf finds a program of a node, which the node's first process has started.
func (s *stage) daemonOf(node, name string) (pid int, err error) {
	text, err := os.ReadFile(filepath.Join(s.Dir(), "nodes", node, "pid"))
	if err != nil {
		return 0, fmt.Errorf("find node %s: %w", node, err)
	}
	first, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("find node %s: %w", node, err)
	}
	for _, p := range children(first) {
		if p.runs(name) {
			return p.pid, nil
		}
	}
	return 0, fmt.Errorf("%s does not run on %s", name, node)
}

type process struct {
	pid, parent int
	command     []string
}

// runs says whether a process runs a program, be it a command of muster-local.
func (p process) runs(program string) bool {
	return filepath.Base(p.command[0]) == program || slices.Contains(p.command[1:min(3, len(p.command))], program)
}

// children are the processes that a process has started and that still run.
func children(of int) []process {
	var all []process
	found, _ := filepath.Glob("/proc/[0-9]*") // the pattern is right
	for _, dir := range found {
		if p, ok := readProcess(dir); ok && p.parent == of {
			all = append(all, p)
		}
	}
	return all
}

// readProcess reads a folder of /proc. It reports false for a process that has
// ended.
func readProcess(dir string) (process, bool) {
	pid, err := strconv.Atoi(filepath.Base(dir))
	if err != nil {
		return process{}, false
	}
	command, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil || len(command) == 0 {
		return process{}, false
	}
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return process{}, false
	}
	// The name in parentheses may have anything in it; the state and the parent
	// follow it.
	after := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	parent, err := strconv.Atoi(after[1])
	return process{pid, parent, strings.Split(strings.TrimRight(string(command), "\x00"), "\x00")}, err == nil
}
