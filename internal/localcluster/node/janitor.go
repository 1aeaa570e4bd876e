package node

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"muster.sh/muster/internal/localcluster/node/cgroup"
	"muster.sh/muster/internal/localcluster/node/inside"
)

// janitor is a child that removes the node's control group once this process
// says so, or is killed.
type janitor struct {
	process *exec.Cmd
	release *os.File // its closing is the sign
	once    sync.Once
	err     error
}

func hireJanitor(binary, logFile string, group *cgroup.Group) (*janitor, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own copy
	wait, release, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = wait.Close() }()
	cmd := exec.Command(binary, append([]string{inside.Command, inside.StepJanitor}, group.Folders...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = wait, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // to outlive this process
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the janitor: %w", err), release.Close())
	}
	return &janitor{process: cmd, release: release}, nil
}

// dismiss lets the janitor do its work and waits for it.
func (j *janitor) dismiss() error {
	j.once.Do(func() {
		j.err = j.release.Close()
		if err := j.process.Wait(); err != nil {
			j.err = errors.Join(j.err, fmt.Errorf("remove the node's cgroup: %w (see %s)", err, "janitor.log"))
		}
	})
	return j.err
}
