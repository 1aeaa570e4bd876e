package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"muster.sh/muster/internal/localcluster"
)

// Descriptors that "up" gives its supervisor beside the spec on standard input.
const (
	progressFD = 3 // the user's terminal: the supervisor tells the steps itself
	outcomeFD  = 4 // a pipe for one line: supervisorReady, or what went wrong
)

const supervisorReady = "ready"

// newSuperviseCommand is the background process that owns a cluster.
func newSuperviseCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "supervise",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			// The components must not inherit them: a reader of the other end
			// would wait for the components' end.
			syscall.CloseOnExec(progressFD)
			syscall.CloseOnExec(outcomeFD)
			ctx, cancel := untilSignal()
			defer cancel()
			return supervise(ctx, os.Stdin, os.NewFile(progressFD, "progress"), os.NewFile(outcomeFD, "outcome"))
		},
	}
}

func supervise(ctx context.Context, input io.Reader, progress, outcome *os.File) error {
	var spec localcluster.Spec
	if err := json.NewDecoder(input).Decode(&spec); err != nil {
		return fmt.Errorf("read the cluster's spec: %w", err)
	}
	spec.Progress = progress
	cluster, err := localcluster.Up(ctx, spec)
	text := supervisorReady
	if err != nil {
		text = err.Error()
	}
	_, writeErr := io.WriteString(outcome, text)
	if cluster != nil {
		cluster.SetProgress(os.Stderr) // the terminal is no longer ours to write to
	}
	if err := errors.Join(err, writeErr, outcome.Close(), progress.Close()); err != nil {
		if cluster != nil {
			err = errors.Join(err, cluster.Close())
		}
		return err
	}
	<-ctx.Done()
	return cluster.Close()
}

// startSupervisor starts a supervisor that outlives this process, and waits
// until its cluster is up. When ctx ends first, or the user presses Ctrl-C, the
// supervisor is asked to end.
func startSupervisor(ctx context.Context, spec localcluster.Spec) error {
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	logFile, err := supervisorLog(spec.Dir)
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }()
	outcome, outcomeEnd, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = outcome.Close() }()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	supervisor := exec.Command(self, "supervise")
	supervisor.Stdout, supervisor.Stderr = logFile, logFile
	supervisor.ExtraFiles = []*os.File{os.Stdout, outcomeEnd}
	supervisor.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	input, err := supervisor.StdinPipe()
	if err != nil {
		return err
	}
	if err := supervisor.Start(); err != nil {
		return errors.Join(fmt.Errorf("start the supervisor: %w", err), outcomeEnd.Close())
	}
	stop := context.AfterFunc(ctx, func() { _ = supervisor.Process.Signal(syscall.SIGTERM) })
	defer stop()
	err = errors.Join(outcomeEnd.Close(), json.NewEncoder(input).Encode(spec), input.Close())
	if err != nil {
		return fmt.Errorf("tell the supervisor what to start: %w", err)
	}
	text, err := io.ReadAll(outcome)
	switch {
	case err != nil:
		return fmt.Errorf("hear from the supervisor: %w", err)
	case string(text) == supervisorReady:
		return supervisor.Process.Release()
	case len(text) == 0:
		_ = supervisor.Wait() // how it went is told by its state
		return fmt.Errorf("the supervisor ended unexpectedly (%s); see %s", supervisor.ProcessState, logFile.Name())
	default:
		_ = supervisor.Wait() // it has told already why it ends
		return errors.New(string(text))
	}
}

func supervisorLog(dir string) (*os.File, error) {
	logs := filepath.Join(dir, "logs")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return nil, fmt.Errorf("make log folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(logs, "supervisor.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the supervisor's log: %w", err)
	}
	return file, nil
}
