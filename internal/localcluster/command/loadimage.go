package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"muster.sh/muster/internal/localcluster"
)

func newLoadImageCommand() *cobra.Command {
	var dir string
	command := &cobra.Command{
		Use:   "load-image TAR",
		Short: "Load an image archive, as docker save writes it, on all real nodes",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			dir, err := clusterDir(dir)
			if err != nil {
				return err
			}
			nodes, err := localcluster.LoadImage(command.Context(), dir, args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(command.OutOrStdout(), "loaded on %d nodes\n", nodes)
			return err
		},
	}
	addDirFlag(command, &dir)
	return command
}
