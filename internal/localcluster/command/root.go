// Package command is the user's side of muster-local: up, down, status and the
// like. The programs that a cluster is made of are in cmd/muster-local.
package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"muster.sh/muster/internal/localcluster"
)

// NewRoot returns the command muster-local.
func NewRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "muster-local",
		Short: "A real Kubernetes on one machine",
		Long: `muster-local runs a real Kubernetes on one machine: etcd, API server,
controller manager, schedulers, simulated nodes by the thousand and, with root
on Linux, real nodes. Nothing of it listens beyond 127.0.0.1.

A cluster's state (objects, certificates, ports, logs) lies in one folder, by
default ~/.local/state/muster/local. "down" keeps it, and the next "up" goes on
from there; "down --purge" removes it.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newUpCommand(), newDownCommand(), newStatusCommand(), newKubeconfigCommand(),
		newLogsCommand(), newLoadImageCommand(), newKubectlStub(), newSuperviseCommand())
	return root
}

// newKubectlStub documents kubectl; main runs it before cobra sees its flags.
func newKubectlStub() *cobra.Command {
	return &cobra.Command{
		Use:                "kubectl ARGS...",
		Short:              "Run kubectl on the cluster",
		DisableFlagParsing: true,
		RunE:               func(*cobra.Command, []string) error { return errors.New("kubectl is run by main") },
	}
}

// DefaultKubeconfig is the path of the administrator's kubeconfig of the cluster
// in the default folder, or in $MUSTER_LOCAL_DIR.
func DefaultKubeconfig() (string, error) {
	state, err := clusterState("")
	return state.Kubeconfig, err
}

// untilSignal returns a context that ends when the process is asked to stop.
func untilSignal() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
}

// addDirFlag adds --dir, the cluster's folder.
func addDirFlag(command *cobra.Command, dir *string) {
	command.Flags().StringVar(dir, "dir", "", "the cluster's folder (default $MUSTER_LOCAL_DIR or $XDG_STATE_HOME/muster/local)")
}

// clusterDir is the folder to use where --dir has the given value.
func clusterDir(flag string) (string, error) {
	for _, dir := range []string{flag, os.Getenv("MUSTER_LOCAL_DIR")} {
		if dir != "" {
			return filepath.Abs(dir)
		}
	}
	if state := os.Getenv("XDG_STATE_HOME"); state != "" {
		return filepath.Join(state, "muster", "local"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a folder for the cluster (name one with --dir): %w", err)
	}
	return filepath.Join(home, ".local", "state", "muster", "local"), nil
}

// clusterState reads the state of the cluster that --dir names.
func clusterState(flag string) (localcluster.State, error) {
	dir, err := clusterDir(flag)
	if err != nil {
		return localcluster.State{}, err
	}
	return localcluster.ReadState(dir)
}
