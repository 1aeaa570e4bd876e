package fairness

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// NewCommand returns the command that lets days go by.
func NewCommand() *cobra.Command {
	d, seeds := Day{Nodes: 200, Queues: 20, Lasts: 24 * time.Hour, Depth: 100}, 5
	c := &cobra.Command{
		Use:   "fairness",
		Short: "Compare what queues had in a day with what they should have had",
		Long: `Tenants with queues of different weights share a simulated cluster of nodes with eight
GPUs. Each submits gangs for some hours, so that there are always some that wait, and
then for some none. The table says what part of all GPUs each queue had on average while
it had gangs that waited, and what it should have had by the weights of those that had
such at that time.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if d.Declared < 0 || d.Declared > 1 || d.Overrun < 0 || d.Overrun > 1 || d.Depth < 0 {
				return fmt.Errorf("--declared=%g and --overrun=%g must be from 0 to 1, --depth=%d must not be negative", d.Declared, d.Overrun, d.Depth)
			}
			if d.Nodes < 1 || d.Queues < 1 || seeds < 1 || d.Lasts <= 0 {
				return fmt.Errorf("--nodes=%d, --queues=%d, --seeds=%d and --lasts=%s: all must be above 0", d.Nodes, d.Queues, seeds, d.Lasts)
			}
			outcomes, err := simulateAll(c.Context(), d, seeds)
			if err != nil {
				return err
			}
			return write(c.OutOrStdout(), d, outcomes)
		},
	}
	c.Flags().IntVar(&d.Nodes, "nodes", d.Nodes, "nodes of the cluster")
	c.Flags().IntVar(&d.Queues, "queues", d.Queues, "queues that share it")
	c.Flags().DurationVar(&d.Lasts, "lasts", d.Lasts, "time that goes by")
	c.Flags().Float64Var(&d.Declared, "declared", d.Declared, "part of the gangs that say how long they run at most")
	c.Flags().Float64Var(&d.Overrun, "overrun", d.Overrun, "part of these that say half of what they do")
	c.Flags().IntVar(&d.Depth, "depth", d.Depth, "gangs that may pass the first one that waits for room, of so many behind it")
	c.Flags().IntVar(&seeds, "seeds", seeds, "days to take the mean over")
	return c
}

func simulateAll(ctx context.Context, d Day, seeds int) ([]Outcome, error) {
	out := make([]Outcome, seeds)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range seeds {
		group.Go(func() error {
			if ctx.Err() == nil {
				out[i] = Simulate(d, uint64(i+1))
			}
			return context.Cause(ctx)
		})
	}
	return out, group.Wait()
}

// write prints a table with a line for each queue: means over all days, and by how much
// it was off on the worst.
func write(out io.Writer, d Day, outcomes []Outcome) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "queue\tweight\twaited\tfair\tgot\tdifference\tworst\tbound\t")
	days := float64(len(outcomes))
	for q, weight := range outcomes[0].Weights {
		var mean Share
		worst := 0.0
		for _, o := range outcomes {
			s := o.Shares[q]
			mean.Waited, mean.Fair, mean.Got = mean.Waited+s.Waited/days, mean.Fair+s.Fair/days, mean.Got+s.Got/days
			if off := s.Got - s.Fair; math.Abs(off) > math.Abs(worst) {
				worst = off
			}
		}
		fmt.Fprintf(w, "%d\t%d\t%.0f %%\t%.2f %%\t%.2f %%\t%+.2f\t%+.2f\t%.2f\t\n",
			q, weight, 100*mean.Waited, 100*mean.Fair, 100*mean.Got, 100*(mean.Got-mean.Fair), 100*worst, 100*d.Bound())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return writeSums(out, outcomes)
}

func writeSums(out io.Writer, outcomes []Outcome) error {
	var sum Outcome
	days := len(outcomes)
	for _, o := range outcomes {
		sum.Busy, sum.Lost = sum.Busy+o.Busy/float64(days), sum.Lost+o.Lost/float64(days)
		sum.Gangs, sum.Wait, sum.Largest = sum.Gangs+o.Gangs/days, sum.Wait+o.Wait/time.Duration(days), sum.Largest+o.Largest/time.Duration(days)
		sum.Overran, sum.Before, sum.Moved = sum.Overran+o.Overran, sum.Before+o.Before, sum.Moved+o.Moved
	}
	_, err := fmt.Fprintf(out, `%d gangs a day; %.1f %% of all GPU time was used, %.1f %% by pods that were evicted
gangs waited %s on average, large ones %s
bookings moved %d times because somebody ran longer than expected, %d times for gangs whose turn it was earlier, and %d times for other reasons
`, sum.Gangs, 100*sum.Busy, 100*sum.Lost, sum.Wait.Round(time.Second), sum.Largest.Round(time.Second), sum.Overran, sum.Before, sum.Moved)
	return err
}
