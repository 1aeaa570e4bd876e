// muster-operators runs SparkApplications and TFJobs as pods on Kubernetes.
package main

import (
	"fmt"
	"os"

	"muster.sh/muster/operators/run"
)

func main() {
	if err := run.NewCommand().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "muster-operators:", err)
		os.Exit(1)
	}
}
