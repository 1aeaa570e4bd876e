package inside

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// startTimeout bounds one daemon's start; a busy machine that is emulated is what
// makes it this long.
const startTimeout = 8 * time.Minute

// restartDelay is how long a daemon that ended stays down.
const restartDelay = time.Second

// daemon is a program that runs as long as the node does.
type daemon struct {
	name string
	args []string // the program and its arguments
}

// logFile is where the daemon's output is appended.
func (d daemon) logFile() string { return filepath.Join(LogDir, d.name+".log") }

// up starts the daemon, waits until it says that it is ready, and keeps it
// running from then on.
func (d daemon) up(r *reaper) error {
	ready, err := listenForReady(d.name)
	if err != nil {
		return fmt.Errorf("start %s: %w", d.name, err)
	}
	defer func() { _ = ready.Close() }()
	ended, err := d.start(r, ready.LocalAddr().String())
	if err != nil {
		return err
	}
	if err := d.awaitReady(ready, ended); err != nil {
		return err
	}
	go d.keep(r, ended)
	return nil
}

func (d daemon) start(r *reaper, notify string) (<-chan unix.WaitStatus, error) {
	log, err := os.OpenFile(d.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", d.name, err)
	}
	defer func() { _ = log.Close() }() // the daemon has its own copy
	cmd := exec.Command(d.args[0], d.args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	if notify != "" {
		cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+notify)
	}
	ended, err := r.start(cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", d.name, err)
	}
	return ended, nil
}

// listenForReady opens the socket on which a daemon tells a supervisor of
// systemd's kind that it is ready.
func listenForReady(name string) (*net.UnixConn, error) {
	return net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/run/" + name + ".notify", Net: "unixgram"})
}

func (d daemon) awaitReady(socket *net.UnixConn, ended <-chan unix.WaitStatus) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	ready := make(chan error, 1)
	go func() { ready <- readReady(socket) }() // ends when the socket is closed
	select {
	case err := <-ready:
		if err != nil {
			return fmt.Errorf("wait for %s: %w", d.name, err)
		}
		return nil
	case status := <-ended:
		return fmt.Errorf("%s ended before it was ready: %s", d.name, describe(status))
	case <-ctx.Done():
		return fmt.Errorf("%s is not ready after %s", d.name, startTimeout)
	}
}

func readReady(socket *net.UnixConn) error {
	buffer := make([]byte, 4096)
	for {
		n, err := socket.Read(buffer)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(buffer[:n])) {
			if strings.TrimSpace(line) == "READY=1" {
				return nil
			}
		}
	}
}

// keep starts the daemon again whenever it ends.
func (d daemon) keep(r *reaper, ended <-chan unix.WaitStatus) {
	for {
		status := <-ended
		fmt.Fprintf(os.Stderr, "%s: %s, starting it again\n", d.name, describe(status))
		for {
			time.Sleep(restartDelay)
			var err error
			if ended, err = d.start(r, ""); err == nil {
				break
			}
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// runOnce runs a program to its end.
func runOnce(r *reaper, args ...string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	ended, err := r.start(cmd)
	if err != nil {
		return fmt.Errorf("start %s: %w", args[0], err)
	}
	if status := <-ended; status != 0 {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), errors.New(describe(status)))
	}
	return nil
}

func describe(status unix.WaitStatus) string {
	if status.Signaled() {
		return "killed by " + status.Signal().String()
	}
	return fmt.Sprintf("exit status %d", status.ExitStatus())
}
