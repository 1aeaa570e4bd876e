package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"

	"muster.sh/muster/internal/localcluster/simnode"
)

// newKwokCommand plays the kubelets of simulated nodes.
func newKwokCommand() *cobra.Command {
	var kubeconfig, selector string
	command := &cobra.Command{
		Use:          "kwok",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error {
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return fmt.Errorf("load kubeconfig: %w", err)
			}
			ctx, cancel := untilSignal()
			defer cancel()
			return simnode.Run(ctx, config, selector)
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "path of the kubeconfig")
	command.Flags().StringVar(&selector, "node-selector", "", "label selector of the nodes to play")
	return command
}
