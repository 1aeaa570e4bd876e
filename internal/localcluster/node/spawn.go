package node

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"muster.sh/muster/internal/localcluster/node/cgroup"
	"muster.sh/muster/internal/localcluster/node/inside"
)

// spawn starts the node's first process, which waits for release, and returns
// the file on which it will report.
func (n *Node) spawn() (*os.File, error) {
	log, err := os.OpenFile(n.files.log("init"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own copy
	lifelineEnd, lifeline, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = lifelineEnd.Close() }()
	status, statusEnd, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, lifeline.Close())
	}
	defer func() { _ = statusEnd.Close() }()
	cmd := exec.Command(n.config.Binary, inside.Command, inside.StepSetup, n.files.file(specFile))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = lifelineEnd, log, log
	cmd.ExtraFiles = []*os.File{statusEnd}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
	}
	if err := n.hub.Start(cmd); err != nil {
		return nil, errors.Join(fmt.Errorf("start its first process: %w", err), lifeline.Close(), status.Close())
	}
	n.process, n.lifeline = cmd, lifeline
	go func() {
		_ = cmd.Wait() // it is killed in the end
		close(n.ended)
	}()
	return status, nil
}

// release gives the first process its control group and its network, lets it
// go on, and waits until it says that the node runs.
func (n *Node) release(ctx context.Context, group *cgroup.Group, status *os.File) error {
	pid := n.process.Process.Pid
	if err := group.Add(pid); err != nil {
		return err
	}
	if err := n.hub.Attach(pid, n.config.Name, n.config.IP, n.config.Pods); err != nil {
		return err
	}
	if err := os.WriteFile(n.files.pid(), []byte(strconv.Itoa(pid)), 0o600); err != nil {
		return err
	}
	if _, err := n.lifeline.WriteString("g"); err != nil {
		return err
	}
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(status).ReadString('\n') // its end says enough
		answer <- strings.TrimSpace(line)
	}()
	select {
	case line := <-answer:
		if line == inside.Ready {
			return nil
		}
		return fmt.Errorf("%s (logs are in %s)", cmp.Or(line, "its first process ended"), n.files.logs())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
