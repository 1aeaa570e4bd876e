// Package command is the command line of muster-bench.
package command

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/fairness"
	"muster.sh/muster/benchmarks/floor"
	"muster.sh/muster/benchmarks/fragmentation"
	"muster.sh/muster/benchmarks/loop"
	"muster.sh/muster/benchmarks/operator"
	"muster.sh/muster/benchmarks/scenario"
)

// New returns the command with all of its subcommands.
func New() *cobra.Command {
	root := &cobra.Command{
		Use:   "muster-bench",
		Short: "Compare schedulers, and operators, on clusters of their own",
		Long: `muster-bench lets schedulers do the same work, one after the other, each on a
fresh cluster with simulated nodes, and judges them from outside: by the API
server's audit log and the CPU time of every process.`,
		SilenceUsage: true,
	}
	root.AddCommand(newRun(), newReport(), newList(), newFloor(), newLoop(), fragmentation.NewCommand(), fairness.NewCommand(), operator.NewCommand())
	return root
}

func newList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the scenarios and schedulers", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "SCENARIO\tWHAT")
			for _, s := range scenario.All() {
				fmt.Fprintf(w, "%s\t%s on %d nodes\n", s.Name, s.What(), s.Nodes)
			}
			fmt.Fprintln(w, "\nSCHEDULER\tWHAT")
			for _, s := range contender.All(contender.Folders{}) {
				about := s.About
				if s.Lacks != "" {
					about += " (only with " + s.Lacks + ")"
				}
				fmt.Fprintf(w, "%s\t%s\n", s.Name, about)
			}
			return w.Flush()
		},
	}
}

// newFloor is what the cluster starts as a process of its own.
func newFloor() *cobra.Command {
	return &cobra.Command{
		Use: floor.Command, Hidden: true, DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error { return floor.Run(c.Context(), args) },
	}
}

// newLoop is what a run of the loop starts as a process of its own.
func newLoop() *cobra.Command {
	return &cobra.Command{
		Use: loop.Command, Hidden: true, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return loop.Run(c.Context(), c.InOrStdin(), c.OutOrStdout()) },
	}
}
