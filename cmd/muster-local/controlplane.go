package main

import (
	"github.com/spf13/cobra"

	"muster.sh/muster/internal/localcluster/command"
	"muster.sh/muster/internal/localcluster/controlplane"
)

// newControlPlaneCommand runs etcd, API server and controller manager in one
// process. Its arguments are the three command lines one after the other.
func newControlPlaneCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "control-plane etcd FLAGS kube-apiserver FLAGS kube-controller-manager FLAGS",
		DisableFlagParsing: true,
		SilenceUsage:       true,
		RunE: func(_ *cobra.Command, words []string) error {
			lines, err := command.SplitCommandLines(words, "etcd", "kube-apiserver", "kube-controller-manager")
			if err != nil {
				return err
			}
			ctx, cancel := untilSignal()
			defer cancel()
			return controlplane.Run(ctx, controlplane.Args{
				Etcd:              lines["etcd"],
				APIServer:         lines["kube-apiserver"],
				ControllerManager: lines["kube-controller-manager"],
			})
		},
	}
}
