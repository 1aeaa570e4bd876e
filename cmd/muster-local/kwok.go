package main

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"muster.sh/muster/internal/localcluster/simnode"
	"muster.sh/muster/internal/localcluster/sparkactor"
)

// newKwokCommand plays the kubelets of simulated nodes, and Spark on them.
func newKwokCommand() *cobra.Command {
	var kubeconfig, selector string
	var actor bool
	command := &cobra.Command{
		Use:          "kwok",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error {
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return fmt.Errorf("load kubeconfig: %w", err)
			}
			config.QPS = -1
			ctx, cancel := untilSignal()
			defer cancel()
			group, ctx := errgroup.WithContext(ctx)
			group.Go(func() error { return simnode.Run(ctx, config, selector) })
			if actor {
				client, err := kubernetes.NewForConfig(config)
				if err != nil {
					return fmt.Errorf("make client: %w", err)
				}
				group.Go(func() error { return sparkactor.Run(ctx, client, slog.Default()) })
			}
			return group.Wait()
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "path of the kubeconfig")
	command.Flags().StringVar(&selector, "node-selector", "", "label selector of the nodes to play")
	command.Flags().BoolVar(&actor, "spark-actor", false, "play the Spark drivers on these nodes")
	return command
}
