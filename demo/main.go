// Command demo shows the main thing on a cluster of its own: several Spark
// applications are submitted at the same moment by unchanged spark-submit to
// a cluster that cannot hold them all. Under Muster each starts whole or waits
// whole, and all finish; under the default scheduler their drivers take all the
// room and none ever gets an executor. It checks what it shows, from outside: the
// answers, Spark's own event logs and the API server's audit log.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// Names of schedulers.
const (
	musterScheduler  = "muster"
	defaultScheduler = "default-scheduler"
)

// leastApps is how many drivers it takes to fill the cluster.
const leastApps = 4

// options are the command line.
type options struct {
	scheduler string
	apps      int
	timeout   time.Duration
	keep      bool
	simulate  bool
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := pflag.NewFlagSet("demo", pflag.ContinueOnError)
	flags.StringVar(&o.scheduler, "scheduler", musterScheduler, "who places the pods: "+musterScheduler+" or "+defaultScheduler)
	flags.IntVar(&o.apps, "apps", leastApps, fmt.Sprintf("number of applications, from %d to %d", leastApps, len(questions)))
	flags.DurationVar(&o.timeout, "timeout", 10*time.Minute, "how long the applications may take")
	flags.BoolVar(&o.keep, "keep", false, "leave the cluster running at the end, until Ctrl-C, and keep its files")
	flags.BoolVar(&o.simulate, "simulate", false, "use simulated nodes and an actor that behaves like Spark's driver, even where real nodes are possible")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.scheduler != musterScheduler && o.scheduler != defaultScheduler:
		return o, fmt.Errorf("--scheduler: %q is neither %s nor %s", o.scheduler, musterScheduler, defaultScheduler)
	case o.apps < leastApps || o.apps > len(questions):
		return o, fmt.Errorf("--apps: %d is not from %d to %d", o.apps, leastApps, len(questions))
	case o.timeout <= 0:
		return o, errors.New("--timeout: must be above zero")
	}
	return o, nil
}

func main() {
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, pflag.ErrHelp) {
		os.Exit(0)
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(2)
	}
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	os.Exit(play(ctx, o, newConsole(os.Stdout)))
}

// play runs the demo, up to its last line, and returns the exit status.
func play(ctx context.Context, o options, c *console) int {
	dir, err := os.MkdirTemp("", "muster-demo-")
	if err != nil {
		c.print(fmt.Sprintf("demo: failed: %v\n", err))
		return 1
	}
	verdict, err := perform(ctx, o, c, dir)
	if err != nil {
		c.print(fmt.Sprintf("\ndemo: failed: %v\n", err))
	}
	if o.keep || (err != nil && ctx.Err() == nil) {
		c.print(fmt.Sprintf("demo: logs are in %s\n", dir))
	} else if err := os.RemoveAll(dir); err != nil {
		c.print(fmt.Sprintf("demo: %v\n", err))
	}
	if err != nil {
		return 1
	}
	c.print("demo: " + verdict + "\n")
	return 0
}
