package localcluster

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is one run of a component.
type process struct {
	cmd *exec.Cmd
	// exited is closed when the process is gone.
	exited chan struct{}
}

// starter starts a command somewhere: on the host or in a namespace.
type starter func(*exec.Cmd) error

// launch starts the component with its output appended to logFile.
func launch(start starter, c component, logFile string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	// The child has its own copy of the descriptor once it runs.
	defer func() { _ = log.Close() }()
	cmd := exec.Command(c.binary, c.args...)
	if len(c.env) > 0 {
		cmd.Env = append(os.Environ(), c.env...)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := start(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	p := &process{cmd: cmd, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // its state tells how it went
		close(p.exited)
	}()
	return p, nil
}

// outcome says how the process ended; it has by then.
func (p *process) outcome() string { return p.cmd.ProcessState.String() }

func (p *process) pid() int { return p.cmd.Process.Pid }

// kill ends the process at once and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone already
	<-p.exited
}

// stop asks the process to end, and kills it if it has not within grace.
func (p *process) stop(grace time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		p.kill()
	}
}

// logTail returns the last lines of a log, for an error message.
func logTail(path string) string {
	const bytesWanted, linesWanted = 4096, 8
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil && info.Size() > bytesWanted {
		if _, err := file.Seek(-bytesWanted, io.SeekEnd); err != nil {
			return ""
		}
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return ""
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	if len(lines) > linesWanted {
		lines = lines[len(lines)-linesWanted:]
	}
	return string(bytes.Join(lines, []byte("\n")))
}
