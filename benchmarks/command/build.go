package command

import (
	"context"
	"fmt"
	"io"
	"time"

	"muster.sh/muster/benchmarks/trial"
	"muster.sh/muster/internal/localcluster/toolchain"
)

// build builds the schedulers of others that are to run, once a version, and
// tells how far it is: some take ten minutes.
func build(ctx context.Context, runs []trial.Trial, out io.Writer) error {
	done := map[string]bool{"": true}
	for _, t := range runs {
		tool := t.Contender.Tool
		if done[tool] {
			continue
		}
		done[tool] = true
		if _, err := toolchain.Build(ctx, tell(out), tool); err != nil {
			return err
		}
	}
	return nil
}

// tellEvery is how many packages are compiled from one line to the next.
const tellEvery = 200

// tell writes a line now and then.
func tell(out io.Writer) toolchain.Progress {
	return func(e toolchain.Event) {
		switch {
		case e.Finished && !e.Cached:
			fmt.Fprintf(out, "built %s in %s\n", e.Tool, e.Took.Round(time.Second))
		case e.Finished:
		case e.Done == 0 && e.Total == 0:
			fmt.Fprintf(out, "building %s from its Go module (once)\n", e.Tool)
		case e.Done > 0 && e.Done%tellEvery == 0:
			fmt.Fprintf(out, "  compiled %d of at most %d packages\n", e.Done, e.Total)
		}
	}
}
