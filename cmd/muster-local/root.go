package main

import "github.com/spf13/cobra"

func newRootCommand() *cobra.Command {
	return &cobra.Command{
		Use:           "muster-local",
		Short:         "A real Kubernetes on one machine",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
}
