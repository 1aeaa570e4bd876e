package localcluster

import (
	"fmt"
	"time"
)

// kwok plays the kubelets of the simulated nodes, and what runs on them.
func (b *blueprint) kwok() component {
	return component{
		name:   "kwok",
		binary: b.binary,
		args: []string{
			"kwok",
			"--kubeconfig=" + b.paths.kubeconfig("kwok"),
			"--node-selector=" + SimulatedLabel + "=true",
			fmt.Sprintf("--spark-actor=%t", b.spec.SparkActor),
		},
		grace: 5 * time.Second,
	}
}
