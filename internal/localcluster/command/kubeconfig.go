package command

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newKubeconfigCommand() *cobra.Command {
	var dir string
	command := &cobra.Command{
		Use:     "kubeconfig",
		Short:   "Print the path of the administrator's kubeconfig",
		Example: "  export KUBECONFIG=$(muster-local kubeconfig)",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			state, err := clusterState(dir)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(command.OutOrStdout(), state.Kubeconfig)
			return err
		},
	}
	addDirFlag(command, &dir)
	return command
}
