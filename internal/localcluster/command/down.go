package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"muster.sh/muster/internal/localcluster"
)

// shutdownTimeout is longer than all components' own time to stop.
const shutdownTimeout = 3 * time.Minute

func newDownCommand() *cobra.Command {
	var dir string
	var purge bool
	command := &cobra.Command{
		Use:   "down",
		Short: "End the cluster; its state stays for the next up",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			dir, err := clusterDir(dir)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(command.Context(), shutdownTimeout)
			defer cancel()
			err = localcluster.Shutdown(ctx, dir)
			if purge && errors.Is(err, localcluster.ErrNotRunning) {
				err = nil // there is still something to remove
			}
			if err != nil {
				return err
			}
			if !purge {
				fmt.Printf("down; the state stays in %s\n", dir)
				return nil
			}
			if err := localcluster.Remove(dir); err != nil {
				return err
			}
			fmt.Println("down; the state is removed")
			return nil
		},
	}
	addDirFlag(command, &dir)
	command.Flags().BoolVar(&purge, "purge", false, "remove the cluster's state as well")
	return command
}
