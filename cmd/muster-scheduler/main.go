// muster-scheduler places gangs of pods on the nodes of a Kubernetes cluster.
package main

import (
	"fmt"
	"os"

	"muster.sh/muster/scheduler/run"
)

func main() {
	if err := run.NewCommand().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "muster-scheduler:", err)
		os.Exit(run.ExitCode(err))
	}
}
