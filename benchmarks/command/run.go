package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster.sh/muster/benchmarks/contender"
	"muster.sh/muster/benchmarks/report"
	"muster.sh/muster/benchmarks/scenario"
	"muster.sh/muster/benchmarks/trial"
)

// runOptions are the flags of run.
type runOptions struct {
	scenarios, schedulers []string
	rounds, nodes, held   int
	out                   string
	timeout               time.Duration
	folders               contender.Folders
	verbose               bool
}

func newRun() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use: "run", Short: "Run scenarios, and print the report", Args: cobra.NoArgs,
		Long: `Every scheduler does every scenario once a round, each time on a fresh cluster;
who begins rotates from round to round. A run that is in the folder already is not
done again, so that a killed command goes on where it was.`,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context(), c.OutOrStdout()) },
	}
	f := c.Flags()
	f.StringSliceVar(&o.scenarios, "scenario", nil, "scenario, or the beginning of its name; repeat or separate by commas (default: all of at most 2,000 pods)")
	f.StringSliceVar(&o.schedulers, "scheduler", nil, "scheduler; repeat or separate by commas (default: all whose programs are at hand)")
	f.IntVar(&o.rounds, "rounds", 3, "how often each does each")
	f.IntVar(&o.nodes, "nodes", 0, "number of nodes (default: the scenario's)")
	f.IntVar(&o.held, "held", 0, "number of gangs that are held, where a scenario of the name held/ has some (default: the scenario's)")
	f.StringVar(&o.out, "out", "bench-results", "folder of the results")
	f.StringVar(&o.folders.Volcano, "volcano-dir", "", "checkout of Volcano after make vc-scheduler vc-controller-manager")
	f.StringVar(&o.folders.YuniKorn, "yunikorn-dir", "", "checkout of yunikorn-k8shim after make scheduler")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "how long a scheduler may take for a run")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "tell of every step of every cluster")
	return c
}

// runs lists what is to be done, in its order.
func (o *runOptions) runs() ([]trial.Trial, error) {
	scenarios, err := o.chosenScenarios()
	if err != nil {
		return nil, err
	}
	contenders, err := o.chosenSchedulers()
	if err != nil {
		return nil, err
	}
	var runs []trial.Trial
	for round := range o.rounds {
		for _, s := range scenarios {
			for i := range contenders {
				c := contenders[(i+round)%len(contenders)]
				if !c.Does(s) {
					continue
				}
				runs = append(runs, trial.Trial{
					Scenario: s, Contender: c, Round: round + 1, Timeout: o.timeout, Logs: filepath.Join(o.out, "logs"),
				})
			}
		}
	}
	return runs, nil
}

func (o *runOptions) chosenSchedulers() ([]contender.Contender, error) {
	if len(o.schedulers) == 0 {
		return slices.DeleteFunc(contender.All(o.folders), func(c contender.Contender) bool { return c.Lacks != "" }), nil
	}
	var chosen []contender.Contender
	for _, name := range o.schedulers {
		c, err := contender.Find(name, o.folders)
		if err != nil {
			return nil, fmt.Errorf("--scheduler: %w", err)
		}
		chosen = append(chosen, c)
	}
	return chosen, nil
}

func (o *runOptions) chosenScenarios() ([]scenario.Scenario, error) {
	chosen := scenario.Small()
	if len(o.scenarios) > 0 {
		chosen = nil
		for _, name := range o.scenarios {
			before := len(chosen)
			for _, s := range scenario.All() {
				if strings.HasPrefix(s.Name, name) {
					chosen = append(chosen, s)
				}
			}
			if len(chosen) == before {
				return nil, fmt.Errorf("--scenario: no scenario begins with %q; muster-bench list names them", name)
			}
		}
	}
	for i := range chosen {
		if o.nodes > 0 {
			chosen[i].Nodes = o.nodes
		}
		if o.held > 0 && chosen[i].Mode == scenario.Stream && chosen[i].Held > 0 {
			chosen[i] = chosen[i].Holding(o.held)
		}
	}
	return chosen, nil
}

func (o *runOptions) run(ctx context.Context, out io.Writer) error {
	switch {
	case o.rounds < 1:
		return errors.New("--rounds: must be at least 1")
	case o.nodes < 0:
		return errors.New("--nodes: must not be below 0")
	case o.held < 0:
		return errors.New("--held: must not be below 0")
	}
	runs, err := o.runs()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	if err := build(ctx, runs, out); err != nil {
		return err
	}
	began, done := time.Now(), 0
	for i, t := range runs {
		path := filepath.Join(o.out, fileOf(t))
		head := fmt.Sprintf("[%d/%d] %s %s, round %d", i+1, len(runs), t.Scenario.Name, t.Contender.Name, t.Round)
		if _, err := trial.Read(path); err == nil {
			fmt.Fprintf(out, "%s: is there already\n", head)
			continue
		}
		if o.verbose {
			t.Progress = out
		}
		r, err := t.Run(ctx)
		if ctx.Err() != nil {
			fmt.Fprintf(out, "%s: interrupted; what is done is in %s, and is not done again\n", head, o.out)
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w", head, err)
		}
		if err := r.Write(path); err != nil {
			return err
		}
		done++
		left := time.Since(began) / time.Duration(done) * time.Duration(len(runs)-i-1)
		fmt.Fprintf(out, "%s: %s; about %s left\n", head, report.Line(r), left.Round(time.Second))
	}
	return writeReport(o.out, out)
}

// fileOf names the file of a run. Runs on other numbers of nodes are others.
func fileOf(t trial.Trial) string {
	name := fmt.Sprintf("%s-%d-nodes-%s-%d.json", t.Scenario.Name, t.Scenario.Nodes, t.Contender.Name, t.Round)
	return strings.ReplaceAll(name, "/", "-")
}
