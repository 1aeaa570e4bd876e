package fragmentation

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"

	"golang.org/x/sync/errgroup"
)

// Average is what a policy reached with a mix, over several seeds.
type Average struct {
	Mix, Policy string
	// Allocated is the mean part of all GPUs that is in use, Least and Most the
	// least and the largest.
	Allocated, Least, Most float64
}

// Compare fills a cluster by every policy with every mix, each seeds times.
func Compare(ctx context.Context, mixes []Mix, policies []Policy, nodes, seeds int) ([]Average, error) {
	out := make([]Average, len(mixes)*len(policies))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for m, mix := range mixes {
		for p, policy := range policies {
			group.Go(func() (err error) {
				out[m*len(policies)+p], err = average(ctx, policy, mix, nodes, seeds)
				return err
			})
		}
	}
	return out, group.Wait()
}

func average(ctx context.Context, p Policy, m Mix, nodes, seeds int) (Average, error) {
	var runs []float64
	for seed := range seeds {
		if ctx.Err() != nil {
			return Average{}, context.Cause(ctx)
		}
		runs = append(runs, Fill(p, m, nodes, uint64(seed+1)).Allocated)
	}
	sum := 0.0
	for _, r := range runs {
		sum += r
	}
	return Average{Mix: m.Name, Policy: p.Name, Allocated: sum / float64(len(runs)), Least: slices.Min(runs), Most: slices.Max(runs)}, nil
}

// write prints a table with a line for each policy, the best first, under each mix.
func write(out io.Writer, averages []Average) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "mix\tpolicy\tGPUs in use\tleast\tmost\t")
	slices.SortStableFunc(averages, func(a, b Average) int {
		return cmp.Or(cmp.Compare(a.Mix, b.Mix), cmp.Compare(b.Allocated, a.Allocated))
	})
	for _, a := range averages {
		fmt.Fprintf(w, "%s\t%s\t%.2f %%\t%.2f\t%.2f\t\n", a.Mix, a.Policy, 100*a.Allocated, 100*a.Least, 100*a.Most)
	}
	return w.Flush()
}
