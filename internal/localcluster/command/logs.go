package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/fsnotify/fsnotify"
	"github.com/spf13/cobra"

	"muster.sh/muster/internal/localcluster"
)

func newLogsCommand() *cobra.Command {
	var dir string
	var follow bool
	command := &cobra.Command{
		Use:   "logs COMPONENT",
		Short: "Print a component's log; see status for their names",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			state, err := clusterState(dir)
			if err != nil {
				return err
			}
			path, err := logOf(state, args[0])
			if err != nil {
				return err
			}
			file, err := os.Open(path)
			if err != nil {
				return err
			}
			defer func() { _ = file.Close() }()
			if _, err := io.Copy(command.OutOrStdout(), file); err != nil || !follow {
				return err
			}
			ctx, cancel := untilSignal()
			defer cancel()
			return followFile(ctx, file, command.OutOrStdout())
		},
	}
	addDirFlag(command, &dir)
	command.Flags().BoolVarP(&follow, "follow", "f", false, "print what is added, until Ctrl-C")
	return command
}

func logOf(state localcluster.State, name string) (string, error) {
	var names []string
	for _, component := range state.Components {
		if component.Name == name {
			return component.Log, nil
		}
		names = append(names, component.Name)
	}
	return "", fmt.Errorf("no component is called %q; there are %s", name, strings.Join(names, ", "))
}

// followFile copies what is appended to file until ctx ends.
func followFile(ctx context.Context, file *os.File, out io.Writer) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch %s: %w", file.Name(), err)
	}
	defer func() { _ = watcher.Close() }()
	if err := watcher.Add(file.Name()); err != nil {
		return fmt.Errorf("watch %s: %w", file.Name(), err)
	}
	for {
		// First copy, then wait: something may have been added before the watch.
		if _, err := io.Copy(out, file); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-watcher.Errors:
			return fmt.Errorf("watch %s: %w", file.Name(), err)
		case <-watcher.Events:
		}
	}
}
