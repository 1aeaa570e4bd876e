package fragmentation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// NewCommand returns the command that compares the policies.
func NewCommand() *cobra.Command {
	nodes, seeds := 1200, 10
	var mixNames, policyNames []string
	c := &cobra.Command{
		Use:   "fragmentation",
		Short: "Compare how full of GPU work a cluster gets by strategies of placing",
		Long: `Pods with whole GPUs, parts of one and none arrive at a simulated cluster of mixed
models until it is full. The table says which part of all GPUs is then in use, as
the mean over several seeds, by the strategies of the scheduler's planner and by
those of others.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if nodes < 1 || seeds < 1 {
				return fmt.Errorf("--nodes=%d and --seeds=%d: both must be at least 1", nodes, seeds)
			}
			mixes, err := chosen("mix", mixNames, Mixes, func(m Mix) string { return m.Name })
			if err != nil {
				return err
			}
			policies, err := chosen("policy", policyNames, Policies, func(p Policy) string { return p.Name })
			if err != nil {
				return err
			}
			averages, err := Compare(c.Context(), mixes, policies, nodes, seeds)
			if err != nil {
				return err
			}
			return write(c.OutOrStdout(), averages)
		},
	}
	c.Flags().IntVar(&nodes, "nodes", nodes, "nodes of the cluster")
	c.Flags().IntVar(&seeds, "seeds", seeds, "clusters and streams to take the mean over")
	c.Flags().StringSliceVar(&mixNames, "mix", nil, "mixes of pods to try (default all)")
	c.Flags().StringSliceVar(&policyNames, "policy", nil, "strategies to compare (default all)")
	return c
}

// chosen picks those that are named, or all if none is.
func chosen[T any](flag string, names []string, all []T, name func(T) string) ([]T, error) {
	if len(names) == 0 {
		return all, nil
	}
	var out []T
	known := make([]string, len(all))
	for i, t := range all {
		known[i] = name(t)
		if slices.Contains(names, known[i]) {
			out = append(out, t)
		}
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("--%s=%s is not known; there are %s", flag, n, strings.Join(known, ", "))
		}
	}
	return out, nil
}
