package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// options are the flags of the command.
type options struct {
	operators []string
	sparkHome string
	run       Run
	verbose   bool
}

// NewCommand returns the command that compares operators.
func NewCommand() *cobra.Command {
	o := options{run: Run{Applications: 20, Timeout: 20 * time.Minute}, sparkHome: os.Getenv("SPARK_HOME")}
	c := &cobra.Command{
		Use: "operator", Short: "Compare operators of SparkApplications", Args: cobra.NoArgs,
		Long: `Each operator has a cluster of its own with simulated nodes, on which Spark's drivers are
played. Applications of a driver and an executor are created all at once, while others
run, and the table says how soon they were submitted, at what cost, how far their status
was behind their drivers, and what was left when all had been deleted.`,
		RunE: func(c *cobra.Command, _ []string) error { return o.compare(c.Context(), c.OutOrStdout()) },
	}
	f := c.Flags()
	f.StringSliceVar(&o.operators, "operator", []string{"muster"}, "operator; repeat or separate by commas: muster, spark-operator")
	f.IntVar(&o.run.Applications, "applications", o.run.Applications, "applications that are created all at once, and measured")
	f.IntVar(&o.run.Live, "live", 0, "applications that run meanwhile")
	f.DurationVar(&o.run.Timeout, "timeout", o.run.Timeout, "how long a step may take, such as the submission of all")
	f.StringVar(&o.sparkHome, "spark-home", o.sparkHome, "Spark distribution whose spark-submit spark-operator starts (default: $SPARK_HOME)")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "tell of every step of every cluster")
	return c
}

func (o *options) compare(ctx context.Context, out io.Writer) error {
	if o.run.Applications < 1 || o.run.Live < 0 {
		return fmt.Errorf("--applications=%d must be above 0, and --live=%d not below", o.run.Applications, o.run.Live)
	}
	log.SetLogger(klog.Background()) // of the watches
	var chosen []Operator
	for _, name := range o.operators {
		operator, err := find(name, o.sparkHome)
		if err != nil {
			return fmt.Errorf("--operator: %w", err)
		}
		chosen = append(chosen, operator)
	}
	if o.run.Progress = io.Discard; o.verbose {
		o.run.Progress = out
	}
	var results []Figures
	var failed error
	for _, operator := range chosen {
		run := o.run
		run.Operator = operator
		f, err := run.Do(ctx)
		results = append(results, f)
		if err != nil {
			failed = fmt.Errorf("%s: %w", operator.Name, err)
			break
		}
	}
	return errors.Join(o.write(out, chosen, results), failed)
}

// write prints a table with a column for each operator that has figures.
func (o *options) write(out io.Writer, operators []Operator, results []Figures) error {
	fmt.Fprintf(out, "%d applications of a driver and an executor, while %d others run\n\n", o.run.Applications, o.run.Live)
	for _, operator := range operators {
		fmt.Fprintf(out, "%s: %s\n", operator.Name, operator.About)
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i := range results {
		fmt.Fprint(w, "\t"+operators[i].Name)
	}
	fmt.Fprintln(w)
	n := time.Duration(o.run.Applications) // divides times
	rows := []struct {
		what  string
		value func(Figures) any
	}{
		{"submitted in a minute, whose drivers find no node", func(f Figures) any { return fmt.Sprintf("%.0f", perMinute(o.run.Applications, f.Accepted)) }},
		{"all submitted after", func(f Figures) any { return f.Submitted.Round(10 * time.Millisecond) }},
		{"submitted in a minute", func(f Figures) any { return fmt.Sprintf("%.0f", perMinute(o.run.Applications, f.Submitted)) }},
		{"all ended after", func(f Figures) any { return f.Ended.Round(10 * time.Millisecond) }},
		{"CPU time each, until all were submitted", func(f Figures) any { return (f.SubmitCPU / n).Round(10 * time.Microsecond) }},
		{"CPU time each, until all had ended", func(f Figures) any { return (f.CPU / n).Round(10 * time.Microsecond) }},
		{"most memory, resident", func(f Figures) any { return mebibytes(f.Resident) }},
		{"most memory, anonymous", func(f Figures) any { return mebibytes(f.Anonymous) }},
		{"writes each", func(f Figures) any { return fmt.Sprintf("%.1f", f.Writes) }},
		{"events each", func(f Figures) any { return fmt.Sprintf("%.1f", f.Events) }},
		{"status behind the driver, p50", func(f Figures) any { return f.LagP50.Round(time.Millisecond) }},
		{"status behind the driver, p99", func(f Figures) any { return f.LagP99.Round(time.Millisecond) }},
		{"objects without an owner", func(f Figures) any { return counted(f.Unowned) }},
		{"left after deletion", func(f Figures) any { return counted(f.Left) }},
	}
	for _, row := range rows {
		fmt.Fprint(w, row.what)
		for _, f := range results {
			fmt.Fprintf(w, "\t%v", row.value(f))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// perMinute is zero where nothing was done.
func perMinute(n int, took time.Duration) float64 {
	if took == 0 {
		return 0
	}
	return float64(n) / took.Minutes()
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

// counted names the kinds with how many there are of each.
func counted(counts map[string]int) string {
	if len(counts) == 0 {
		return "none"
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[kind], kind))
	}
	return strings.Join(parts, ", ")
}
