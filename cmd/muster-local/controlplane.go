package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"muster.sh/muster/internal/localcluster/controlplane"
)

// newControlPlaneCommand runs etcd, API server and controller manager in one
// process. Its arguments are the three command lines one after the other:
// every flag is written --name=value, so a bare word begins the next.
func newControlPlaneCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "control-plane etcd FLAGS kube-apiserver FLAGS kube-controller-manager FLAGS",
		DisableFlagParsing: true,
		SilenceUsage:       true,
		RunE: func(_ *cobra.Command, words []string) error {
			args, err := splitCommandLines(words)
			if err != nil {
				return err
			}
			ctx, cancel := untilSignal()
			defer cancel()
			return controlplane.Run(ctx, args)
		},
	}
}

func splitCommandLines(words []string) (controlplane.Args, error) {
	var args controlplane.Args
	lines := map[string]*[]string{
		"etcd":                    &args.Etcd,
		"kube-apiserver":          &args.APIServer,
		"kube-controller-manager": &args.ControllerManager,
	}
	var current *[]string
	for _, word := range words {
		if line, starts := lines[word]; starts {
			current = line
			continue
		}
		if current == nil {
			return controlplane.Args{}, fmt.Errorf("%q belongs to no component; name one first", word)
		}
		*current = append(*current, word)
	}
	return args, nil
}
